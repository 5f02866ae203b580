"""`streamguard`: the console script.

The bare command in a terminal goes straight to the control center, which paints its first frame before what reads
command lines would have been loaded; every other line is `core.cli`'s.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.settings import Settings


class Bare:
    """A command line without flags."""

    home: Path | None = None
    kafka: str | None = None
    ksqldb: str | None = None
    profile: str | None = None
    read_only: bool | None = None

    @staticmethod
    def settings() -> Settings:
        from core.settings import load

        return load()


def main() -> int:
    """Run one command; returns its exit code. No traceback reaches the person."""
    if len(sys.argv) > 1 or not (sys.stdin.isatty() and sys.stdout.isatty()):
        from core.cli import main as command_line

        return command_line()
    os.umask(0o077)  # what it writes is its user's alone
    try:
        # By name: the console script is where the layers meet, and nothing else below the control center may know it.
        return int(importlib.import_module("tui.main").run(Bare) or 0)
    except (KeyboardInterrupt, asyncio.CancelledError):
        from core.failures import INTERRUPTED

        return INTERRUPTED
    except Exception as error:
        from core.cli import failed

        return failed(error)
