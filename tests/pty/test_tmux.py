"""Inside tmux: left and taken up again, resized by another client, copied from, and ended with its session."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from benchmarks.pty_harness import Terminal, python
from tests.pty.stack import Stack, environment, overview

pytestmark = [
    pytest.mark.xdist_group("stack"),
    pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed"),
]

LONG_S = 100.0
CONFIGURATION = """\
set -g status off
set -s escape-time 10
set -s set-clipboard on
set -g window-size latest
"""


class Tmux:
    """A tmux server of its own: socket, configuration, and clients in terminals."""

    def __init__(self, folder: Path, stack: Stack) -> None:
        self._stack = stack
        self._folder = folder
        self._clients: list[Terminal] = []
        self._command = ["tmux", "-L", "streamguard-test", "-f", str(folder / "tmux.conf")]
        # A folder with a short name, because a socket's path is limited to about a hundred characters.
        self._env = environment(stack.home, TMUX="", TMUX_TMPDIR=str(folder))
        (folder / "tmux.conf").write_text(CONFIGURATION)

    def client(self, *arguments: str, columns: int, rows: int) -> Terminal:
        terminal = Terminal(
            [*self._command, *arguments], columns=columns, rows=rows, env=self._env, cwd=str(self._stack.folder)
        )
        self._clients.append(terminal)
        return terminal

    def ask(self, *arguments: str) -> str:
        done = subprocess.run(
            [*self._command, *arguments],
            env={**os.environ, **self._env},
            capture_output=True,
            text=True,
            check=True,
            timeout=LONG_S,
        )
        return done.stdout.strip()

    def close(self) -> None:
        subprocess.run(
            [*self._command, "kill-server"], env={**os.environ, **self._env}, capture_output=True, check=False
        )
        for terminal in self._clients:
            terminal.close()


@pytest.fixture
def tmux(tmp_path: Path, stack: Stack) -> Iterator[Tmux]:
    made = Tmux(tmp_path, stack)
    yield made
    made.close()


def _drawn(terminal: Terminal, columns: int, rows: int) -> Callable[[str], bool]:
    """Whether the control center fills this part of the terminal, from its first line to the end of its last."""

    def seen(screen: str) -> bool:
        lines = screen.splitlines()
        return lines[0].startswith(" stream guard  local") and lines[rows - 1][:columns].rstrip().endswith("? help")

    return seen


def test_detached_taken_up_by_another_client_and_ended(tmux: Tmux) -> None:
    first = tmux.client("new-session", "-s", "watch", *python("core.cli"), columns=80, rows=24)
    overview(first)
    first.until(_drawn(first, 80, 24), "the overview at 80x24")
    process = psutil.Process(int(tmux.ask("list-panes", "-t", "watch", "-F", "#{pane_pid}")))

    first.press("s")
    first.until_text("one key chooses")
    first.press("v")
    first.until(lambda screen: "▌" in screen.partition("alerts following")[2], "an alert", LONG_S)
    first.forget()
    first.press("y")  # copied through tmux to the terminal around it
    first.until(lambda _: b"]52;" in first.raw, "the clipboard's sequence")

    first.press("\x02d")
    first.wait_gone(LONG_S)
    assert process.is_running()
    assert tmux.ask("list-clients") == ""

    second = tmux.client("attach-session", "-t", "watch", columns=132, rows=40)
    second.until(_drawn(second, 132, 40), "the overview at 132x40", LONG_S)
    third = tmux.client("attach-session", "-t", "watch", columns=80, rows=24)
    third.until(_drawn(third, 80, 24), "the overview at 80x24", LONG_S)
    third.press("8")
    for client in (second, third):
        client.until_text("projections", LONG_S)
    second.until(_drawn(second, 80, 24), "the size of the client that types", LONG_S)

    tmux.ask("kill-session", "-t", "watch")
    process.wait(LONG_S)
