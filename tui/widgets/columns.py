"""Columns of a list: which fit a width, and how wide each becomes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

GAP = 1


@dataclass(frozen=True, slots=True)
class Column:
    """``width`` cells at least; ``grow`` shares spare space up to ``limit``; the lowest ``rank`` gives way first.

    ``about`` is what help says of it.
    """

    title: str
    width: int
    align: str = "left"
    grow: int = 0
    limit: int = 60
    rank: int = 9
    about: str = ""


def lay_out(columns: Sequence[Column], width: int) -> list[int]:
    """Cells per column for a total of ``width`` with one blank between columns; 0 hides a column."""
    shown = set(range(len(columns)))
    while len(shown) > 1 and sum(columns[i].width for i in shown) + GAP * (len(shown) - 1) > width:
        shown.remove(min(shown, key=lambda i: (columns[i].rank, -i)))
    widths = [column.width if i in shown else 0 for i, column in enumerate(columns)]
    spare = width - sum(widths) - GAP * (len(shown) - 1)
    growing = [i for i in shown if columns[i].grow]
    while spare > 0 and growing:
        shares = sum(columns[i].grow for i in growing)
        unit = max(1, spare // shares)
        for i in growing:
            step = min(spare, unit * columns[i].grow, columns[i].limit - widths[i])
            widths[i] += step
            spare -= step
        growing = [i for i in growing if widths[i] < columns[i].limit]
    if spare < 0:
        first = next(iter(shown))
        widths[first] = max(1, widths[first] + spare)
    return widths
