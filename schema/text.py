"""Text that strangers wrote, made harmless where it is printed."""

from __future__ import annotations

import re
import unicodedata

_HARMFUL = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # controls, direction marks, half characters, line separators
_UNUSUAL = re.compile(r"[^\x20-\x7e]")


def harmless(text: str) -> str:
    """The text with what could drive a terminal replaced by `?`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join("?" if unicodedata.category(char) in _HARMFUL else char for char in text)


def escaped(line: str) -> str:
    """A line of JSON with what could drive a terminal written as JSON's own escapes, which changes no value."""
    return line if line.isascii() and line.isprintable() else _UNUSUAL.sub(_escape, line)


def _escape(found: re.Match[str]) -> str:
    char = found[0]
    if unicodedata.category(char) not in _HARMFUL:
        return char
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{int.from_bytes(units[at : at + 2]):04x}" for at in range(0, len(units), 2))
