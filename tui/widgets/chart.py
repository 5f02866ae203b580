"""A bar chart that loses no spike: each column shows the lowest and the highest value of its bucket."""

from __future__ import annotations

from collections.abc import Sequence

from textual.strip import Strip

from tui import format as show
from tui.widgets.canvas import Canvas, Cell, spread

_EIGHTHS = " ▁▂▃▄▅▆▇█"
AXIS = 5


def buckets(values: Sequence[float], columns: int, phase: int = 0) -> list[tuple[float, float]]:
    """The newest ``values`` in at most ``columns`` buckets of equal length, as (lowest, highest), newest last.

    ``phase`` is the number of the newest value in time: buckets begin at multiples of their length, so that a value
    stays in its bucket while time goes on and the picture moves without shimmering.
    """
    if not values or columns <= 0:
        return []
    length = max(1, len(values) // columns)
    groups: list[Sequence[float]] = []
    end = len(values)
    begin = end - (phase % length + 1)
    while end > 0 and len(groups) < columns:
        groups.append(values[max(0, begin) : end])
        end, begin = begin, begin - length
    return [(min(group), max(group)) for group in reversed(groups) if group]


def ceiling(highest: float) -> float:
    """The next round number above ``highest``: a scale that does not jump with every value."""
    step = 1.0
    while True:
        for factor in (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0):
            if highest <= factor * step:
                return factor * step
        step *= 10


class Chart(Canvas):
    """Values per second over time, newest at the right."""

    def __init__(self, title: str, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._title = title
        self._values: Sequence[float] = ()
        self._note = ""
        self._phase = 0

    def show(self, values: Sequence[float], newest: int, note: str) -> None:
        """Draw ``values``, one a second up to epoch second ``newest``; ``note`` is the right end of the title."""
        self._values = values
        self._phase = newest
        self._note = note
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width, height = self.size.width, self.size.height - 1
        if y == 0:
            return self.strip(spread([(f" {self._title}", "strong")], [(self._note + " ", "dim")], width), width)
        columns = max(1, width - AXIS - 2)
        pairs = buckets(self._values, columns, self._phase)
        top = ceiling(max((high for _, high in pairs), default=1.0) or 1.0)
        row = height - y
        label = top if y == 1 else top / 2 if row == (height - 1) // 2 and height > 3 else 0 if row == 0 else None
        cells: list[Cell] = [(f"{'' if label is None else show.compact(label):>{AXIS}} ", "dim")]
        run, style = "", "bar"
        for char, name in self._column_cells([(0.0, 0.0)] * (columns - len(pairs)) + pairs, row, height, top):
            if name != style:
                cells.append((run, style))
                run, style = "", name
            run += char
        cells.append((run, style))
        return self.strip(cells, width)

    @staticmethod
    def _column_cells(pairs: Sequence[tuple[float, float]], row: int, height: int, top: float) -> list[Cell]:
        return [_cell(low / top * height * 8 - row * 8, high / top * height * 8 - row * 8, row) for low, high in pairs]


def _cell(low: float, high: float, row: int) -> Cell:
    """One character of a column; ``low`` and ``high`` are eighths above its foot."""
    filled = max(0, min(8, round(high)))
    if row == 0 and high > 0:
        filled = max(1, filled)  # something is not nothing
    solid = max(0, min(8, round(low)))
    if solid == filled or (solid > 0 and filled < 8):
        return _EIGHTHS[filled], "bar"
    if solid == 0:
        return _EIGHTHS[filled], "bar-low"
    return _EIGHTHS[solid], "bar-mixed"
