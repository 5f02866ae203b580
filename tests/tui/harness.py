"""Runs the control center headless on fakes, and takes pictures of it that a diff can show."""

from __future__ import annotations

import asyncio
import io
import os
import time
import unicodedata
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pyte
import pytest
from rich.console import Console
from rich.style import Style
from textual import events
from textual._compositor import LayoutUpdate
from textual.keys import REPLACED_KEYS, _character_to_key, _get_unicode_name_from_key
from textual.pilot import Pilot

from tests.tui.fakes import Fakes
from tui.app import BREAKPOINTS, ControlCenter
from tui.ports import Ports
from tui.screens.base import DRAIN_HZ, ControlScreen
from tui.widgets.status import StatusLine

PATIENCE_S = 30.0
SNAPSHOTS = Path(__file__).with_name("snapshots")


class WatchedCenter(ControlCenter):
    """The product, with a way to wait for its next frame."""

    _painted: asyncio.Event | None = None

    def post_display_hook(self) -> None:
        if self._painted is not None:
            self._painted.set()

    async def next_paint(self, patience: float) -> None:
        """Until something was painted, ``patience`` seconds at most."""
        self._painted = asyncio.Event()
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._painted.wait()


@dataclass
class Session:
    """A running control center, its pilot and its fakes."""

    app: WatchedCenter
    pilot: Pilot[int]
    fakes: Fakes

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        """Let the app work until ``holds``; fails with the screen's text when it never does."""
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            if time.monotonic() > deadline:
                pytest.fail(f"{what}: not within {PATIENCE_S:.0f} s; the screen is\n{self.text()}")
            self.hurry()
            await self.app.next_paint(0.02)

    def hurry(self) -> None:
        """Have the screen drain now, as its timer would within a quarter of a second."""
        screen = self.app.screen
        if isinstance(screen, ControlScreen):
            screen.call_later(screen.tick)

    async def shows(self, text: str) -> None:
        """Wait until the text stands on the screen."""
        await self.until(lambda: text in self.text(), f"waiting for {text!r}")

    async def hides(self, text: str) -> None:
        await self.until(lambda: text not in self.text(), f"waiting for {text!r} to go")

    async def press(self, *keys: str) -> None:
        """Keys one after the other, each when the one before has been worked off."""
        for key in keys:
            await self.send(key)
            await self.worked_off()

    async def send(self, *keys: str) -> None:
        """Keys in one go, as they come when somebody types ahead."""
        driver = self.app._driver
        assert driver is not None
        for key in keys:
            named = _character_to_key(key) if len(key) == 1 and not key.isalnum() else key
            try:
                char: str | None = unicodedata.lookup(_get_unicode_name_from_key(REPLACED_KEYS.get(named, named)))
            except KeyError:
                char = named if len(named) == 1 else None
            event = events.Key(named, char)
            event.set_sender(self.app)
            driver.send_message(event)

    async def worked_off(self) -> None:
        """Until the app and every widget of the screen have handled what they were sent, and what came of that."""
        for _ in range(3):
            await self.pilot._wait_for_screen(PATIENCE_S)

    async def type(self, text: str) -> None:
        """Text in one go."""
        await self.send(*text)
        await self.worked_off()

    def text(self) -> str:
        """The screen with everything over it, a line a row."""
        strips = self._update().strips
        return "\n".join("".join(segment.text for strip in row for segment in strip) for row in strips)

    def _update(self) -> LayoutUpdate:
        compositor = self.app.screen._compositor
        update = compositor.render_update(full=True, screen_stack=self.app._background_screens)
        assert isinstance(update, LayoutUpdate)
        return update

    def picture(self) -> pyte.Screen:
        """The screen with everything over it, as a terminal would hold it."""
        width, height = self.app.size
        console = Console(width=width, height=height, file=io.StringIO(), force_terminal=True, color_system="truecolor")
        segments = console.render(self._update())
        written = "".join(_uncached(style).render(text) if style else text for text, style, _ in segments)
        screen = pyte.Screen(width, height)
        screen.set_mode(pyte.modes.LNM)
        pyte.Stream(screen).feed(written.rstrip("\n"))
        return screen


def _uncached(style: Style) -> Style:
    """The same look without the escape codes that rich keeps in a style object: those are of the first console that
    used it, and one of another test may have had sixteen colours."""
    return Style(
        color=style.color, bgcolor=style.bgcolor, bold=style.bold, underline=style.underline, reverse=style.reverse
    )


@asynccontextmanager
async def running(
    fakes: Fakes | None = None,
    *,
    size: tuple[int, int] = (80, 24),
    theme: str = "guard-dark",
    files: Path = Path("/nonexistent"),
    live: bool = True,
    wrap: Callable[[Ports], Ports] = lambda ports: ports,
) -> AsyncIterator[Session]:
    """The control center on fakes; ``live`` waits until the first screen after boot is filled. ``wrap`` gets between
    it and its ports."""
    fakes = fakes or Fakes()
    app = WatchedCenter(wrap(fakes.ports()), files, theme_name=theme)
    for source in app.live.sources:
        source.clock = lambda: 0.0  # a slow machine is not a stale source
    async with app.run_test(size=size) as pilot:
        session = Session(app, pilot, fakes)
        if live:
            await session.until(lambda: _filled(app), "the overview")
            if size[0] >= BREAKPOINTS[-1][0] and fakes.alerts.rows:
                await session.shows("came by")  # the preview beside the list
        try:
            yield session
        finally:
            await app.close_all()


def _filled(app: ControlCenter) -> bool:
    asked = all(source.value is not None or source.error for source in app.live.sources)
    drained = any(line._head is not None for line in app.screen.query(StatusLine))
    return app.current_mode == "overview" and asked and drained


# ------------------------------------------------------------------------------------------------ snapshots


SIZES = {"80x24": (80, 24), "120x40": (120, 40), "200x50": (200, 50)}
THEMES = ("guard-dark", "guard-light", "ansi-dark")


class Album:
    """Pictures of scenes at one size: in every theme, or without colours. ``differences`` are from those kept."""

    def __init__(self, size: str, *, colours: bool) -> None:
        self.size = SIZES[size]
        self.theme = THEMES[0] if colours else "ansi-dark"
        """What the control center starts with."""
        self.differences: list[str] = []
        self._size = size
        self._looks = {theme: theme for theme in THEMES} if colours else {"no-color": self.theme}

    async def take(self, session: Session, scene: str) -> None:
        """Picture the screen in each look, once it stands still."""
        for look, theme in self._looks.items():
            session.app.theme = theme
            await settle(session)
            self.differences.append(difference(session, f"{scene}-{self._size}-{look}"))
        session.app.theme = self.theme


SECOND_LINE = 1
"""The row of the screens' names: left out of most pictures, since each new screen changes it."""


def described(screen: pyte.Screen, *, second_line: bool = True) -> str:
    """Text, then each row's styles as letters with run lengths, then what the letters mean."""
    letters: dict[str, str] = {}
    rows = []
    lines = list(screen.display)
    if not second_line:
        lines[SECOND_LINE] = ""
    for y in range(screen.lines):
        if y == SECOND_LINE and not second_line:
            rows.append("")
            continue
        runs: list[tuple[str, int]] = []
        for x in range(screen.columns):
            char = screen.buffer[y][x]
            flags = "".join(
                f" {name}"
                for name, on in (("bold", char.bold), ("underline", char.underscore), ("reverse", char.reverse))
                if on
            )
            style = f"{char.fg} on {char.bg}{flags}"
            letter = letters.setdefault(style, _letter(len(letters)))
            if runs and runs[-1][0] == letter:
                runs[-1] = letter, runs[-1][1] + 1
            else:
                runs.append((letter, 1))
        rows.append(" ".join(f"{letter}{count}" for letter, count in runs))
    text = "\n".join(line.rstrip() for line in lines)
    legend = "\n".join(f"{letter} {style}" for style, letter in letters.items())
    return f"{text}\n--- styles\n" + "\n".join(rows) + f"\n--- letters\n{legend}\n"


def _letter(index: int) -> str:
    return "abcdefghijklmnopqrstuvwxyz"[index] if index < 26 else f"z{index}"


def difference(session: Session, name: str) -> str:
    """What differs from ``snapshots/NAME.txt``, or nothing; ``UPDATE_SNAPSHOTS=1`` writes the file instead."""
    taken = described(session.picture(), second_line=name.startswith("overview-"))
    path = SNAPSHOTS / f"{name}.txt"
    if os.environ.get("UPDATE_SNAPSHOTS") == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(taken)
        return ""
    if not path.exists():
        return f"there is no snapshot {path.name}; UPDATE_SNAPSHOTS=1 makes it"
    if taken == path.read_text():
        return ""
    path.with_suffix(".new").write_text(taken)
    text = taken.split("--- styles")[0]
    return f"the screen differs from {path.name}; the new picture is {path.with_suffix('.new')}\n{text}"


async def settle(session: Session) -> None:
    """Until two pictures in a row are the same: drains of the screen lie between them."""
    before, now = "", session.text()
    while now != before or not now.strip():
        for _ in range(DRAIN_HZ + 1):
            session.hurry()
            await session.worked_off()
        await session.app.next_paint(0.05)
        before, now = now, session.text()
