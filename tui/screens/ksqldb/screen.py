"""The ksqlDB panel: editor, live push grid, errors in place, objects and running queries."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from tui import format as show
from tui import keymap
from tui.ports import SqlObject, Unavailable
from tui.screens.base import DRAIN_HZ, ControlScreen
from tui.screens.dialogs import TextPanel
from tui.screens.ksqldb import grid, lexer
from tui.screens.ksqldb.editor import Editor
from tui.screens.ksqldb.objects import Objects
from tui.screens.ksqldb.runner import Row, Runner
from tui.terminal.sanitise import wrap
from tui.widgets.canvas import Cell, Line
from tui.widgets.feed import Feed
from tui.widgets.lines import Lines

FIRST_STATEMENT = "SELECT * FROM TRANSACTIONS EMIT CHANGES;"
GRID_ROWS = 5_000
OBJECTS_EVERY_S = 3
PROBLEM_LINES = 6
OFFSETS = ("latest", "earliest")
_STATES = {"live": ("● live", "good"), "running": ("… running", "accent"), "failed": ("✗ failed", "bad")}


class KsqlScreen(ControlScreen):
    AUTO_FOCUS = "#editor"
    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings("editor")]
    title_name = "ksqldb"

    def __init__(self) -> None:
        super().__init__()
        self._grid: Feed[Row] = Feed(
            "rows",
            (),
            self._cells,
            lambda row: row[0],
            limit=GRID_ROWS,
            empty="ctrl+r runs the statement",
            id="grid",
        )
        self._runner: Runner | None = None
        self._generation = 0
        self._column_count = 0
        self._sized = False
        self._from = 0
        self._ticks = 0
        self._history: list[str] = []
        self._recalled = 0

    def _cells(self, row: Row) -> Sequence[Cell]:
        return grid.cells_for(row[1], self._column_count)

    def body(self) -> Iterator[Widget]:
        with Horizontal():
            with Vertical(id="left"):
                yield Lines(id="info")
                yield Editor(FIRST_STATEMENT, id="editor")
                yield Lines(id="problem")
                yield self._grid
            yield Objects()

    @property
    def runner(self) -> Runner:
        if self._runner is None:
            self._runner = Runner(self.live.ports.ksql, self.live.ports.now)
        return self._runner

    # ------------------------------------------------------------------------------------------ drawing

    def drain(self) -> None:
        runner = self.runner
        if self._generation != runner.generation:
            self._generation = runner.generation
            self._begin_grid()
        rows = runner.take()
        if rows:
            if not self._sized:
                self._fit_columns([values for _, values in rows[:50]])
            self._grid.add(rows)
            self._grid.redraw()
        self._show_info()
        self._show_problem()
        if self._ticks % (DRAIN_HZ * OBJECTS_EVERY_S) == 0:
            self.run_worker(self._load_objects(), group="objects", exclusive=True)
        self._ticks += 1

    def _begin_grid(self) -> None:
        runner = self.runner
        self._sized = False
        self._column_count = len(runner.columns)
        self._grid.set_columns(grid.columns_for(runner.columns, runner.types, ()))
        self._grid.title_text = "rows"
        self._grid.empty = "no rows yet" if runner.busy else "no rows"
        if runner.tables:
            table = runner.tables[-1]
            self._grid.title_text = table.title or "result"
            self._column_count = len(table.columns)
            self._grid.set_columns(grid.columns_for(table.columns, (), table.rows[:50]))
            self._grid.add(list(enumerate(table.rows)))
            self._grid.model.top()
            self._grid.redraw()

    def _fit_columns(self, sample: Sequence[Sequence[object]]) -> None:
        self._sized = True
        self._grid.set_columns(grid.columns_for(self.runner.columns, self.runner.types, sample))

    def _show_info(self) -> None:
        runner = self.runner
        text, style = _STATES.get(runner.state, (runner.state, "dim"))
        line: list[Cell] = [(f" {text} ", style)]
        if runner.columns:
            line += [
                (f" {show.stopwatch(runner.lifetime)}", "text"),
                (f"  {show.number(runner.rate)} rows/s", "strong"),
                (f"  {show.number(runner.total)} rows", "dim"),
                (f"  dropped {show.number(runner.dropped)}", "warn" if runner.dropped else "dim"),
            ]
        elif runner.state == "ended":
            line.append((f" {show.duration(runner.lifetime * 1000)}", "dim"))
        line.append((f"  from {OFFSETS[self._from]}", "dim"))
        self.query_one("#info", Lines).show([line])

    def _show_problem(self) -> None:
        pane = self.query_one("#problem", Lines)
        problem = self.runner.problem
        lines: list[Line] = []
        if problem is not None:
            place = "" if problem.line is None else f"line {problem.line}:{problem.column or 1}"
            message = problem.message if problem.message.startswith(place) else f"{place}: {problem.message}"
            width = max(20, self.query_one("#left").size.width - 2)
            lines = [[(f" {part}", "bad")] for part in wrap(message, width, PROBLEM_LINES)]
        pane.display = bool(lines)
        pane.styles.height = len(lines)
        pane.show(lines)

    async def _load_objects(self) -> None:
        objects = self.query_one(Objects)
        try:
            entries: Sequence[SqlObject] = await self.live.ports.ksql.objects()
        except Unavailable as error:
            objects.empty = str(error)
            objects.replace([])
            return
        objects.list_up(entries)

    # ------------------------------------------------------------------------------------------ actions

    def run_sql(self, sql: str) -> None:
        """Run statements without touching the editor's text."""
        self.run_worker(self._run(sql), group="run", exclusive=True)

    def put(self, sql: str) -> None:
        """Other text for the editor, and the focus with it."""
        editor = self.query_one(Editor)
        editor.text = sql
        editor.focus()

    def action_run(self) -> None:
        sql = self.query_one(Editor).text
        if not lexer.statements(sql):
            self.say("there is no statement to run", "warn")
            return
        if not self._history or self._history[-1] != sql:
            self._history.append(sql)
        self._recalled = len(self._history) - 1
        self.run_sql(sql)

    async def _run(self, sql: str) -> None:
        await self.runner.start(sql, {"auto.offset.reset": OFFSETS[self._from]})
        self.tick()
        await self.runner.settled()
        self.tick()
        problem = self.runner.problem
        if problem is not None and problem.line is not None and sql == self.query_one(Editor).text:
            self.query_one(Editor).mark(problem.line, problem.column or 1)
        self._ticks = 0

    def action_stop(self) -> None:
        if not self.runner.busy:
            self.say("nothing is running; ctrl+q leaves stream guard")
            return
        self.run_worker(self._stop(), group="run", exclusive=True)

    async def _stop(self) -> None:
        await self.runner.stop()
        self._ticks = 0
        self.tick()

    def action_offset(self) -> None:
        self._from = 1 - self._from
        self.say(f"the next query reads from {OFFSETS[self._from]}")
        self.tick()

    def action_recall(self, step: int) -> None:
        wanted = self._recalled + step
        if 0 <= wanted < len(self._history):
            self._recalled = wanted
            self.query_one(Editor).text = self._history[wanted]

    def action_clear(self) -> None:
        self.put("")

    async def terminate(self, query_id: str) -> None:
        answer = await self.ask(f"end {query_id}: its table or stream stops moving. Type yes (enter = no)", danger=True)
        if (answer or "").strip().casefold() != "yes":
            self.say("nothing done")
            return
        if await self.center.command(self.live.ports.ksql.terminate(query_id)):
            await self._load_objects()

    def on_feed_opened(self, event: Feed.Opened) -> None:
        """Enter on a row: the record standing up, one line per column."""
        event.stop()
        if event.feed is not self._grid:
            return
        _, values = event.row
        names = self.runner.columns or (self.runner.tables[-1].columns if self.runner.tables else ())
        width = max((len(name) for name in names), default=0)
        lines: list[Line] = [[(" record", "title")]]
        for name, value in zip(names, values, strict=False):
            text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else grid.text(value)
            for index, part in enumerate(wrap(text, max(20, self.size.width - width - 6))):
                lines.append([(f"   {name if index == 0 else '':<{width}}  ", "dim"), (part, "text")])
        self.app.push_screen(TextPanel(lines))

    async def on_unmount(self) -> None:
        if self._runner is not None:
            await self._runner.stop()
