"""Each screen's main task, in the real program at 80x24 on the real stack with live traffic."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from benchmarks.pty_harness import Terminal, TerminalTimeout
from tests.pty.stack import Stack, overview

pytestmark = pytest.mark.xdist_group("stack")

LONG_S = 100.0
"""For what passes through the whole pipeline, or starts a process, on a busy machine."""


class Shared:
    """The control center that the tests take turns at; one that a failed test left somewhere is replaced."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._terminal: Terminal | None = None

    def at_home(self) -> Terminal:
        """On the overview, with a burst's alerts in the feed and traffic on its way."""
        if self._terminal is not None:
            try:
                self._terminal.press("1")
                self._terminal.until_text("payments/s, 5 min")
            except (OSError, TerminalTimeout):
                self._terminal.close()
                self._terminal = None
        if self._terminal is None:
            self._terminal = self._stack.center()
            _with_traffic(self._terminal)
        return self._terminal

    def leave(self) -> None:
        if self._terminal is not None:
            self._terminal.press("\x11")
            self._terminal.wait_gone(LONG_S)
            self._terminal.close()


def _with_traffic(terminal: Terminal) -> None:
    overview(terminal).press(":traffic 20\r")
    terminal.until(lambda screen: re.search(r"LIVE +[1-9]\d* pay/s", screen) is not None, "live payments", LONG_S)
    terminal.press("s")
    terminal.until_text("one key chooses")
    terminal.press("v")
    terminal.until_text("6 in 1m", LONG_S)


@pytest.fixture(scope="module")
def shared(stack: Stack) -> Iterator[Shared]:
    made = Shared(stack)
    yield made
    made.leave()


@pytest.fixture
def center(shared: Shared) -> Terminal:
    return shared.at_home()


def _line(screen: str, *words: str) -> bool:
    """Whether one line has all of these words, in this order."""
    return re.search(".*".join(map(re.escape, words)), screen) is not None


def _until_row(terminal: Terminal, *words: str) -> None:
    terminal.until(lambda screen: _line(screen, *words), " ".join(words), LONG_S)


def test_the_overview_is_browsed_followed_and_filtered(center: Terminal) -> None:
    center.press("k")
    center.until_text("alerts browsing")
    center.press("s")
    center.until_text("one key chooses")
    center.press("h")
    center.until(lambda screen: re.search(r"\+\d+ new, G to follow", screen) is not None, "news, counted", LONG_S)
    center.press("G")
    center.until_text("alerts following")
    center.press("/")
    center.until_text("rows with this text")
    center.press("high_velocity\r")
    center.until_text("/high_velocity")
    center.until(lambda screen: "high_amount " not in screen.partition("alerts following")[2], "matches alone")
    center.press("q")
    center.until(lambda screen: "/high_velocity" not in screen, "no filter")


def test_a_case_is_claimed_and_confirmed_and_the_next_dismissed(center: Terminal) -> None:
    center.press("2")
    center.until_text("o next case")
    center.press("o")
    center.until_text("nobody has acted yet")
    center.press("c")
    center.until_text("case claimed by")
    center.press("x")
    center.until_text("feeds the lists")
    center.press("\r")
    center.until_text("case confirmed by")
    center.press("n")
    center.until_text("nobody has acted yet")
    center.press("d")
    center.until_text("not fraud. Reason")
    center.press("a known customer\r")
    center.until_text("case dismissed by")
    center.until_text("a known customer")
    center.press("q")
    center.until_text("alerts following")


def test_a_push_query_runs_until_ctrl_c_and_is_gone_from_the_server(center: Terminal, stack: Stack) -> None:
    center.press("3")
    center.until_text("▤ transactions")
    center.press("\x0cSELECT account_id, amount\rFROM transactions EMIT CHANGES;\x12")
    center.until_text("● live")
    center.until(lambda screen: re.search(r"^ acc-\d+ +\d+\.\d\d ", screen, re.M) is not None, "typed rows", LONG_S)
    center.until_text("transient_")
    assert stack.push_queries()
    center.press("\x03")
    center.until_text("stopped")
    center.until(lambda screen: "transient_" not in screen, "the query gone from the objects")
    assert stack.push_queries() == []
    center.press("\x1b")  # single keys work again
    center.until(lambda screen: "esc leave" not in screen, "the keys of a list")


def test_a_scenario_is_launched_and_judged(center: Terminal) -> None:
    center.press("4")
    center.until_text("key scenario")
    center.press("jjl")  # the third of the catalogue
    center.until_text("asked for card_testing")
    _until_row(center, "card_testing", " ok ", "/")


def test_an_account_is_seen_in_the_past_and_blocked(center: Terminal) -> None:
    center.press("5")
    center.until(lambda screen: "▌acc-" in screen and "100,0 %" in screen, "accounts by risk")
    center.press("\r")
    center.until_text("as it stood now")
    center.press("g")
    center.until_text("1 payment,")
    center.press("G")
    center.until_text("as it stood now")
    center.press("B")
    center.until_text("Reason (empty = no)")
    center.press("taken over\r")
    _until_row(center, "block", "taken over")
    center.press("q")
    _until_row(center, "block", "account", "taken over")


def test_a_rule_shows_its_sql_and_is_paused_and_resumed(center: Terminal) -> None:
    center.press("6")
    _until_row(center, "▌high_amount", "deployed")
    center.press("\r")
    center.until(lambda screen: "EMIT CHANGES" in screen or "amount >" in screen, "its SQL")
    center.press("q")
    _until_row(center, "▌high_amount", "deployed")
    for key, state in (("P", "paused"), ("R", "deployed")):
        center.press(key)
        center.until_text("Type yes")
        center.press("yes\r")
        _until_row(center, "▌high_amount", state)


def test_a_topic_is_browsed_and_a_message_sent(center: Terminal) -> None:
    center.press("7")
    center.until_text("transaction_labels")
    center.press("/")
    center.until_text("rows with this text")
    center.press("fraud_al\r")
    center.until_text("/fraud_al")
    center.press("\r")
    center.until_text("high_velocity")
    center.press("P")
    center.until_text("value of a message")
    center.press('{"note": "by hand"}\r')
    center.until_text("its key")
    center.press("somebody\r")
    center.until_text("send 19 bytes")
    center.press("yes\r")
    _until_row(center, "somebody", "by hand")
    center.press("q")
    center.until_text("/fraud_al")
    center.press("q")
    center.until(lambda screen: "/fraud_al" not in screen, "no filter")


def test_an_event_is_opened_and_a_projection_proved(center: Terminal) -> None:
    center.press("8")
    center.until_text("PaymentDecided")
    center.press("k\r")
    center.until_text("chain of")
    center.press("q")
    center.until_text("events browsing")
    center.press("\t")
    center.until_text("▌account_risk")
    center.press("P")
    _until_row(center, "▌account_risk", "equal (")


def _consumer(screen: str) -> str | None:
    """The process that runs the consumer, as the list of parts has it."""
    row = re.search(r"consumer +running +- +\d+s +\d+ +(\d+) ", screen)
    return None if row is None else row[1]


def test_a_worker_is_stopped_and_another_started(center: Terminal) -> None:
    center.press("9")
    center.until(lambda screen: _consumer(screen) is not None, "the hosted worker's consumer", LONG_S)
    before = _consumer(center.text())
    center.press("-")
    center.until_text("Type yes")
    center.press("yes\r")
    center.until_text("none is hosted here", LONG_S)
    center.press("+")
    center.until(lambda screen: _consumer(screen) not in (None, before), "the consumer of a new process", LONG_S)
