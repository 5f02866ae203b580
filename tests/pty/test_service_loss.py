"""Services that are killed, and a stack that is stopped and started, under an open control center."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable

import pytest

from benchmarks.pty_harness import Terminal
from tests.pty.stack import Stack, overview

pytestmark = pytest.mark.xdist_group("stack")

LONG_S = 100.0
TITLES = {"kafka": "Kafka", "ksqldb": "ksqlDB", "postgres": "PostgreSQL"}


def _up(screen: str, title: str) -> str | None:
    """The process id of a service in the list of parts, while it is up."""
    row = re.search(rf"{title} +up .*? (\d{{2,}}) ", screen)
    return None if row is None else row[1]


def _kill(terminal: Terminal, title: str, pid: int) -> None:
    """Kill a service that is shown as up, and wait until it is up as another process."""
    terminal.until(lambda screen: _up(screen, title) == str(pid), f"{title}, up as {pid}")
    os.kill(pid, signal.SIGKILL)
    terminal.until(lambda screen: _up(screen, title) not in (None, str(pid)), f"{title}, up again", LONG_S)


def _alerts_arrive(terminal: Terminal) -> None:
    """A burst goes all the way, and more alerts than there were come in."""
    terminal.press("1")
    terminal.until_text("alerts following")
    terminal.press("k")
    terminal.until_text("alerts browsing")
    terminal.press("s")
    terminal.until_text("one key chooses")
    terminal.press("v")
    terminal.until(lambda screen: re.search(r"\+\d+ new, G to follow", screen) is not None, "new alerts", LONG_S)
    terminal.press("G")


def test_each_service_is_killed_and_comes_back(center: Callable[..., Terminal], stack: Stack) -> None:
    terminal = overview(center())
    terminal.press("s")
    terminal.until_text("one key chooses")
    terminal.press("h")  # so that there is something to browse
    terminal.until(lambda screen: "▌" in screen.partition("alerts following")[2], "an alert", LONG_S)
    terminal.press("9")
    for name, title in TITLES.items():
        _kill(terminal, title, stack.services()[name]["pid"])
        terminal.press("m")
        terminal.until(
            lambda screen, title=title: re.search(rf"{title}: (down|restarting|starting)", screen) is not None,  # type: ignore[misc]
            f"the message about {title}",
        )
        terminal.press("q")
    _alerts_arrive(terminal)


def test_a_stopped_stack_is_said_and_a_started_one_taken_up(center: Callable[..., Terminal], stack: Stack) -> None:
    terminal = overview(center())
    stack.command("down")
    try:
        terminal.until(lambda screen: "STALE" in screen, "that what is shown is old", LONG_S)
        terminal.until(lambda screen: re.search(r"PostgreSQL +(down|stopped)", screen) is not None, "what is gone")
    finally:
        stack.command("up")
    terminal.until(lambda screen: bool(re.search("(?s)LIVE.*PostgreSQL +up", screen)), "live again", LONG_S)
    _alerts_arrive(terminal)
