"""Native libraries write to file descriptor 2 when they please; the screen must not show it, a log file keeps it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tui.terminal.driver import GuardedDriver


@contextmanager
def guard(log_file: Path) -> Iterator[None]:
    """Paint through a private duplicate of the terminal while descriptor 2 appends to ``log_file``."""
    log_file.parent.mkdir(parents=True, exist_ok=True)
    sys.stderr.flush()
    terminal = os.dup(2 if os.isatty(2) else 1)
    saved = os.dup(2)
    log = os.open(log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 2)
    os.close(log)
    GuardedDriver.output_fd = terminal
    try:
        yield
    finally:
        GuardedDriver.output_fd = None
        sys.stderr.flush()
        os.dup2(saved, 2)
        os.close(saved)
        os.close(terminal)
