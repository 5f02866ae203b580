"""Textual's Linux driver, made safe for slow, stalled and vanishing terminals."""

from __future__ import annotations

import os
import selectors
import sys
from codecs import getincrementaldecoder
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol, cast

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

from tui.terminal.keys import KeyReader
from tui.terminal.paint import Painter
from tui.terminal.writer import Writer

CLOSE_PATIENCE = 0.15
"""Seconds that a terminal gets to take the closing sequences before it counts as stalled."""
KEY_TICK = 0.05
"""Seconds between looks at the parser's timeout: a lone ESC byte becomes the escape key after ESCDELAY."""


class TerminalClient(Protocol):
    """What the driver tells its app, on the event loop's thread."""

    def terminal_drained(self) -> None: ...

    def terminal_lost(self) -> None: ...


class GuardedDriver(LinuxDriver):
    """Back-pressure on output, and end of input or EIO means exit instead of a busy loop."""

    output_fd: int | None = None
    """Where to paint; set by ``stray_output.guard`` to a private duplicate of the terminal."""

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._output: Writer | None = None
        self.painter = Painter()
        self._wake_read = self._wake_write = -1

    @property
    def _client(self) -> TerminalClient:
        return cast(TerminalClient, self._app)

    @property
    def behind(self) -> bool:
        """Whether a frame should be skipped because the last one is still on its way."""
        return self._output is not None and self._output.behind

    @property
    def bytes_written(self) -> int:
        return 0 if self._output is None else self._output.written

    def _tell(self, method_name: str) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody is left to be told
            self._loop.call_soon_threadsafe(getattr(self._client, method_name))

    def _get_terminal_size(self) -> tuple[int, int]:
        """The size that the terminal itself states: ``COLUMNS`` and ``LINES`` of the environment do not follow it."""
        for fd in (self.fileno, 1, 2):
            with suppress(OSError):
                size = os.get_terminal_size(fd)
                if size.columns and size.lines:
                    return size.columns, size.lines
        return super()._get_terminal_size()

    def write(self, data: str) -> None:
        if self._output is not None:
            self._output.write(data)

    def start_application_mode(self) -> None:
        fd = self.output_fd if self.output_fd is not None else sys.__stderr__.fileno() if sys.__stderr__ else 2
        self._output = Writer(fd, lambda: self._tell("terminal_drained"), lambda: self._tell("terminal_lost"))
        self._output.start()
        self.painter.forget()
        self._wake_read, self._wake_write = os.pipe()
        start: Callable[[], None] = super().start_application_mode
        start()

    def disable_input(self) -> None:
        if self._wake_write != -1:
            os.close(self._wake_write)
            self._wake_write = -1
        super().disable_input()

    def close(self) -> None:
        super().close()
        if self._output is not None:
            self._output.stop(CLOSE_PATIENCE)
            self._output = None

    def run_input_thread(self) -> None:
        """Read keys until the wake pipe closes (a wanted stop) or the terminal ends (then the app is told)."""
        parser = KeyReader(self._debug)
        decode = getincrementaldecoder("utf-8")("replace").decode
        selector = selectors.DefaultSelector()
        selector.register(self.fileno, selectors.EVENT_READ)
        selector.register(self._wake_read, selectors.EVENT_READ)
        try:
            while True:
                ready = {key.fd for key, _ in selector.select(KEY_TICK)}
                if self._wake_read in ready:
                    return
                if self.fileno in ready:
                    try:
                        data = os.read(self.fileno, 4096)
                    except OSError:
                        data = b""
                    if not data:
                        self._tell("terminal_lost")
                        return
                    for event in parser.feed(decode(data)):
                        self.process_message(event)
                for event in parser.tick():
                    self.process_message(event)
        finally:
            selector.close()
            os.close(self._wake_read)
            self._wake_read = -1
