"""Health: what runs and since when, its logs, and how well this control center itself keeps up."""

from __future__ import annotations

import string
from collections.abc import Awaitable, Iterator
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget

from tui import format as show
from tui import keymap
from tui.ports import Unavailable, Verdict
from tui.screens.base import DRAIN_HZ, ControlScreen
from tui.screens.dialogs import Choice, MenuPanel, TextPanel
from tui.screens.health.port import CrashReport, LogLine
from tui.screens.health.rows import (
    LOG,
    PARTS,
    Part,
    log_cells,
    loop_line,
    part_cells,
    parts,
    split_line,
    stall_lines,
)
from tui.terminal.sanitise import wrap
from tui.widgets.canvas import Line
from tui.widgets.feed import Feed
from tui.widgets.lines import Lines

LINES_KEPT = 5_000
_LETTERS = string.digits + string.ascii_lowercase.replace("q", "")


class HealthScreen(ControlScreen):
    AUTO_FOCUS = "#parts"
    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings("health")]
    title_name = "health"
    guide = (("loop", "how often and how long this screen's program was late"),)

    def __init__(self) -> None:
        super().__init__()
        self._parts: Feed[Part] = Feed(
            "services and worker tasks",
            PARTS,
            part_cells,
            lambda row: (row.kind, row.where if row.kind == "task" else "", row.name),
            live=False,
            empty="nothing is known to run",
            id="parts",
        )
        self._log: Feed[LogLine] = Feed(
            "log", LOG, log_cells, lambda line: line.at, limit=LINES_KEPT, empty="no lines yet", heads=False, id="log"
        )
        self._file = ""
        self._position: int | None = None
        self._crashes: list[CrashReport] | None = None
        self._reading = False
        self._ticks = 0

    def body(self) -> Iterator[Widget]:
        yield self._parts
        yield Lines(id="loop")
        yield self._log

    def drain(self) -> None:
        live = self.live
        now_ms = int(live.ports.now() * 1000)
        if not self._reading:
            self._reading = True
            self.run_worker(self._read(), group="log")
        self._log.redraw()
        if self._ticks % DRAIN_HZ == 0:
            rows = parts(list(live.services.values()), live.workers.value, now_ms)
            self._parts.styles.height = max(4, len(rows) + 2)
            self._parts.replace(rows)
            stalls = live.ports.watchdog.stalls()
            loop = loop_line(stalls, self._crashes, now_ms, len(live.ports.workers.hosted()))
            self.query_one("#loop", Lines).show([loop])
        self._ticks += 1

    def on_screen_resume(self) -> None:
        self._ticks = 0

    async def _read(self) -> None:
        logs = self.live.ports.logs
        try:
            if not self._file:
                names = [file.name for file in await logs.files()]
                self._file = "worker.log" if "worker.log" in names else names[0] if names else ""
            if self._crashes is None or self._ticks % (5 * DRAIN_HZ) == 0:
                self._crashes = list(await logs.crashes())
            if self._file:
                chunk = await logs.read(self._file, self._position)
                self._position = chunk.position
                self._log.add([line for line in chunk.lines if line.file == self._file])
                skipped = f"{show.number(chunk.skipped)} bytes skipped " if chunk.skipped else ""
                self._log.note = [(skipped, "warn")] if skipped else self._log.note
            self._log.title_text = f"log {self._file}"
        except Unavailable as error:
            self._log.title_text = f"log {self._file}: {error}"
        finally:
            self._reading = False

    # ------------------------------------------------------------------------------------------ what is opened

    def on_feed_opened(self, event: Feed.Opened) -> None:
        event.stop()
        row = event.row
        if isinstance(row, LogLine):
            clock, level, text = split_line(row.text)
            self._panel(f"{row.file}  {clock} {level}", text)
        elif isinstance(row, Part):
            seen = "" if row.seen is None else f"\nlast heard of at {show.clock(row.seen)}"
            since = "" if row.since is None else f"\nup since {show.day_clock(row.since, row.now_ms)}"
            self._panel(f"{row.name}  {row.state}", f"{row.detail}\nat {row.where or show.UNKNOWN}{since}{seen}")

    def _panel(self, title: str, text: str) -> None:
        lines: list[Line] = [[(f" {title}", "title")]]
        lines += [[("   ", "text"), (part, "text")] for part in wrap(text, max(20, self.size.width - 5), 400)]
        self.app.push_screen(TextPanel(lines))

    def action_stalls(self) -> None:
        now_ms = int(self.live.ports.now() * 1000)
        self.app.push_screen(TextPanel(stall_lines(self.live.ports.watchdog.stalls(), now_ms)))

    def action_log_file(self) -> None:
        self.run_worker(self._choose_file(), group="choose", exclusive=True)

    async def _choose_file(self) -> None:
        try:
            files = await self.live.ports.logs.files()
        except Unavailable as error:
            self.say(str(error), "bad")
            return
        now_ms = int(self.live.ports.now() * 1000)
        choices = [
            Choice(key, file.name, f"{show.number(file.size)} bytes, {show.age((now_ms - file.changed_at) / 1000)} ago")
            for key, file in zip(_LETTERS[1:], files, strict=False)
        ]
        self.app.push_screen(MenuPanel("log file", choices), self._show_file)

    def _show_file(self, name: str | None) -> None:
        if name is not None:
            self._file, self._position = name, None
            self._log.model.clear()
            self._log.note = ()
            self._log.title_text = f"log {name}"
            self._log.focus()

    def action_crashes(self) -> None:
        self.run_worker(self._choose_crash(), group="choose", exclusive=True)

    async def _choose_crash(self) -> None:
        try:
            reports = await self.live.ports.logs.crashes()
        except Unavailable as error:
            self.say(str(error), "bad")
            return
        if not reports:
            self.say("no crash reports: this control center has not failed", "good")
            return
        choices = [Choice(key, report.name, report.summary) for key, report in zip(_LETTERS[1:], reports, strict=False)]
        self.app.push_screen(MenuPanel("crash reports, newest first", choices), self._show_crash)

    def _show_crash(self, name: str | None) -> None:
        if name is not None:
            self.run_worker(self._load_crash(name), group="choose", exclusive=True)

    async def _load_crash(self, name: str) -> None:
        try:
            self._panel(name, await self.live.ports.logs.crash(name))
        except Unavailable as error:
            self.say(str(error), "bad")

    # ------------------------------------------------------------------------------------------ workers

    def action_restart(self) -> None:
        row = self._parts.selected
        if row is None or row.kind != "task" or row.pid is None:
            self.say("put the cursor on a task of a worker; the stack restarts services by itself")
            return
        self.talk(self._restart(row.pid), "workers")

    async def _restart(self, pid: int) -> None:
        if await self.sure(f"restart worker process {pid}: batches are finished first"):
            await self._do(self.live.ports.workers.restart(pid))

    def action_scale(self, step: int) -> None:
        count = len(self.live.ports.workers.hosted()) + step
        if count == 0:
            self.talk(self._scale(count), "workers")
        else:
            self.run_worker(self._scale(count), group="workers", exclusive=True)

    async def _scale(self, count: int) -> None:
        if count == 0 and not await self.sure("stop the last worker hosted here: it detects nothing then"):
            return
        if count < 0:
            self.say("no worker process is hosted here")
            return
        await self._do(self.live.ports.workers.scale(count))

    async def _do(self, command: Awaitable[Verdict]) -> None:
        self.say("working on it: batches in hand are finished first")
        await self.center.command(command)
