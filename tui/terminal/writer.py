"""Output to the terminal from a thread of its own, which never makes the caller wait.

Textual's own writer blocks the event loop as soon as 30 writes are queued: at 5 kB/s over SSH that stalls every
connection of the process for many seconds. Here a write is always queued and ``behind`` tells the painter to skip
frames until the terminal has taken what it was sent.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable


class Writer(threading.Thread):
    """Writes queued text to ``fd`` as UTF-8. ``on_drained`` and ``on_lost`` are called from this thread."""

    def __init__(self, fd: int, on_drained: Callable[[], None], on_lost: Callable[[], None]) -> None:
        super().__init__(daemon=True, name="terminal-output")
        self._fd = fd
        self._on_drained = on_drained
        self._on_lost = on_lost
        self._chunks: deque[bytes] = deque()
        self._changed = threading.Condition()
        self._in_flight = False
        self._stopping = False
        self.lost = False
        """The terminal is gone: a write failed."""
        self.written = 0
        """Bytes that the terminal has taken."""

    @property
    def behind(self) -> bool:
        """Whether the terminal has not yet taken everything it was sent."""
        return self._in_flight or bool(self._chunks)

    def write(self, text: str) -> None:
        """Queue text; returns at once. After the terminal is lost, text is dropped."""
        if self.lost:
            return
        with self._changed:
            self._chunks.append(text.encode("utf-8", "replace"))
            self._changed.notify_all()

    def run(self) -> None:
        while True:
            with self._changed:
                while not self._chunks and not self._stopping:
                    self._changed.wait()
                if not self._chunks:
                    return
                data = b"".join(self._chunks)
                self._chunks.clear()
                self._in_flight = True
            try:
                self._put(data)
            except OSError:
                self.lost = True
            with self._changed:
                self._in_flight = False
                if self.lost:
                    self._chunks.clear()
                drained = not self._chunks
                self._changed.notify_all()
            if self.lost:
                self._on_lost()
                return
            if drained:
                self._on_drained()

    def _put(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            taken = os.write(self._fd, view)
            self.written += taken
            view = view[taken:]

    def stop(self, patience: float) -> bool:
        """Let the queue drain for ``patience`` seconds at most; false when the terminal does not take it (stalled)."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
            return self._changed.wait_for(lambda: self.lost or not self.behind, timeout=patience)
