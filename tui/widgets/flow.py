"""Facts beside each other, as many a line as fit. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from tui.terminal.sanitise import clean
from tui.widgets.canvas import Cell, Line

GAP = 3


def flow(parts: Sequence[Sequence[Cell]], width: int, gap: int = GAP) -> list[Line]:
    """Parts one after the other with ``gap`` blanks between them; a part that does not fit begins a line."""
    width = max(1, width)  # a pane that has no place yet
    lines: list[list[Cell]] = []
    left = 0
    for raw in parts:
        part = [(clean(text, 2 * width + 2), style) for text, style in raw]  # a text may be a megabyte long
        size = sum(cell_len(text) for text, _ in part)
        if lines and size + gap <= left:
            lines[-1] += [(" " * gap, "dim"), *part]
            left -= size + gap
        else:
            lines.append([(" ", "dim"), *part])
            left = width - 1 - size
    return [*lines]
