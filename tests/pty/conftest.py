"""A terminal a test, closed after it; one embedded stack for all tests that need one which runs already."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.pty_harness import Terminal, python
from tests.pty.stack import REPOSITORY, Stack, environment, running

Start = Callable[..., Terminal]

__all__ = ["REPOSITORY", "Start"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Run a module in a terminal with a home of its own."""
    opened: list[Terminal] = []

    def run(
        module: str, *arguments: str, columns: int = 80, rows: int = 24, more: dict[str, str] | None = None
    ) -> Terminal:
        env = environment(tmp_path / "home", **(more or {}))
        terminal = Terminal(python(module, *arguments), columns=columns, rows=rows, env=env, cwd=str(tmp_path))
        opened.append(terminal)
        return terminal

    yield run
    for terminal in opened:
        terminal.close()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The session's stack. Its tests are of the xdist group ``stack``: one process runs them, one after the other."""
    with running(tmp_path_factory.mktemp("stack")) as made:
        yield made


@pytest.fixture
def center(stack: Stack) -> Iterator[Callable[..., Terminal]]:
    """Start a control center on the session's stack; see ``Stack.center``."""
    opened: list[Terminal] = []

    def run(*arguments: str, columns: int = 80, rows: int = 24, **env: str) -> Terminal:
        opened.append(stack.center(*arguments, columns=columns, rows=rows, **env))
        return opened[-1]

    yield run
    for terminal in opened:
        terminal.close()
