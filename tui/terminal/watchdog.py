"""Notices when the event loop answers late, and what it was doing then: such moments are keys that felt dead."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from tui.screens.health.port import Stall

BEAT_S = 0.1
STALL_S = 0.05
"""Lateness of a beat from which it counts: three frames at 60 Hz, felt as a hitch."""
KEPT = 200
_ROOT = str(Path(__file__).resolve().parents[2])


class Watchdog:
    """A beat on the loop, and a thread that looks at the loop's stack while a beat is overdue."""

    def __init__(self) -> None:
        self._stalls: deque[Stall] = deque(maxlen=KEPT)
        self._due = 0.0
        self._ran = 0.0
        self._where = ""
        self._ended = threading.Event()
        self._beat: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Watch the loop that runs now. Call it on the loop's thread."""
        loop = asyncio.get_running_loop()
        self._schedule(loop)
        watched = threading.get_ident()
        threading.Thread(target=self._look, args=(watched,), daemon=True, name="watchdog").start()

    def stop(self) -> None:
        self._ended.set()
        if self._beat is not None:
            self._beat.cancel()

    def stalls(self) -> Sequence[Stall]:
        return tuple(self._stalls)

    def _schedule(self, loop: asyncio.AbstractEventLoop) -> None:
        self._due = time.monotonic() + BEAT_S
        self._ran = time.thread_time()
        self._beat = loop.call_later(BEAT_S, self._on_beat, loop)

    def _on_beat(self, loop: asyncio.AbstractEventLoop) -> None:
        late = time.monotonic() - self._due
        if late >= STALL_S:
            ran = time.thread_time() - self._ran
            self._stalls.append(Stall(round(time.time() * 1000), round(late * 1000), round(ran * 1000), self._where))
        self._where = ""
        self._schedule(loop)

    def _look(self, watched: int) -> None:
        while not self._ended.wait(STALL_S / 2):
            if not self._where and time.monotonic() - self._due >= STALL_S:
                self._where = place(sys._current_frames().get(watched))


def place(frame: FrameType | None) -> str:
    """``tui/widgets/feed.py:112 redraw``: the innermost function of ours in a stack, with what it called."""
    if frame is None:
        return ""
    called = frame.f_code.co_name
    inner: FrameType | None = frame
    while inner is not None:
        file = inner.f_code.co_filename
        if file.startswith(_ROOT) and "site-packages" not in file and Path(file) != Path(__file__):
            own = f"{Path(file).relative_to(_ROOT)}:{inner.f_lineno} {inner.f_code.co_name}"
            return own if inner is frame else f"{own} in {called}"
        inner = inner.f_back
    return f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno} {called}"
