"""The real program on its real stack: an account in the past and blocked, a rule tried, all of it recorded and shown
again."""

from __future__ import annotations

from pathlib import Path

from benchmarks.pty_harness import Terminal
from tests.pty.conftest import Start

BOOT_S = 90.0
PIPELINE_S = 60.0
END_S = 30.0


def _act(terminal: Terminal) -> None:
    """Launch a burst, look into its account, block it; try a rule."""
    terminal.press("s")
    terminal.until_text("one key chooses")
    terminal.press("v")
    terminal.until(lambda screen: "6 in 1m" in screen, "the burst's alert", PIPELINE_S)

    terminal.press("5")
    terminal.until(lambda screen: "accounts by risk" in screen and "▌acc-" in screen, "the accounts", PIPELINE_S)
    terminal.press("\r")
    terminal.until(lambda screen: "as it stood now" in screen and "alerts " in screen, "the account now")
    terminal.press("g")
    terminal.until(lambda screen: "1 payment," in screen, "the account after its first payment")
    terminal.press("G")
    terminal.until_text("as it stood now")
    terminal.press("B")
    terminal.until_text("Reason (empty = no)")
    terminal.press("taken over\r")
    terminal.until(lambda screen: "blocked: taken over" in screen, "the block in the timeline", PIPELINE_S)
    terminal.press("q")
    terminal.until(lambda screen: "lists: 1" in screen, "the block among the lists", PIPELINE_S)

    terminal.press("6")
    terminal.until(lambda screen: "high_velocity" in screen and "deployed" in screen, "the rules", PIPELINE_S)
    terminal.press("b")
    terminal.until_text("of payments, or on a labelled FILE")
    terminal.press("\r")
    terminal.until(lambda screen: "payments flagged" in screen, "the backtest's figures", PIPELINE_S)
    terminal.press("\x11")
    terminal.wait_gone(END_S)
    assert terminal.status == 0


def test_accounts_rules_and_their_recording(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "watch.sgr"
    product = start("core.cli", "--record", str(file), columns=120, rows=40)
    product.until_text("alerts following", BOOT_S)
    _act(product)

    again = start("core.cli", "--replay", str(file), columns=120, rows=40)
    again.until_text("REPLAY")
    again.press("@")
    again.until_text("go to: a time")
    again.press("100%\r")
    again.until(lambda screen: "high_velocity" in screen and "deployed" in screen, "the screen that was shown last")
    again.press("5")
    again.until_text("taken over")
    again.press("B")
    again.until_text("Reason (empty = no)")
    again.press("once more\r")
    again.until_text("a replay changes nothing")
    again.press("\x11")
    again.wait_gone(END_S)
    assert again.status == 0


def test_a_file_that_is_no_recording_is_said(start: Start, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("hello")
    terminal = start("core.cli", "--replay", str(other))
    terminal.wait_gone(END_S)
    assert terminal.status == 2
    assert b"is no recording of the control center" in bytes(terminal.raw)
