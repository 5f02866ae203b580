"""A tab of the panel: its statements, what runs, and the rows that came."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import BindingType

from tui import format as show
from tui import keymap
from tui.ports import KsqlPort
from tui.screens.ksqldb import grid
from tui.screens.ksqldb.runner import Row, Runner
from tui.widgets.canvas import Cell, Line
from tui.widgets.feed import Feed

GRID_ROWS = 5_000
OFFSETS = ("latest", "earliest")


class Grid(Feed[Row]):
    """Rows of a query; exports values as they came, not as they are shown."""

    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings("grid")]

    def __init__(self, id: str) -> None:
        super().__init__(
            "rows",
            (),
            self._row_cells,
            lambda row: row[0],
            limit=GRID_ROWS,
            empty="ctrl+r runs the statement",
            id=id,
        )
        self.names: Sequence[str] = ()

    def _row_cells(self, row: Row) -> Sequence[Cell]:
        return grid.cells_for(row[1], len(self.names))

    def begin(self, names: Sequence[str], types: Sequence[str], sample: Sequence[Sequence[object]]) -> None:
        """Other columns, and no rows."""
        self.names = names
        self.set_columns(grid.columns_for(names, types, sample))

    def beside_title(self, width: int) -> Line:
        """How many columns find no place: a record opened has them all."""
        hidden = self._widths(width).count(0)
        return [(f"+{show.counted(hidden, 'column')}, enter shows all ", "dim")] if hidden else []

    def _values(self) -> list[Sequence[object]]:
        return [values for _, values in self.model.rows()]

    def action_export(self) -> None:
        out = io.StringIO()
        writer = csv.writer(out)
        writer.writerow(self.names)
        for values in self._values():
            writer.writerow(["" if v is None else grid.text(v) for v in values])
        self.post_message(self.CopyWanted(out.getvalue(), "rows.csv"))

    def action_export_json(self) -> None:
        """One object a line; values that JSON does not have are written as text."""
        lines = (
            json.dumps(dict(zip(self.names, values, strict=False)), ensure_ascii=False, default=str)
            for values in self._values()
        )
        self.post_message(self.CopyWanted("\n".join([*lines, ""]), "rows.jsonl"))


class Tab:
    """``drain`` moves rows from the runner to the grid; ``offset`` indexes ``OFFSETS``."""

    def __init__(self, number: int, text: str, port: KsqlPort, clock: Callable[[], float]) -> None:
        self.number = number
        self.text = text
        self.offset = 0
        self.runner = Runner(port, clock)
        self.grid = Grid(f"grid-{number}")
        self._generation = 0
        self._sized = False

    @property
    def properties(self) -> dict[str, str]:
        return {"auto.offset.reset": OFFSETS[self.offset]}

    def drain(self) -> None:
        runner = self.runner
        if self._generation != runner.generation:
            self._generation = runner.generation
            self._begin()
        rows = runner.take()
        if rows:
            if not self._sized:
                self._sized = True
                self.grid.begin(runner.columns, runner.types, [values for _, values in rows[:50]])
            self.grid.add(rows)
            self.grid.redraw()

    def _begin(self) -> None:
        runner, pane = self.runner, self.grid
        self._sized = False
        pane.title_text = "rows"
        pane.empty = "no rows yet" if runner.busy else "no rows"
        pane.begin(runner.columns, runner.types, ())
        if runner.tables:
            table = runner.tables[-1]
            pane.title_text = table.title or "result"
            pane.begin(table.columns, (), table.rows[:50])
            pane.add(list(enumerate(table.rows)))
            pane.model.top()
            pane.redraw()
