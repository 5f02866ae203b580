"""A terminal that is resized again and again while payments flow: what is shown in the end is whole."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from benchmarks.pty_harness import Terminal
from tests.pty.stack import overview

pytestmark = pytest.mark.xdist_group("stack")

LONG_S = 100.0
SIZES = ((200, 50), (20, 5), (120, 40), (80, 24), (1, 1), (40, 10), (79, 23))
KEYS = ("? help", "esc leave")
"""The end of the last line: in a list, and in the editor."""
TITLES = " 1 Home 2 Alerts 3 ksqlDB 4 Scenes 5 Accts 6 Rules 7 Kafka 8 Log 9 Health"


def _whole(screen: str, columns: int, rows: int) -> bool:
    """Every line is where it belongs, and none is left from another size."""
    lines = screen.splitlines()
    return (
        len(lines) == rows
        and all(len(line) <= columns for line in lines)
        and lines[0].startswith(" stream guard  local  LIVE ")
        and re.sub(r"·\d+", "", lines[1]).rstrip() == TITLES
        and sum("stream guard" in line for line in lines) == 1
        and sum(line.rstrip().endswith(KEYS) for line in lines) == 1
        and lines[-1].rstrip().endswith(KEYS)
    )


def test_a_storm_of_sizes_on_every_screen(center: Callable[..., Terminal]) -> None:
    terminal = overview(center())
    terminal.until(lambda screen: _whole(screen, 80, 24), "the overview", LONG_S)
    terminal.press(":traffic 100\r")
    terminal.until(lambda screen: re.search(r"[1-9]\d* pay/s", screen) is not None, "traffic", LONG_S)
    for number in "234567891":
        terminal.press(number)
        for columns, rows in SIZES:
            terminal.resize(columns, rows)
            terminal.pump(0.01)
        terminal.resize(80, 24)
        terminal.until(lambda screen: _whole(screen, 80, 24), f"screen {number} after the storm", LONG_S)
        if "esc leave" in terminal.text():
            terminal.press("\x1b")
            terminal.until_text("? help")
    terminal.until_text("payments/s, 5 min")
    terminal.resize(20, 5)
    terminal.until_text("too small")
    terminal.resize(80, 24)
    terminal.until_text("payments/s, 5 min")
    terminal.press(":traffic 0\r")
    terminal.until_text(" 0 pay/s")
    terminal.press("\x11")
    terminal.wait_gone(LONG_S)
    assert terminal.status == 0
