"""A bar chart that loses no spike: each column shows the lowest and the highest value of its bucket."""

from __future__ import annotations

from collections.abc import Sequence

from textual.strip import Strip

from tui import format as show
from tui.widgets.canvas import Canvas, Cell, spread

_EIGHTHS = " ▁▂▃▄▅▆▇█"
AXIS = 5


def buckets(values: Sequence[float], columns: int) -> list[tuple[float, float]]:
    """``values`` in at most ``columns`` buckets of equal length, newest last, as (lowest, highest)."""
    if not values or columns <= 0:
        return []
    per = -(-len(values) // columns)
    start = len(values) % per
    groups = ([values[:start]] if start else []) + [values[i : i + per] for i in range(start, len(values), per)]
    return [(min(group), max(group)) for group in groups]


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

    def show(self, values: Sequence[float], note: str) -> None:
        """Draw ``values`` (one a second); ``note`` stands at the right end of the title."""
        self._values = values
        self._note = note
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width, height = self.size.width, self.size.height - 1
        if y == 0:
            return self.strip(spread([(f" {self._title}", "strong")], [(self._note + " ", "dim")], width), width)
        columns = max(1, width - AXIS - 2)
        pairs = buckets(self._values, columns)
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
        cells: list[Cell] = []
        for low, high in pairs:
            filled = high / top * height * 8 - row * 8
            eighths = max(0, min(8, round(filled)))
            if row == 0 and high > 0:
                eighths = max(1, eighths)
            solid = low / top * height * 8 - row * 8
            cells.append((_EIGHTHS[eighths], "bar" if solid >= eighths - 1 else "bar-low"))
        return cells
