"""A terminal for programs under measurement and test: a pty, a screen model, a clock from key to paint."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence

import pyte


class TerminalTimeout(AssertionError):
    """What was awaited did not appear; the text holds the screen as it was."""


class Terminal:
    """Runs ``command`` in a pty of ``columns`` x ``rows`` and keeps the screen it paints.

    ``bytes_per_s`` reads no faster than a slow line would; 0 reads as fast as it comes.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int = 80,
        rows: int = 24,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        bytes_per_s: int = 0,
    ) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.received = 0
        self.raw = bytearray()
        """Everything painted since ``forget``."""
        self._bytes_per_s = bytes_per_s
        self._next_read = 0.0
        self.status: int | None = None
        self.ended = False
        full = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(env or {})}
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                if cwd is not None:
                    os.chdir(cwd)
                os.execvpe(command[0], list(command), full)
            finally:
                os._exit(127)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    # ------------------------------------------------------------------------------------------ reading

    def pump(self, timeout: float) -> None:
        """Read what is there, waiting ``timeout`` seconds at most, and paint it on the screen."""
        self._stream.feed(self._read(timeout))

    def _read(self, timeout: float) -> bytes:
        if self._bytes_per_s:
            wait = self._next_read - time.monotonic()
            if wait > 0:
                time.sleep(min(wait, timeout))
                if wait > timeout:
                    return b""
        ready, _, _ = select.select([self.fd], [], [], timeout)
        if not ready:
            return b""
        try:
            data = os.read(self.fd, 512 if self._bytes_per_s else 65536)
        except OSError:
            data = b""
        if not data:
            self.ended = True
            return b""
        if self._bytes_per_s:
            self._next_read = time.monotonic() + len(data) / self._bytes_per_s
        self.received += len(data)
        self.raw += data
        return data

    def text(self) -> str:
        """The screen, a line a row."""
        return "\n".join(self.screen.display)

    def forget(self) -> None:
        self.raw.clear()

    def until(self, seen: Callable[[str], bool], what: str, timeout: float = 60.0) -> None:
        """Read until ``seen`` holds for the screen; raises ``TerminalTimeout`` with the screen."""
        deadline = time.monotonic() + timeout
        while not seen(self.text()):
            if time.monotonic() > deadline or self.ended:
                end = "the program ended" if self.ended else f"not within {timeout:.0f} s"
                raise TerminalTimeout(f"{what}: {end}; the screen is\n{self.text()}")
            self.pump(0.05)

    def until_text(self, text: str, timeout: float = 60.0) -> None:
        self.until(lambda screen: text in screen, f"waiting for {text!r}", timeout)

    def paint_time(self, keys: bytes, marker: bytes, timeout: float = 10.0) -> float:
        """Seconds from the key's byte to the marker's bytes on the wire; the screen model is fed after that."""
        self.pump(0)
        self.forget()
        begin = time.perf_counter()
        os.write(self.fd, keys)
        while marker not in self.raw:
            self._read(0.01)
            if time.perf_counter() - begin > timeout:
                raise TerminalTimeout(f"{marker!r} was not painted within {timeout:.0f} s of {keys!r}:\n{self.text()}")
        took = time.perf_counter() - begin
        self._stream.feed(bytes(self.raw))
        return took

    def run_for(self, seconds: float) -> None:
        """Read and show what comes for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.pump(0.02)

    # ------------------------------------------------------------------------------------------ acting

    def press(self, keys: str) -> None:
        os.write(self.fd, keys.encode())

    def resize(self, columns: int, rows: int) -> None:
        self.screen.resize(rows, columns)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def flags(self) -> int:
        """The local flags of the terminal: whether it echoes and edits lines (a shell's state) or not."""
        lflag: int = termios.tcgetattr(self.fd)[3]
        return lflag

    def send_signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def wait_gone(self, timeout: float, *, reading: bool = True) -> float:
        """Seconds until the program has ended; raises ``TerminalTimeout``. ``reading`` false: a stalled terminal."""
        begin = time.perf_counter()
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
                took = time.perf_counter() - begin
                while reading and not self.ended and self._read(0.1):
                    pass  # what it wrote last
                return took
            if time.perf_counter() - begin > timeout:
                raise TerminalTimeout(f"still running after {timeout:.1f} s:\n{self.text()}")
            if reading and not self.ended:
                self.pump(0.01)
            else:
                time.sleep(0.01)

    def hang_up(self) -> None:
        """Close the terminal's side, as a lost connection does."""
        os.close(self.fd)
        self.fd = -1
        self.ended = True

    def close(self) -> None:
        """End the program if it still runs, and close the terminal."""
        if self.status is None:
            try:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
            except (ProcessLookupError, ChildProcessError):
                pass  # it ended by itself
        if self.fd != -1:
            os.close(self.fd)
            self.fd = -1


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs a module with this interpreter."""
    return [sys.executable, "-m", module, *arguments]
