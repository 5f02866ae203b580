"""The watchdog sees a real stall of a real loop, and names the function of ours that made it."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable

from tui.screens.health.port import Stall
from tui.terminal.sanitise import clean
from tui.terminal.watchdog import STALL_S, Watchdog, place


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.get_running_loop().run_in_executor(None, lambda: None)


def _busy(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        clean("é" * 1_000)


async def test_a_loop_that_is_held_is_seen_with_its_place() -> None:
    watchdog = Watchdog()
    watchdog.start()
    try:
        _busy(0.6)
        await _until(lambda: bool(watchdog.stalls()))
    finally:
        watchdog.stop()
    worst = max(watchdog.stalls(), key=lambda stall: stall.ms)
    assert worst.ms >= STALL_S * 1000
    assert worst.ran_ms > 0
    assert "tests/tui/terminal/test_watchdog.py" in worst.where or "tui/terminal/sanitise.py" in worst.where


async def test_only_the_last_stalls_are_kept() -> None:
    watchdog = Watchdog()
    watchdog._stalls.extend(Stall(number, 60, 1, "") for number in range(1_000))
    assert [watchdog.stalls()[0].at, len(watchdog.stalls())] == [800, 200]


def test_a_place_is_the_innermost_function_of_ours() -> None:
    here = place(sys._getframe())
    assert here.startswith("tests/tui/terminal/test_watchdog.py:")
    assert here.endswith(" test_a_place_is_the_innermost_function_of_ours")
    assert place(None) == ""
