"""What `streamguard doctor` says of a terminal, of tmux and of ssh: each fact with what to do about it."""

from __future__ import annotations

import pytest

from core.terminal import FAIL, OK, WARN, Finding, around, hints, terminal

GOOD = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
STOCK = {"#{version}": "3.3a", "#{escape-time}": "500", "#{set-clipboard}": "external", "#{allow-passthrough}": "0"}
"""tmux as it comes."""


def _by_subject(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.subject: finding for finding in findings}


def test_a_good_terminal_leaves_nothing_to_do() -> None:
    findings = terminal(GOOD, (120, 40), "utf-8")
    assert {(f.verdict, f.to_do) for f in findings} == {(OK, "nothing")}


@pytest.mark.parametrize("size", [(79, 24), (80, 23)])
def test_a_small_one_should_be_larger(size: tuple[int, int]) -> None:
    found = _by_subject(terminal(GOOD, size, "utf-8"))["terminal"]
    assert found.verdict == WARN
    assert "80x24" in found.to_do


def test_none_at_all_is_said() -> None:
    assert [f.verdict for f in terminal(GOOD, None, "utf-8")] == [WARN]


@pytest.mark.parametrize("name", ["", "dumb", "unknown"])
def test_one_of_no_known_kind_is_hard_to_read(name: str) -> None:
    found = _by_subject(terminal({"TERM": name}, (80, 24), "utf-8"))["TERM"]
    assert found.verdict == FAIL
    assert "xterm-256color" in found.to_do


@pytest.mark.parametrize("encoding", ["ANSI_X3.4-1968", "ISO-8859-1"])
def test_a_locale_that_is_not_utf_8_is_hard_to_read(encoding: str) -> None:
    (found,) = hints(GOOD, encoding)
    assert found.verdict == FAIL
    assert "C.UTF-8" in found.to_do
    assert hints(GOOD, "UTF8") == hints(GOOD, "utf-8") == []


def test_colours_are_named_and_how_to_get_more() -> None:
    assert "24 bit" in _by_subject(terminal(GOOD, (80, 24), "utf-8"))["colours"].found
    assert "COLORTERM" in _by_subject(terminal({"TERM": "xterm"}, (80, 24), "utf-8"))["colours"].to_do
    assert "NO_COLOR" in _by_subject(terminal({**GOOD, "NO_COLOR": ""}, (80, 24), "utf-8"))["colours"].found


def test_tmux_as_it_comes_is_slow_to_escape_and_keeps_copies() -> None:
    found = _by_subject(around({"TMUX": "/tmp/tmux"}, STOCK.get))
    assert found["tmux"].found == "version 3.3a"
    assert found["tmux escape-time"].verdict == WARN
    assert "set -s escape-time 10" in found["tmux escape-time"].to_do
    assert found["tmux copies"].verdict == WARN
    assert "set -s set-clipboard on" in found["tmux copies"].to_do


@pytest.mark.parametrize("way", [{"#{set-clipboard}": "on"}, {"#{allow-passthrough}": "1"}], ids=["own", "handed on"])
def test_a_tmux_that_is_set_up_leaves_nothing_to_do(way: dict[str, str]) -> None:
    findings = around({"TMUX": "/tmp/tmux"}, {**STOCK, "#{escape-time}": "10", **way}.get)
    assert {(f.verdict, f.to_do) for f in findings} == {(OK, "nothing")}


def test_others_in_the_session_can_be_sent_away() -> None:
    found = _by_subject(around({"TMUX": "/tmp/tmux"}, {**STOCK, "#{session_attached}": "2"}.get))
    assert "tmux detach -a" in found["tmux clients"].to_do


def test_a_tmux_that_is_gone_is_said() -> None:
    (found,) = around({"TMUX": "/tmp/tmux"}, lambda _: None)
    assert found.verdict == WARN


def test_screen_and_ssh_are_named() -> None:
    found = _by_subject(around({"STY": "1.pts", "SSH_CONNECTION": "10.0.0.7 5000 10.0.0.1 22"}, STOCK.get))
    assert found["GNU screen"].verdict == WARN
    assert found["ssh"].found == "from 10.0.0.7"
    assert "ssh -C" in found["ssh"].to_do
    assert around({}, STOCK.get) == []
