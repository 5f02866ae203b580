"""Leaving on time: SIGHUP and SIGTERM end the app cleanly, and a watchdog ends what cannot end itself."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import termios
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

DEADLINE = 0.45
"""Seconds between a signal and the hard end, which also meets a terminal that takes nothing any more."""


class Departure:
    """One departure a process: the first signal asks, the watchdog insists."""

    def __init__(self, fd: int, deadline: float = DEADLINE) -> None:
        self._deadline = deadline
        self._fd = fd
        self._attributes: list[Any] | None = termios.tcgetattr(fd) if os.isatty(fd) else None
        self._timer: threading.Timer | None = None
        self.code: int | None = None
        """Exit status that a signal asked for: 128 + its number."""

    def on_signals(self, ask: Callable[[], None]) -> None:
        """Call ``ask`` on the running loop when SIGHUP, SIGTERM or SIGINT arrives, and start the watchdog.

        The watchdog does not wait for the loop, which hundreds of keys typed ahead can keep from its turn.
        """
        loop = asyncio.get_running_loop()

        def arrived(number: int, frame: FrameType | None) -> None:
            if self.code is None:
                self.code = 128 + number
                self.insist()
                if not loop.is_closed():
                    loop.call_soon_threadsafe(ask)

        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, arrived)

    def insist(self, seconds: float | None = None) -> None:
        """From now on the process lives ``seconds`` at most."""
        if self._timer is None:
            self._timer = threading.Timer(self._deadline if seconds is None else seconds, self._end)
            self._timer.daemon = True
            self._timer.start()

    def _end(self) -> None:
        if self._attributes is not None:
            try:
                termios.tcsetattr(self._fd, termios.TCSANOW, self._attributes)
            except termios.error:
                pass  # the terminal is gone: nothing to restore
        print("stream guard: clean exit took too long, ended by the watchdog", file=sys.stderr, flush=True)
        os._exit(self.code or 1)
