"""Runs the control center headless on fakes, and takes pictures of it that a diff can show."""

from __future__ import annotations

import asyncio
import io
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pyte
import pytest
from rich.console import Console
from rich.style import Style
from textual.pilot import Pilot

from tests.tui.fakes import Fakes
from tui.app import BREAKPOINTS, ControlCenter

PATIENCE_S = 10.0
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
            await self.app.next_paint(0.05)

    async def shows(self, text: str) -> None:
        """Wait until the text stands on the screen."""
        await self.until(lambda: text in self.text(), f"waiting for {text!r}")

    async def hides(self, text: str) -> None:
        await self.until(lambda: text not in self.text(), f"waiting for {text!r} to go")

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        await self.pilot.press(*(_KEYS.get(char, char) for char in text))

    def picture(self) -> pyte.Screen:
        """The screen with everything over it, as a terminal would hold it."""
        width, height = self.app.size
        console = Console(width=width, height=height, file=io.StringIO(), force_terminal=True, color_system="truecolor")
        compositor = self.app.screen._compositor
        update = compositor.render_update(full=True, screen_stack=self.app._background_screens)
        assert update is not None
        written = "".join(_uncached(style).render(text) if style else text for text, style, _ in console.render(update))
        screen = pyte.Screen(width, height)
        screen.set_mode(pyte.modes.LNM)
        pyte.Stream(screen).feed(written.rstrip("\n"))
        return screen

    def text(self) -> str:
        return "\n".join(self.picture().display)


def _uncached(style: Style) -> Style:
    """The same look without the escape codes that rich keeps in a style object: those are of the first console that
    used it, and one of another test may have had sixteen colours."""
    return Style(
        color=style.color, bgcolor=style.bgcolor, bold=style.bold, underline=style.underline, reverse=style.reverse
    )


_KEYS = {" ": "space", ";": "semicolon", ".": "full_stop", "'": "apostrophe", "*": "asterisk", ",": "comma"}


@asynccontextmanager
async def running(
    fakes: Fakes | None = None,
    *,
    size: tuple[int, int] = (80, 24),
    theme: str = "guard-dark",
    files: Path = Path("/nonexistent"),
    live: bool = True,
) -> AsyncIterator[Session]:
    """The control center on fakes; ``live`` waits until the first screen after boot is filled."""
    fakes = fakes or Fakes()
    app = WatchedCenter(fakes.ports(), files, theme_name=theme)
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
    return app.current_mode == "overview" and asked


# ------------------------------------------------------------------------------------------------ snapshots


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
    """Until two pictures in a row are the same: at least one drain of the screen lies between them."""
    before, now = "", described(session.picture())
    while now != before:
        await session.app.next_paint(0.25)
        before, now = now, described(session.picture())
