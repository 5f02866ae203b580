"""What stands over a screen in a terminal that has no room for it."""

from __future__ import annotations

import textwrap

from textual.strip import Strip

from tui.widgets.canvas import Canvas

LEAST = (40, 8)
"""Columns and rows that still show a list and its keys."""


class TooSmall(Canvas):
    """Shown by the style sheet below ``LEAST``. It covers the screen and leaves the focus where it was."""

    def __init__(self) -> None:
        super().__init__(id="too-small")

    def render_line(self, y: int) -> Strip:
        columns, rows = self.size
        sentence = f"too small: {columns}x{rows}; make it {LEAST[0]}x{LEAST[1]}, better 80x24. ctrl+q leaves"
        lines = textwrap.wrap(sentence, max(1, columns))
        return self.strip([(lines[y] if y < len(lines) else "", "warn")], columns)
