"""One embedded stack in a home of its own, its commands, and control centers on it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.pty_harness import Terminal, python

REPOSITORY = Path(__file__).parents[2]
COMMAND_S = 110.0
"""For a command to end on a busy machine."""


def environment(home: Path, **more: str) -> dict[str, str]:
    """Of a program that knows nothing but this home."""
    # Not the size of the terminal: the program must ask the terminal itself.
    return {"STREAMGUARD_HOME": str(home), "PYTHONPATH": str(REPOSITORY), "COLUMNS": "33", **more}


class Stack:
    """``home`` is its folder; ``folder`` is where its programs run, without a settings file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"

    def command(self, *arguments: str) -> str:
        """What a command that succeeds writes to stdout."""
        done = subprocess.run(
            python("core.cli", *arguments),
            env={**os.environ, **environment(self.home)},
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=COMMAND_S,
        )
        assert done.returncode == 0, f"{arguments}: {done.stderr}"
        return done.stdout

    def services(self) -> dict[str, Any]:
        """Name to state, address, pid and the rest, of services that are all up."""
        return dict(json.loads(self.command("status", "--json")))

    def push_queries(self) -> list[str]:
        """What the ksqlDB server itself lists beside its rules."""
        shown = self.command("sql", "SHOW QUERIES;", "--format", "json")
        return [line for line in shown.splitlines() if "PUSH" in line]

    def center(self, *arguments: str, columns: int = 80, rows: int = 24, **env: str) -> Terminal:
        """A control center in a terminal of its own, as it starts; the caller closes it."""
        return Terminal(
            python("core.cli", *arguments),
            columns=columns,
            rows=rows,
            env=environment(self.home, **env),
            cwd=str(self.folder),
        )


def overview(terminal: Terminal) -> Terminal:
    """Wait until it is live and go to the first screen, wherever the center before has left."""
    terminal.until_text(" LIVE ", COMMAND_S)
    terminal.press("1")
    terminal.until(lambda screen: re.search("alerts (following|browsing)", screen) is not None, "the overview")
    return terminal


@contextmanager
def running(folder: Path) -> Iterator[Stack]:
    """A stack that is up, and wiped in the end."""
    stack = Stack(folder)
    try:
        stack.command("up")
        yield stack
    finally:
        stack.command("down", "--wipe", "--yes")
