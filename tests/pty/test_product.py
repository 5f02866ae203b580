"""The real program on its real embedded stack: boot, launch a scenario, open its alert, run a push query, leave."""

from __future__ import annotations

import re
import signal
import time
from pathlib import Path

import psutil
import pytest

from benchmarks.pty_harness import Terminal, TerminalTimeout
from tests.pty.conftest import Start

BOOT_S = 90.0
PIPELINE_S = 60.0
END_S = 30.0
STORY = ("came by", "fraud_alerts/", "transactions/", "nobody has acted yet")


@pytest.fixture
def product(start: Start) -> Terminal:
    terminal = start("core.cli", columns=110, rows=30)
    terminal.until_text("alerts following", BOOT_S)
    return terminal


def _relatives(home: Path) -> list[str]:
    """Command lines of every process that belongs to this home: the stack's services, workers, the center itself."""
    found = []
    for process in psutil.process_iter(["cmdline", "environ"]):
        words = " ".join(process.info["cmdline"] or ())
        if str(home) in words or (process.info["environ"] or {}).get("STREAMGUARD_HOME") == str(home):
            found.append(words)
    return found


def _nothing_is_left(terminal: Terminal, home: Path) -> None:
    deadline = time.monotonic() + END_S
    while left := _relatives(home):
        if time.monotonic() > deadline:
            raise TerminalTimeout("left behind:\n" + "\n".join(left))
        terminal.pump(0.1)


def test_from_boot_to_quit(product: Terminal, tmp_path: Path) -> None:
    product.press("s")
    product.until_text("one key chooses")
    product.press("v")
    product.until(lambda screen: "6 in 1m" in screen, "the burst's alert", PIPELINE_S)

    product.press("2")
    product.until_text("next case")
    product.press("/")
    product.until_text("rows with this text")
    product.press("high_velocity\r")
    product.until(lambda screen: re.search(r"/high_velocity \d+ of", screen) is not None, "the filtered feed")
    product.press("\r")
    product.until(
        lambda screen: all(text in screen for text in STORY),
        "the story of the alert",
    )
    product.press("c")
    product.until_text("claimed")

    product.press("4")
    product.until(lambda screen: "velocity_burst" in screen and " ok " in screen, "the verdict", PIPELINE_S)
    product.press("+")
    product.until_text("normal traffic 10/s")

    product.press("3")
    product.until_text("TRANSACTIONS")
    product.press("\x12")
    product.until_text("● live")
    product.until(lambda screen: "acc-" in screen, "rows of the push query", PIPELINE_S)
    product.press("\x03")
    product.until_text("stopped")

    product.press("\x14DESCRIBE FRAUD_AL")
    product.until_text("tab FRAUD_ALERTS")
    product.press("\t\x12")
    product.until_text("RULE_ID")

    product.press("\x11")
    product.wait_gone(END_S)
    assert product.status == 0
    _nothing_is_left(product, tmp_path / "home")


def test_a_wrong_statement_is_answered_in_place(product: Terminal) -> None:
    product.press("3")
    product.until_text("TRANSACTIONS")
    product.press("\x0c")
    product.until(lambda screen: "SELECT" not in screen, "an empty editor")
    product.press("SELECT * FORM transactions;\x12")
    product.until_text("✗ failed")
    product.until_text("line 1:")


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_leaves_nothing_behind(product: Terminal, tmp_path: Path, number: signal.Signals) -> None:
    product.send_signal(number)
    product.wait_gone(END_S)
    assert product.status == 128 + number
    _nothing_is_left(product, tmp_path / "home")
