"""A service's log file, bounded: when it is full it becomes `NAME.log.1` and a new one begins."""

from collections import deque
from pathlib import Path
from typing import IO

_MOST_BYTES = 4 << 20
_TELLING = ("FATAL", "PANIC", "Error", "ERROR", "cannot", "error:")


class LogFile:
    """Takes what a process prints. The last lines since `begin` stay in memory: they say why the process ended."""

    def __init__(self, path: Path, most_bytes: int = _MOST_BYTES) -> None:
        self.path = path
        self._most = most_bytes
        self._file: IO[bytes] | None = None
        self._tail: deque[str] = deque(maxlen=30)
        self._partial = b""

    def begin(self) -> None:
        self._tail.clear()
        self._partial = b""

    def write(self, data: bytes) -> None:
        lines = (self._partial + data).split(b"\n")
        self._partial = lines.pop()[-4096:]
        self._tail.extend(line.decode(errors="replace").strip() for line in lines)
        try:
            self._append(data)
        except OSError:  # a full disk must not stop the service that prints; the tail in memory still has the reason
            self.close()

    def _append(self, data: bytes) -> None:
        if self._file is None:
            self._file = self.path.open("ab", buffering=0)
        if self._file.tell() + len(data) > self._most:
            self._file.close()
            self.path.replace(self.path.with_name(self.path.name + ".1"))
            self._file = self.path.open("ab", buffering=0)
        self._file.write(data)

    def reason(self) -> str:
        """The line that most likely says why the process ended; empty where it printed nothing."""
        lines = [line for line in [*self._tail, self._partial.decode(errors="replace").strip()] if line]
        telling = [line for line in lines if any(word in line for word in _TELLING)]
        return (telling or lines or [""])[-1][:300]

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
