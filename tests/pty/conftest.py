"""A terminal a test, closed after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.pty_harness import Terminal, python

REPOSITORY = Path(__file__).parents[2]

Start = Callable[..., Terminal]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Run a module in a terminal with a home of its own."""
    opened: list[Terminal] = []

    def run(module: str, *arguments: str, columns: int = 80, rows: int = 24) -> Terminal:
        env = {"STREAMGUARD_HOME": str(tmp_path / "home"), "PYTHONPATH": str(REPOSITORY), "COLUMNS": "33"}
        terminal = Terminal(python(module, *arguments), columns=columns, rows=rows, env=env, cwd=str(tmp_path))
        opened.append(terminal)
        return terminal

    yield run
    for terminal in opened:
        terminal.close()
