"""Start, signals, hang-up, stalled and resized terminals, hostile text: on fakes, in a real pseudo terminal."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from benchmarks.pty_harness import Terminal
from tests.pty.conftest import REPOSITORY, Start
from tests.pty.faked_center import STRAY

FAKED = "tests.pty.faked_center"
COOKED = termios.ECHO | termios.ICANON | termios.ISIG
PATIENCE_S = 60.0
"""For a process to be gone on a busy machine; ``benchmarks tui_feed`` measures how long it takes."""


@pytest.fixture
def center(start: Start) -> Terminal:
    terminal = start(FAKED)
    terminal.until_text("alerts following")
    return terminal


def test_quitting_restores_the_terminal(center: Terminal) -> None:
    assert not center.flags() & COOKED
    center.forget()
    center.press("\x11")
    center.wait_gone(PATIENCE_S)
    assert center.status == 0
    assert center.flags() & COOKED == COOKED
    tail = bytes(center.raw)
    assert b"\x1b[?1049l" in tail, "the alternate screen was not left"
    assert b"\x1b[?25h" in tail, "the cursor was not shown again"
    assert b"\x1b[<u" in tail, "the keyboard protocol was not reset"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=lambda number: number.name)
def test_a_signal_ends_it_in_time_and_restores_the_terminal(center: Terminal, number: signal.Signals) -> None:
    center.send_signal(number)
    center.wait_gone(PATIENCE_S)
    assert center.status == 128 + number
    assert center.flags() & COOKED == COOKED
    assert b"\x1b[?1049l" in center.raw


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_ends_it_in_time_when_the_terminal_has_stalled(center: Terminal, number: signal.Signals) -> None:
    for _ in range(300):  # each asks for frames that nobody reads
        center.press("2")
        center.press("1")
    center.send_signal(number)
    center.wait_gone(PATIENCE_S, reading=False)
    assert center.status == 128 + number


def test_a_hang_up_ends_it(center: Terminal) -> None:
    center.hang_up()
    center.wait_gone(PATIENCE_S, reading=False)
    assert center.status in (129, 128 + signal.SIGHUP)


def test_it_paints_anew_at_every_size(center: Terminal) -> None:
    for columns, rows in ((120, 40), (40, 10), (200, 50), (80, 24)):
        center.resize(columns, rows)
        center.until(
            lambda screen: "stream guard" in screen.splitlines()[0] and screen.rstrip().endswith("? help"),
            f"the first and the key line at {columns}x{rows}",
        )
    center.until_text("payments/s, 5 min")


def test_a_terminal_that_is_too_small_is_told_so(center: Terminal) -> None:
    for columns, rows in ((39, 24), (80, 7), (20, 5)):
        center.resize(columns, rows)
        center.until_text(f"too small: {columns}x{rows}")
    center.resize(40, 8)
    center.until_text("alerts following")


def test_stopped_and_continued_it_gives_the_terminal_back_and_takes_it_again(center: Terminal) -> None:
    center.forget()
    center.send_signal(signal.SIGTSTP)
    center.until(lambda _: b"\x1b[?1049l" in center.raw, "the alternate screen left")
    _, status = os.waitpid(center.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    assert center.flags() & COOKED == COOKED
    center.send_signal(signal.SIGCONT)
    center.until(lambda _: b"\x1b[?1049h" in center.raw, "the alternate screen again")
    center.press("2")
    center.until_text("next case")
    assert not center.flags() & COOKED


def test_what_native_libraries_write_goes_to_a_file(start: Start, tmp_path: Path) -> None:
    terminal = start(FAKED, STRAY)
    terminal.until_text("alerts following")
    log = tmp_path / "home" / "logs" / "control-center.log"
    terminal.until(lambda _: STRAY in log.read_text(), "the stray line in the log")
    terminal.press("\x11")
    terminal.wait_gone(PATIENCE_S)
    assert b"native library" not in terminal.raw


@pytest.mark.parametrize("name", ["xterm", "xterm-256color", "screen", "tmux-256color", "linux", "vt100", "dumb"])
def test_it_is_readable_on_every_kind_of_terminal(start: Start, name: str) -> None:
    terminal = start(FAKED, more={"TERM": name, "COLORTERM": ""})
    terminal.until(
        lambda screen: screen.startswith(" stream guard  local  LIVE") and screen.rstrip().endswith("? help"), name
    )
    assert b"\x1b[38;2;" not in terminal.raw, "more colours than were promised"
    if name == "dumb":
        terminal.press("m")  # the message line lasts for seconds only, a slow start may outlast it
        terminal.until_text("TERM is dumb")


def test_no_color_with_an_ansi_theme_sets_no_colour(start: Start) -> None:
    terminal = start(FAKED, more={"NO_COLOR": "1", "STREAMGUARD_THEME": "ansi-dark"})
    terminal.until_text("alerts following")
    terminal.press("2")
    terminal.until_text("next case")
    assert not re.search(rb"\x1b\[(\d+;)*(3[0-8]|4[0-8]|9\d|10\d)[;m]", terminal.raw)


def test_a_locale_without_utf_8_is_hinted_at(start: Start) -> None:
    terminal = start(FAKED, more={"LC_ALL": "C", "LANG": "C"})
    terminal.until_text("alerts following")
    terminal.press("m")
    terminal.until_text("UTF-8")


def test_without_a_terminal_it_says_what_to_do(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", FAKED],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        cwd=REPOSITORY,
        env={**os.environ, "STREAMGUARD_HOME": str(tmp_path)},
    )
    assert done.returncode == 2
    assert "needs a terminal" in done.stderr


@pytest.mark.parametrize("text", ["\x1b]52;c;aGFjaw==\x07", "\x1b[2J\x9b31m", "[/red][@click=app.quit]", "\u202eevil"])
def test_hostile_text_does_not_reach_the_terminal_as_control(start: Start, text: str) -> None:
    terminal = start(FAKED, text)
    terminal.until_text("alerts following")
    terminal.press("2")
    terminal.until_text("next case")
    wire = bytes(terminal.raw).decode("utf-8", "replace")
    assert "]52;" not in re.sub(r"␛\]52;", "", wire)
    assert not re.search(r"\x1b\[2J\x9b|\x9b|\u202e", wire)


def test_a_lone_escape_is_the_escape_key(center: Terminal) -> None:
    center.press("2")
    center.until_text("next case")
    center.press("\x1b")
    center.until_text("payments/s, 5 min")
