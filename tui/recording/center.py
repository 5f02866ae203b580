"""The control center on a recording: it follows the screens that were shown, until the viewer chooses one."""

from __future__ import annotations

import re
import time
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import msgspec
from textual import events
from textual.binding import BindingType
from textual.widgets import Input

from tui import commands, keymap
from tui import format as show
from tui.app import ControlCenter
from tui.live import Live
from tui.recording.played import played_ports
from tui.recording.player import Clock, Recording
from tui.recording.view import View
from tui.recording.view import show as show_view
from tui.screens import catalogue
from tui.screens.base import ControlScreen
from tui.terminal.pacing import PacedScreen

JUMP_MS = 10_000
FOLLOW_S = 0.25


class ReplayCenter(ControlCenter):
    """``real`` gives the seconds that pass outside; a test's stand still."""

    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings("replay")]

    def __init__(self, recording: Recording, files: Path, *, real: Any = time.monotonic, **options: Any) -> None:
        self.clock = Clock(recording.first, recording.last, real)
        self.recording = recording
        self._follows = True
        self._followed: str | None = None
        """Where following has led; None when it has not begun since the last seek."""
        self._leading = False
        """Following goes somewhere now."""
        self._missing: set[str] = set()
        """What was shown and cannot be: its answers are not in the recording."""
        self.seeking = False
        super().__init__(played_ports(recording, self.clock, self._mode, "replay"), files, **options)

    def _mode(self) -> str:
        state = "paused" if self.clock.paused else "ended" if self.clock.ended else f"{self.clock.speed:g}x"
        return f"REPLAY {show.clock(self.clock.now_ms())} {state}, {'following' if self._follows else 'you steer'}"

    def on_mount(self) -> None:
        self.set_interval(FOLLOW_S, self._follow, name="follow")

    async def _follow(self) -> None:
        """Show what was shown then, details and all, until the viewer goes elsewhere."""
        if not self._follows or self.seeking or not self.live.ready or self.current_mode not in keymap.SCREENS:
            return
        if not isinstance(self.screen, ControlScreen) or isinstance(self.focused, Input):
            return  # the viewer reads a panel, or types
        if self._followed not in (None, self.place):
            self._steer()
            return
        wanted = self.recording.track("screen").newest(self.clock.now_ms(), str)
        if wanted is not None and wanted.partition("\n")[0] in keymap.SCREENS:
            self._leading = True
            try:
                await self._show(wanted)
            finally:
                self._leading = False
        self._followed = self.place
        if self.place == wanted and isinstance(self.screen, ControlScreen):
            key = msgspec.msgpack.encode(wanted)
            if (view := self.recording.track("view", key).newest(self.clock.now_ms(), View)) is not None:
                show_view(self.screen, view)

    def _steer(self) -> None:
        if self._follows:
            self._follows = False
            self.say("no longer following: & shows again what was shown")

    async def on_event(self, event: events.Event) -> None:
        """The first key that is not the replay's own takes over."""
        if isinstance(event, events.Key) and not isinstance(self.focused, Input):
            active = self.screen.active_bindings.get(event.key)
            if active is None or not (active.binding.id or "").startswith("replay."):
                self._steer()
        await super().on_event(event)

    async def action_show(self, name: str) -> None:
        self._follows = self._follows and self._leading
        await super().action_show(name)

    async def _show(self, wanted: str) -> None:
        """Go to a place: its screen, then what stood over it, as far as the recording holds it."""
        name, *over = wanted.split("\n")
        if name != self.current_mode:
            await self.action_show(name)
        shown = self.place.split("\n")[1:]
        same = next(
            (i for i, (a, b) in enumerate(zip(shown, over, strict=False)) if a != b), min(len(shown), len(over))
        )
        for _ in shown[same:]:
            await self.pop_screen()
        for line in over[same:]:
            if line in self._missing:
                return
            await commands.run(self, line)
            if line not in self.place.split("\n"):
                self._missing.add(line)
                return

    # ------------------------------------------------------------------------------------------ keys

    def action_replay_pause(self) -> None:
        self.clock.pause(not self.clock.paused)

    def action_replay_speed(self, direction: int) -> None:
        self.clock.hurry(direction)

    async def action_replay_jump(self, direction: int) -> None:
        await self.seek(self.clock.now_ms() + direction * JUMP_MS)

    def action_replay_follow(self) -> None:
        self._follows, self._followed = True, None
        self._missing.clear()
        self.say("following what was shown")

    def action_replay_seek(self) -> None:
        if isinstance(self.screen, ControlScreen):
            self.screen.talk(self._ask_place(self.screen), "ask")

    async def _ask_place(self, screen: ControlScreen) -> None:
        first, last = show.clock(self.clock.first), show.clock(self.clock.last)
        answer = await screen.ask(f"go to: a time from {first} to {last}, +30s, -2m, 50% (esc = stay)")
        if answer is None or not answer.strip():
            return
        at = place(answer.strip(), self.clock)
        if at is None:
            self.say(f"{answer!r} is no place in the recording", "warn")
            return
        self.call_later(self.seek, at)

    async def seek(self, at: int) -> None:
        """Go to a time: every screen begins anew there, and the one that is shown stays."""
        if self.seeking:
            return
        self.seeking = True
        try:
            self.clock.seek(at)
            shown = self.current_mode
            self._followed = None
            self._missing.clear()
            await self.live.stop()
            self.live = Live(self.ports)
            self.add_mode("replay", PacedScreen)
            await self.switch_mode("replay")
            for name in catalogue.CLASSES:
                await self.remove_mode(name)
                self.add_mode(name, partial(catalogue.make, name))
            await self.ports.stack.open(self.stack_changed)
            self.live.start()
            await self.switch_mode(shown if shown in keymap.SCREENS else "overview")
            await self.remove_mode("replay")
        finally:
            self.seeking = False


_UNITS = {"s": 1_000, "m": 60_000, "h": 3_600_000}


def place(text: str, clock: Clock) -> int | None:
    """``14:02``, ``14:02:11`` (of the recording's day), ``+30s``, ``-2m``, ``50%``; None when it is none of these."""
    if found := re.fullmatch(r"([+-])(\d{1,6})([smh])", text):
        step = int(found[2]) * _UNITS[found[3]]
        return clock.now_ms() + (step if found[1] == "+" else -step)
    if found := re.fullmatch(r"(\d{1,3})%", text):
        return clock.first + (clock.last - clock.first) * min(100, int(found[1])) // 100
    if found := re.fullmatch(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", text):
        day = datetime.fromtimestamp(clock.first / 1000)
        try:
            when = day.replace(hour=int(found[1]), minute=int(found[2]), second=int(found[3] or 0), microsecond=0)
        except ValueError:
            return None
        return round(when.timestamp() * 1000)
    return None
