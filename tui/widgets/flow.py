"""Facts beside each other, as many a line as fit. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from tui.widgets.canvas import Cell, Line

GAP = 3


def flow(parts: Sequence[Sequence[Cell]], width: int) -> list[Line]:
    """Parts one after the other with ``GAP`` blanks between them; a part that does not fit begins a line."""
    lines: list[list[Cell]] = []
    left = 0
    for part in parts:
        size = sum(cell_len(text) for text, _ in part)
        if size > left or not lines:
            lines.append([(" ", "dim")])
            left = width - 1
        lines[-1] += [*part, (" " * GAP, "dim")]
        left -= size + GAP
    return [*lines]
