"""The control center on a recording: it follows the screens that were shown, until the viewer chooses one."""

from __future__ import annotations

import re
import time
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from textual.binding import BindingType
from textual.widgets import Input

from tui import format as show
from tui import keymap
from tui.app import ControlCenter
from tui.live import Live
from tui.recording.played import played_ports
from tui.recording.player import Clock, Recording
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
        self.seeking = False
        super().__init__(played_ports(recording, self.clock, self._mode, "replay"), files, **options)

    def _mode(self) -> str:
        state = "paused" if self.clock.paused else "ended" if self.clock.ended else f"{self.clock.speed:g}x"
        return f"REPLAY {show.clock(self.clock.now_ms())} {state}"

    def on_mount(self) -> None:
        self.set_interval(FOLLOW_S, self._follow, name="follow")

    async def _follow(self) -> None:
        """Show the screen that was shown then, unless the viewer is typing."""
        if not self._follows or self.seeking or not self.live.ready or isinstance(self.focused, Input):
            return
        name = self.recording.track("screen").newest(self.clock.now_ms(), str)
        if name in keymap.SCREENS and name != self.current_mode and len(self.screen_stack) == 1:
            await super().action_show(name)

    async def action_show(self, name: str) -> None:
        self._follows = False
        await super().action_show(name)

    # ------------------------------------------------------------------------------------------ keys

    def action_replay_pause(self) -> None:
        self.clock.pause(not self.clock.paused)

    def action_replay_speed(self, direction: int) -> None:
        self.clock.hurry(direction)

    async def action_replay_jump(self, direction: int) -> None:
        await self.seek(self.clock.now_ms() + direction * JUMP_MS)

    def action_replay_follow(self) -> None:
        self._follows = True
        self.say("following the screens that were shown")

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
