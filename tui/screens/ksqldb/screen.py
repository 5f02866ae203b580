"""The ksqlDB panel: editor, live push grids in tabs, errors in place, objects and running queries."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from tui import format as show
from tui import keymap
from tui.ports import SqlObject, SqlProblem, Unavailable, Vocabulary
from tui.screens.base import DRAIN_HZ, ControlScreen
from tui.screens.dialogs import TextPanel
from tui.screens.ksqldb import grid, lexer
from tui.screens.ksqldb.completion import begun, candidates
from tui.screens.ksqldb.editor import Editor
from tui.screens.ksqldb.objects import Objects
from tui.screens.ksqldb.result import sentence, table_lines
from tui.screens.ksqldb.tab import OFFSETS, Grid, Tab
from tui.terminal import clipboard
from tui.terminal.sanitise import wrap
from tui.widgets.canvas import Cell, Line
from tui.widgets.feed import Feed
from tui.widgets.lines import Lines

FIRST_STATEMENT = "SELECT * FROM TRANSACTIONS EMIT CHANGES;"
OBJECTS_EVERY_S = 3
PROBLEM_LINES = 6
TABS = 8
FILE_BYTES = 1 << 20
_STATES = {"live": ("● live", "good"), "running": ("… running", "accent"), "failed": ("✗ failed", "bad")}


class KsqlScreen(ControlScreen):
    AUTO_FOCUS = "#editor"
    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings("editor")]
    title_name = "ksqldb"
    guide = (
        ("● live 00:41", "a push query runs on the server, and how long"),
        ("dropped", "rows that came faster than the buffer of rows holds"),
        ("gap", "the server was away: rows of that time were not seen"),
        ("from", "where a query begins to read: latest or earliest"),
        ("≈ ▦ ▶ ▤", "stream, table, running query, topic"),
    )

    def __init__(self) -> None:
        super().__init__()
        self._tabs: list[Tab] = []
        self._at = 0
        self._made = 0
        self._ticks = 0
        self._recalled = 0
        self._draft = ""
        """What was being written when an earlier statement was brought back."""
        self._loading = False
        self._entries: Sequence[SqlObject] = ()
        self._words = Vocabulary()
        self._offered: tuple[str, list[str]] = ("", [])
        """The begun word that was completed, and what it may become, the shown one first."""

    def body(self) -> Iterator[Widget]:
        for text in self.center.session.editors[:TABS] or [FIRST_STATEMENT]:
            tab = self._make_tab(text)
            tab.grid.display = tab is self.tab
        self._recalled = len(self.center.session.statements)
        with Horizontal():
            with Vertical(id="left"):
                yield Lines(id="info")
                yield Editor(self.tab.text, id="editor")
                yield Lines(id="problem")
                yield from (tab.grid for tab in self._tabs)
            yield Objects()

    def _make_tab(self, text: str) -> Tab:
        self._made += 1
        tab = Tab(self._made, text, self.live.ports.ksql, self.live.ports.now)
        self._tabs.append(tab)
        return tab

    @property
    def tab(self) -> Tab:
        return self._tabs[self._at]

    @property
    def _editor(self) -> Editor:
        return self.query_one(Editor)

    # ------------------------------------------------------------------------------------------ drawing

    def drain(self) -> None:
        for tab in self._tabs:
            tab.drain()
        self._show_info()
        self._show_problem()
        if self._ticks % (DRAIN_HZ * OBJECTS_EVERY_S) == 0 and not self._loading:
            self._loading = True
            self.run_worker(self._load_objects(), group="objects")
        self._ticks += 1

    def _show_info(self) -> None:
        tab = self.tab
        runner = tab.runner
        runner.watch()
        text, style = _STATES.get(runner.state, (runner.state, "dim"))
        if runner.waiting:
            text, style = f"↻ the server is away for {show.age(runner.away_s)}", "warn"
        line: list[Cell] = []
        if len(self._tabs) > 1:
            for index, other in enumerate(self._tabs):
                mark = "●" if other.runner.state == "live" else ""
                line.append((f" {index + 1}{mark} ", "cursor" if other is tab else "dim"))
        line.append((f" {text}", style))
        if runner.columns:
            rate = [] if runner.waiting else [(f" {show.compact(round(runner.rate))} rows/s", "strong")]
            line += [
                (f" {show.stopwatch(runner.lifetime)}", "text"),
                *rate,
                (f" {show.compact(runner.total)} rows", "dim"),
                (f" dropped {show.compact(runner.dropped)}", "warn" if runner.dropped else "dim"),
            ]
            if runner.gaps:
                line.append((f" {show.counted(runner.gaps, 'gap')}, {show.age(runner.lost_s)}", "warn"))
        elif runner.state == "ended":
            line.append((f" {show.duration(runner.lifetime * 1000)}", "dim"))
        line.append((f" from {OFFSETS[tab.offset]}", "dim"))
        self.query_one("#info", Lines).show([line])

    def _show_problem(self) -> None:
        pane = self.query_one("#problem", Lines)
        problem = self.tab.runner.problem
        lines: list[Line] = []
        if problem is not None:
            lines = [[(f" {part}", "bad")] for part in wrap(sentence(problem), self._left_width, PROBLEM_LINES)]
        pane.display = bool(lines)
        pane.styles.height = len(lines)
        pane.show(lines)

    @property
    def _left_width(self) -> int:
        return max(20, self.query_one("#left").size.width - 2)

    async def _load_objects(self) -> None:
        objects = self.query_one(Objects)
        try:
            self._entries = await self.live.ports.ksql.objects()
            known = {entry.name for entry in self._entries if entry.kind in ("stream", "table")}
            if known != set(self._words.columns):
                self._words = await self.live.ports.ksql.vocabulary()
        except Unavailable as error:
            objects.empty = str(error)
            objects.replace([])
            return
        finally:
            self._loading = False
        objects.list_up(self._entries, self._words.columns)

    # ------------------------------------------------------------------------------------------ running

    def put(self, sql: str) -> None:
        """Other text for the editor, and the focus with it."""
        self._editor.text = sql
        self._editor.focus()

    def action_run(self) -> None:
        sql = self._editor.text
        if not lexer.statements(sql):
            self.say("there is no statement to run", "warn")
            return
        session = self.center.session
        session.ran(sql)
        self._recalled = len(session.statements) - 1
        self._start(self.tab, sql)

    def _start(self, tab: Tab, sql: str) -> None:
        self.run_worker(self._run(tab, sql), group=f"run {tab.number}", exclusive=True)

    async def _run(self, tab: Tab, sql: str) -> None:
        await tab.runner.start(sql, tab.properties)
        self.tick()
        await tab.runner.settled()
        self.tick()
        problem = tab.runner.problem
        if problem is not None and problem.line is not None and tab is self.tab and sql == self._editor.text:
            self._editor.mark(problem.line, problem.column or 1)
        self._ticks = 0

    def action_stop(self) -> None:
        if not self.tab.runner.busy:
            self.say("nothing is running; ctrl+q leaves stream guard")
            return
        self.run_worker(self._stop(self.tab), group=f"run {self.tab.number}", exclusive=True)

    async def _stop(self, tab: Tab) -> None:
        await tab.runner.stop()
        self._ticks = 0
        self.tick()

    def action_offset(self) -> None:
        self.tab.offset = 1 - self.tab.offset
        self.say(f"the next query reads from {OFFSETS[self.tab.offset]}")
        self.tick()

    def action_recall(self, step: int) -> None:
        earlier, text = self.center.session.statements, self._editor.text
        at = self._recalled
        if at >= len(earlier) or text != earlier[at]:
            self._draft, at = text, len(earlier)
        wanted = at + step
        if 0 <= wanted <= len(earlier):
            self._recalled = wanted
            self._editor.text = [*earlier, self._draft][wanted]

    def action_clear(self) -> None:
        self.put("")

    def action_explain(self) -> None:
        """What the server makes of the last statement of the editor; nothing of it runs."""
        statements = lexer.statements(self._editor.text)
        if not statements:
            self.say("there is no statement to explain", "warn")
            return
        self.look_at(statements[-1] if statements[-1].upper().startswith("EXPLAIN") else f"EXPLAIN {statements[-1]}")

    def look_at(self, sql: str) -> None:
        """Show the answer to a statement in a panel; what runs in the tabs goes on."""
        self.run_worker(self._look_at(sql), group="look", exclusive=True)

    async def _look_at(self, sql: str) -> None:
        try:
            result = await self.live.ports.ksql.run(sql, {})
        except (SqlProblem, Unavailable) as problem:
            self.say(sentence(problem) if isinstance(problem, SqlProblem) else str(problem), "bad")
            return
        if isinstance(result, Sequence):
            lines = [line for table in result for line in table_lines(table, self.size.width - 2)]
            self.app.push_screen(TextPanel(lines))
        else:
            await result.close()

    async def terminate(self, query_id: str) -> None:
        if await self.sure(f"end {query_id}: its table or stream stops moving") and await self.center.command(
            self.live.ports.ksql.terminate(query_id)
        ):
            await self._load_objects()

    # ------------------------------------------------------------------------------------------ tabs and files

    def action_new_tab(self) -> None:
        self._add_tab("")

    def _add_tab(self, text: str) -> Tab | None:
        if len(self._tabs) >= TABS:
            self.say(f"{TABS} tabs at most: X on the rows closes one", "warn")
            return None
        tab = self._make_tab(text)
        self.query_one("#left").mount(tab.grid)
        self._show_tab(len(self._tabs) - 1)
        return tab

    def _show_tab(self, index: int) -> None:
        self._at = index
        for tab in self._tabs:
            tab.grid.display = tab is self.tab
        self.put(self.tab.text)
        self.tick()

    def action_next_tab(self) -> None:
        if len(self._tabs) == 1:
            self.say("there is one tab: ctrl+t makes another")
            return
        self._show_tab((self._at + 1) % len(self._tabs))

    def run_in_new_tab(self, sql: str) -> None:
        tab = self._add_tab(sql)
        if tab is not None:
            self._start(tab, sql)

    def action_close_tab(self) -> None:
        if len(self._tabs) == 1:
            self.say("the last tab stays: ctrl+c ends its query")
            return
        self.run_worker(self._close_tab(self.tab), group="close")

    async def _close_tab(self, tab: Tab) -> None:
        await tab.runner.stop()
        self._tabs.remove(tab)
        self._at = len(self._tabs)
        self._show_tab(max(0, len(self._tabs) - 1))
        await tab.grid.remove()

    def action_save(self) -> None:
        self.talk(self._save(), "file")

    async def _save(self) -> None:
        answer = await self.ask(
            f"save as (in {self.center.files}, or a whole path)", value=f"query-{self.tab.number}.sql"
        )
        if not answer or not answer.strip():
            return
        path = self._path(answer)
        try:
            self.say(f"wrote {clipboard.save(self._editor.text, path.parent, path.name)}", "good")
        except OSError as error:
            self.say(f"{error.strerror}: cannot write {path}", "bad")

    def action_open_file(self) -> None:
        self.talk(self._open_file(), "file")

    async def _open_file(self) -> None:
        there = sorted(path.name for path in self.center.files.glob("*.sql"))[:8]
        answer = await self.ask(f"open {', '.join(there) or 'a file'}: a whole path, or a name in {self.center.files}")
        if not answer or not answer.strip():
            return
        path = self._path(answer)
        try:
            text = await asyncio.to_thread(_read, path)
        except OSError as error:
            self.say(f"{error.strerror}: cannot read {path}", "bad")
            return
        except ValueError as error:
            self.say(f"{error}: cannot read {path}", "bad")
            return
        if self._editor.text.strip() and self._editor.text != FIRST_STATEMENT:
            self._add_tab(text)
        else:
            self.put(text)

    def _path(self, answer: str) -> Path:
        return self.center.files / Path(answer.strip()).expanduser()

    # ------------------------------------------------------------------------------------------ completion

    def _before_cursor(self) -> str:
        return self._editor.get_text_range((0, 0), self._editor.cursor_location)

    def on_text_area_changed(self) -> None:
        self.tab.text = self._editor.text
        self.center.session.editors = [tab.text for tab in self._tabs]
        before = self._before_cursor()
        word, offered = self._offered
        if not (offered and begun(before) == offered[0]):
            self._offered = (begun(before), candidates(before, self.tab.text, self._words, self._entries))
            word, offered = self._offered
        self.tab.grid.note = [("tab ", "key"), ("  ".join(offered[:6]) + " ", "dim")] if word and offered else ()
        self.tab.grid.redraw()

    def action_complete(self) -> None:
        """Put the first candidate in the place of the begun word; pressed again, the next one. Else the next pane."""
        word, offered = self._offered
        before = self._before_cursor()
        now = begun(before)
        if offered and now == offered[0]:
            offered = [*offered[1:], offered[0]]
        elif now != word:
            word, offered = now, candidates(before, self._editor.text, self._words, self._entries)
        if not now or not offered or offered[0] == now:
            self.focus_next()
            return
        self._offered = (word, offered)
        row, column = self._editor.cursor_location
        self._editor.replace(offered[0], (row, column - len(now)), (row, column))

    # ------------------------------------------------------------------------------------------ a record

    def on_feed_opened(self, event: Feed.Opened) -> None:
        """Enter on a row: the record standing up, one line per column."""
        event.stop()
        if not isinstance(event.feed, Grid):
            return
        names = event.feed.names
        width = max((len(name) for name in names), default=0)
        lines: list[Line] = [[(" record", "title")]]
        for name, value in zip(names, event.row[1], strict=False):
            for index, part in enumerate(wrap(grid.text(value), max(20, self.size.width - width - 6))):
                lines.append([(f"   {name if index == 0 else '':<{width}}  ", "dim"), (part, "text")])
        self.app.push_screen(TextPanel(lines))

    async def on_unmount(self) -> None:
        await asyncio.gather(*(tab.runner.stop() for tab in self._tabs))


def _read(path: Path) -> str:
    if path.stat().st_size > FILE_BYTES:
        raise ValueError("it is larger than a megabyte")
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8 text") from None
