"""The event log: its tail, where projections stand, how far it is sealed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widget import Widget

from tui import format as show
from tui import keymap
from tui.ports import Done, Unavailable, Verdict
from tui.screens.base import DRAIN_HZ, ControlScreen
from tui.screens.eventlog.event import EventScreen
from tui.screens.eventlog.port import Entry, OnNote, Seals, Selection, Standing
from tui.screens.eventlog.rows import (
    EVENTS,
    STANDINGS,
    Listed,
    event_cells,
    event_lines,
    seal_line,
    standing_cells,
)
from tui.widgets.canvas import Cell
from tui.widgets.feed import Feed
from tui.widgets.lines import Lines

FIRST = 500
BATCH = 1_000
TOO_FAR = 5_000
"""Positions behind the head after which the tail jumps to the end, and says what it passed over."""
KEPT = 5_000
SLOW_TICKS = 2 * DRAIN_HZ


class Standings(Feed[Listed]):
    """Projections; its keys work on the selected one."""

    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings("projections")]

    @property
    def _owner(self) -> EventLogScreen:
        screen = self.screen
        assert isinstance(screen, EventLogScreen)
        return screen

    def action_work(self, what: str) -> None:
        row = self.selected
        if row is not None:
            self._owner.start_work(what, row.standing)


class EventLogScreen(ControlScreen):
    AUTO_FOCUS = "#events"
    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings("eventlog")]
    title_name = "eventlog"
    guide = (
        ("seals", "stretches of the log under a chain of hashes; V checks it"),
        ("witnessed", "the newest seal that is also kept outside of the log"),
    )

    def __init__(self) -> None:
        super().__init__()
        self._events: Feed[Entry] = Feed(
            "events", EVENTS, event_cells, lambda entry: entry.position, limit=KEPT, id="events"
        )
        self._standings = Standings(
            "projections",
            STANDINGS,
            standing_cells,
            lambda row: (row.standing.name, row.standing.generation),
            live=False,
            empty="not known yet",
            id="standings",
        )
        self._selection = Selection()
        self._position: int | None = None
        self._polling = False
        self._skipped = 0
        self._notes: dict[str, Cell] = {}
        self._seal_note: Cell = ("", "dim")
        self._seals: Seals | None = None
        self._problem = ""
        self._ticks = 0

    def body(self) -> Iterator[Widget]:
        with Horizontal(id="split"):
            yield self._events
            yield Lines(id="preview")
        yield self._standings
        yield Lines(id="seals")

    def drain(self) -> None:
        if not self._polling:
            self._polling = True
            self.run_worker(self._poll(), group="events")
        chosen = self._selection.text()
        self._events.title_text = f"events, {chosen}" if chosen else "events"
        skipped: list[Cell] = [(f"{show.number(self._skipped)} passed over ", "warn")] if self._skipped else []
        self._events.note = [(f"{self._problem} ", "bad")] if self._problem else skipped
        self._events.redraw()
        now_ms = int(self.live.ports.now() * 1000)
        self.query_one("#seals", Lines).show([seal_line(self._seals, self._seal_note, now_ms)])
        self._preview()
        self._ticks += 1

    def on_screen_resume(self) -> None:
        self._ticks = 0

    def _preview(self) -> None:
        pane = self.query_one("#preview", Lines)
        entry = self._events.selected
        if pane.display:
            pane.show([] if entry is None else event_lines(entry, pane.size.width - 1))

    def on_feed_moved(self) -> None:
        self._preview()

    def on_feed_opened(self, event: Feed.Opened) -> None:
        event.stop()
        if isinstance(event.row, Entry):
            self.app.push_screen(EventScreen(event.row))

    # ------------------------------------------------------------------------------------------ what is drawn

    async def _poll(self) -> None:
        log = self.live.ports.eventlog
        selection = self._selection
        try:
            if self._ticks % SLOW_TICKS <= 1:
                self._show_standings(await log.standings())
                self._seals = await log.seals()
            if self._position is None:
                tail = await log.newest(selection, FIRST)
            else:
                tail = await log.after(self._position, selection, BATCH)
                if tail.head - tail.position > TOO_FAR:
                    behind = tail.position
                    tail = await log.newest(selection, FIRST)
                    first = tail.entries[0].position if tail.entries else tail.head
                    self._skipped += max(0, first - behind - 1)
            if selection == self._selection:  # else it was changed meanwhile, and these are not wanted any more
                self._events.add(tail.entries)
                self._position = tail.position
            self._problem = ""
        except Unavailable as error:
            self._problem = str(error)
        finally:
            self._polling = False

    def _show_standings(self, standings: Sequence[Standing]) -> None:
        rows = []
        for standing in standings:
            note, style = self._notes.get(standing.name, ("", "dim"))
            rows.append(Listed(standing, note, style))
        self._standings.styles.height = min(8, max(3, len(rows) + 2))
        self._standings.replace(rows)

    # ------------------------------------------------------------------------------------------ which events

    def action_streams(self) -> None:
        self.talk(self._ask_streams(), "choose")

    async def _ask_streams(self) -> None:
        answer = await self.ask(
            "streams that begin with (alert- case- account- scenario- rule- …; empty = all)",
            value=self._selection.prefix,
        )
        if answer is not None:
            self._select(Selection(answer.strip(), self._selection.types))

    def action_types(self) -> None:
        self.talk(self._ask_types(), "choose")

    async def _ask_types(self) -> None:
        question = "event types, a blank between (AlertRaised CaseConfirmed …; empty = all)"
        answer = await self.ask(question, value=" ".join(self._selection.types))
        if answer is not None:
            self._select(Selection(self._selection.prefix, tuple(answer.split())))

    def _select(self, selection: Selection) -> None:
        self._selection, self._position, self._skipped = selection, None, 0
        self._events.model.clear()
        self._events.empty = "none of these in the last 200.000 events" if selection.text() else "nothing yet"
        self.tick()

    def step_back(self) -> bool:
        if super().step_back():
            return True
        if self._selection != Selection():
            self._select(Selection())
            return True
        return False

    # ------------------------------------------------------------------------------------------ long work

    def start_work(self, what: str, standing: Standing) -> None:
        group = f"work {standing.name}"
        if what == "rebuild" or (what == "skip" and standing.failed_position is not None):
            self.talk(self._work(what, standing), group)
        else:
            self.run_worker(self._work(what, standing), group=group, exclusive=True)

    async def _work(self, what: str, standing: Standing) -> None:
        log, name = self.live.ports.eventlog, standing.name
        if what == "prove":
            await self._run(name, lambda told: log.prove(name, told))
        elif what == "rebuild":
            if await self.sure(f"rebuild {name} from {show.number(standing.position)} events"):
                await self._run(name, lambda told: log.rebuild(name, told))
        elif standing.failed_position is None:
            self.say(f"{name} is not parked: nothing to {what}")
        elif what == "retry":
            await self._run(name, lambda told: log.retry(name))
        else:
            event = f"position {show.number(standing.failed_position)}"
            reason = await self.ask(f"skip {event}: {name} then differs from the log. Reason (empty = no)", danger=True)
            if reason and reason.strip():
                await self._run(name, lambda told: log.skip(name, reason.strip()))
            else:
                self.say("nothing done")

    async def _run(self, name: str, work: Callable[[OnNote], Awaitable[Verdict]]) -> None:
        """Show how far the work is beside its projection, and then what came of it."""

        def told(note: str) -> None:
            self._notes[name] = (note.removeprefix(f"{name}: "), "accent")

        told("starting")
        try:
            verdict = await work(told)
        except Unavailable as error:
            self._notes[name] = (str(error), "bad")
            self.say(str(error), "bad")
            return
        style = "good" if isinstance(verdict, Done) else "bad"
        self._notes[name] = (verdict.text.removeprefix(f"{name}: "), style)
        self.tell(verdict)

    def action_verify(self) -> None:
        if self._seal_note[1] == "accent":
            self.say("the log is being verified already")
            return
        self.run_worker(self._verify(), group="verify")

    async def _verify(self) -> None:
        def told(note: str) -> None:
            self._seal_note = (note, "accent")

        told("verifying")
        try:
            verdict = await self.live.ports.eventlog.verify(told)
        except Unavailable as error:
            self._seal_note = (str(error), "bad")
            return
        self._seal_note = (verdict.text, "good" if isinstance(verdict, Done) else "bad")
        self.tell(verdict)
