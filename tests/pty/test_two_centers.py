"""Two control centers on one stack act on one case: the second is told that somebody was faster, and sees who."""

from __future__ import annotations

import re

from tests.pty.conftest import Start

BOOT_S = 120.0
PIPELINE_S = 90.0
ACT_S = 60.0


def test_two_operators_on_one_case(start: Start) -> None:
    first = start("core.cli", columns=110, rows=30)
    first.until_text("alerts following", BOOT_S)
    second = start("core.cli", columns=110, rows=30)
    second.until_text("alerts following", BOOT_S)
    first.press("s")
    first.until_text("one key chooses", ACT_S)
    first.press("v")
    # Once the run is scored every alert is in, and the most urgent case is the same for both.
    for center in (first, second):
        center.press("4")
        center.until(lambda screen: re.search(r"(\d+)/\1 ", screen) is not None, "all caught", PIPELINE_S)
    for center in (first, second):
        center.press("2")
        center.until_text("next case", ACT_S)
        center.until_text("6 in 1m", ACT_S)
    first.press("o")
    first.until_text("nobody has acted yet", ACT_S)
    shown = re.search(r"acc-\d+", first.text())
    assert shown is not None
    second.press("o")
    second.until_text("nobody has acted yet", ACT_S)
    second.until_text(f"{shown[0]}  ", ACT_S)
    second.press("x")
    second.until_text("confirm fraud on", ACT_S)
    first.press("c")
    first.until_text("claimed", ACT_S)
    second.press("\r")
    second.until_text("somebody was faster", ACT_S)
    second.until_text("claimed by", ACT_S)
    second.press("x")
    second.until_text("confirm fraud on", ACT_S)
    second.press("\r")
    for center in (second, first):
        center.until_text("case confirmed", ACT_S)
    for center in (second, first):
        center.press("\x11")
        center.wait_gone(ACT_S)
        assert center.status == 0
