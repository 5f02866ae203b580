"""One account: its timeline, and beside it the account as it stood at the place of the cursor."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import ClassVar

from textual.binding import BindingType
from textual.containers import Container
from textual.widget import Widget

from core.cases.timeline import Moment
from tui import keymap
from tui.ports import Unavailable
from tui.screens.accounts.blocking import ask_and_list
from tui.screens.accounts.port import Profile, Then
from tui.screens.accounts.rows import MOMENTS, heading, moment_cells, slider_line, step, then_lines
from tui.screens.base import ControlScreen
from tui.screens.kafka.rows import parse_start
from tui.terminal.sanitise import clean
from tui.widgets.feed import Feed
from tui.widgets.lines import Lines

EVERY_S = 1.0
EVENTS = 1_000
"""Of the account's newest; older ones are in the log, by stream."""


class AccountScreen(ControlScreen):
    """The timeline follows what happens; moving through it moves the slider into the past, ``G`` is now again."""

    AUTO_FOCUS = "#moments"
    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings("account")]
    title_name = "accounts"
    guide = (
        ("as it stood", "the account after the event under the cursor"),
        ("judged", "alerts that people confirmed as fraud, or dismissed"),
        ("▲ ●", "alerts on the line of time, and where you are"),
    )

    def __init__(self, account_id: str) -> None:
        super().__init__()
        self.account_id = account_id
        self._moments: Feed[Moment] = Feed(
            "timeline",
            MOMENTS,
            lambda moment: moment_cells(moment, self._now_ms),
            lambda moment: moment.position,
            limit=EVENTS,
            empty="reading the log",
            id="moments",
        )
        self._profile: Profile | None = None
        self._read = False
        self._then: Then | None = None
        self._wanted: int | None = None
        self._wake = asyncio.Event()

    @property
    def _now_ms(self) -> int:
        return int(self.live.ports.now() * 1000)

    @property
    def address(self) -> str:
        return f"account {self.account_id}"

    def body(self) -> Iterator[Widget]:
        yield Lines(id="heading")
        with Container(id="split"):
            yield self._moments
            yield Lines(focusable=True, id="then")
        yield Lines(id="slider")

    def on_mount(self) -> None:
        self.run_worker(self._keep_looking(), group="account")

    @property
    def _at(self) -> int | None:
        """The position that is looked at; None for now."""
        moment = self._moments.selected
        return None if self._moments.model.following or moment is None else moment.position

    def drain(self) -> None:
        self._moments.redraw()
        pane, now_ms = self.query_one("#heading", Lines), self._now_ms
        unknown = "no payments on record" if self._read else "reading the log"
        pane.show([heading(self.account_id, self._profile, now_ms, pane.size.width, unknown)])
        then = self.query_one("#then", Lines)
        then.show(then_lines(self._then, self._at is None, now_ms, then.size.width))
        slider = self.query_one("#slider", Lines)
        slider.show([slider_line(self._moments.model.rows(), self._at, now_ms, slider.size.width)])
        if self._at != self._wanted:
            self._wake.set()

    # ------------------------------------------------------------------------------------------ looking

    async def _keep_looking(self) -> None:
        """The timeline once a second, the account as it stood whenever the slider has come to rest."""
        while True:
            if self.is_current and not self.writer_behind:
                await self._look()
            self._wake.clear()
            try:
                async with asyncio.timeout(EVERY_S):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _look(self) -> None:
        port = self.live.ports.accounts
        try:
            self._profile = await port.profile(self.account_id)
            self._read = True
            moments = await port.timeline(self.account_id, EVENTS)
            self._moments.add(moments)
            self._moments.empty = "nothing is known of this account"
            self._wanted = self._at
            looked_at = self._wanted or (moments[-1].position if moments else None)
            if looked_at is not None and (self._then is None or looked_at != self._then.position):
                self._then = await port.as_of(self.account_id, looked_at)
            self._moments.note = ()
        except Unavailable as error:
            self._moments.note = [(f"{error} ", "bad")]
        self.tick()

    def on_feed_moved(self) -> None:
        self.tick()

    def on_feed_opened(self, event: Feed.Opened) -> None:
        event.stop()
        self.go(f"event {event.row.position}")

    # ------------------------------------------------------------------------------------------ the slider

    def _slide_to(self, position: int | None) -> None:
        if position is None:
            self._moments.model.follow()
        else:
            self._moments.model.select(position)
        self._moments.redraw()
        self.tick()

    def action_slide(self, direction: int) -> None:
        self._slide_to(step(self._moments.model.rows(), self._at, direction))

    def action_time(self) -> None:
        self.talk(self._ask_time(), "ask")

    async def _ask_time(self) -> None:
        question = "as it stood at: 14:02, 2026-07-20 14:02, a position of the log, or now"
        answer = await self.ask(question, check=self._no_time)
        if answer is None or not answer.strip():
            return
        if answer.strip() == "now":
            self._slide_to(None)
            return
        position = await self._position_of(answer.strip())
        moments = self._moments.model.rows()
        before = [moment.position for moment in moments if position is not None and moment.position <= position]
        if before:
            self._slide_to(before[-1])
        elif position is not None:
            self.say("nothing of the account was in the log by then")

    def _no_time(self, text: str) -> str:
        said = text.strip()
        if said in ("", "now") or said.replace(".", "").isdecimal():
            return ""
        start = parse_start(said, self._now_ms)
        return f"{clean(said, 40)} is no time" if start is None or start.kind != "time" else ""

    async def _position_of(self, text: str) -> int | None:
        if text.replace(".", "").isdecimal():
            return int(text.replace(".", ""))
        start = parse_start(text, self._now_ms)
        if start is None:
            return None
        try:
            return await self.live.ports.accounts.position_at(start.value)
        except Unavailable as error:
            self.say(str(error), "bad")
            return None

    # ------------------------------------------------------------------------------------------ acting

    def action_list(self, act: str) -> None:
        self.talk(self._list(act), "ask")

    async def _list(self, act: str) -> None:
        await ask_and_list(self, act, "account", self.account_id)
        self._wake.set()
