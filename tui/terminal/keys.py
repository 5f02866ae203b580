"""What the terminal sends as messages; what Textual's reader trips over is passed over, and reading goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from textual._parser import ParseError
from textual._xterm_parser import XTermParser
from textual.message import Message


class KeyReader:
    """Textual's parser, begun anew after bytes that it cannot bear (``ESC [ : A`` ends it with an exception)."""

    def __init__(self, debug: bool = False) -> None:
        self._debug = debug
        self._parser = XTermParser(debug)

    def feed(self, text: str) -> Iterator[Message]:
        """The messages of this piece of input. No text, such as the first half of a letter, is no input: to Textual's
        parser it would be the end."""
        return self._safely(lambda parser: parser.feed(text)) if text else iter(())

    def tick(self) -> Iterator[Message]:
        """Messages that are due because nothing followed, such as a lone escape."""
        return self._safely(lambda parser: parser.tick())

    def _safely(self, read: Callable[[XTermParser], Iterable[Message]]) -> Iterator[Message]:
        try:
            yield from read(self._parser)
        except (ArithmeticError, LookupError, ParseError, TypeError, ValueError):
            self._parser = XTermParser(self._debug)
