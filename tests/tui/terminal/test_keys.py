"""Bytes that Textual's parser trips over do not end the reading of keys."""

from __future__ import annotations

import pytest
from textual.events import Key

from tui.terminal.keys import KeyReader


def keys(reader: KeyReader, text: str) -> list[str]:
    return [message.key for message in (*reader.feed(text), *reader.tick()) if isinstance(message, Key)]


@pytest.mark.parametrize("broken", ["\x1b[:A", "\x1b[1:;5C", "\x1b[200:~", ""])
def test_reading_goes_on_after_what_cannot_be_read(broken: str) -> None:
    reader = KeyReader()
    assert keys(reader, "a") == ["a"]
    list(reader.feed(broken))
    assert keys(reader, "q") == ["q"]


def test_what_can_be_read_is_read_as_ever() -> None:
    assert keys(KeyReader(), "\x1b[A\x1bOP") == ["up", "f1"]
