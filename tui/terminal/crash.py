"""A fault of the control center itself: a report in a file, one sentence for the user, no traceback on the screen."""

from __future__ import annotations

import os
import platform
import sys
import time
import traceback
from pathlib import Path
from typing import ClassVar

from rich.segment import Segments
from rich.text import Text
from textual import __version__ as textual_version
from textual.worker import WorkerFailed

from core.redact import redact
from tui.terminal.pacing import TerminalApp

KEPT = 10
"""Reports that stay; older ones are deleted."""


def report(error: BaseException) -> str:
    """Versions, terminal and the redacted traceback. Without local variables: they hold what people wrote and paid."""
    facts = {
        "python": platform.python_version(),
        "textual": textual_version,
        "system": f"{platform.system()} {platform.release()}",
        "terminal": os.environ.get("TERM", ""),
        "tmux": "yes" if os.environ.get("TMUX") else "no",
        "ssh": "yes" if os.environ.get("SSH_CONNECTION") else "no",
    }
    last = traceback.format_exception_only(error)[-1].strip()
    head = [f"error: {redact(last)}", *(f"{name}: {value}" for name, value in facts.items())]
    trace = redact("".join(traceback.format_exception(error)))
    return "\n".join([*head, "", trace])


def write(folder: Path, error: BaseException, at: float) -> Path:
    """Write a report of a fault at epoch second ``at`` and drop the oldest ones; raises ``OSError``."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"crash-{time.strftime('%Y%m%d-%H%M%S', time.localtime(at))}-{os.getpid()}.txt"
    path.touch(mode=0o600)
    path.write_text(report(error), "utf-8", "replace")
    for old in sorted(folder.glob("crash-*.txt"))[:-KEPT]:
        old.unlink(missing_ok=True)
    return path


class ReportingApp(TerminalApp):
    """Writes a report when it fails, if it was told where."""

    crash_folder: ClassVar[Path | None] = None

    def _fatal_error(self) -> None:
        folder, error = self.crash_folder, sys.exc_info()[1] or self._exception
        if folder is None or error is None:
            super()._fatal_error()
            return
        cause = error.error if isinstance(error, WorkerFailed) else error
        try:
            where = f"the report is {write(folder, cause, time.time())}"
        except OSError as fault:
            where = f"its report could not be written to {folder}: {fault.strerror}"
        sentence = Text(f"streamguard ended by a fault of its own ({type(cause).__name__}); {where}")
        self._exit_renderables.append(Segments(self.console.render(sentence, self.console.options)))
        self._close_messages_no_wait()
