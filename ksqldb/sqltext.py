"""Cutting SQL text into statements without parsing it: for files, the prompt and the rulebook. No I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PART = re.compile(
    r"""(?P<quiet>\s+|--[^\n]*|/\*.*?\*/)       # what may stand between statements
      | (?P<text>'(?:[^']|'')*'|"[^"]*"|`(?:[^`]|``)*`)
      | (?P<open>'|"|`|/\*)                     # begun and not ended
      | (?P<end>;)
      | (?P<other>[^\s;'"`/-]+|.)""",
    re.S | re.X,
)

LOOKING = frozenset(("SELECT", "PRINT", "SHOW", "LIST", "DESCRIBE", "EXPLAIN", "SET", "UNSET", "DEFINE", "UNDEFINE"))
"""First words of statements that leave a server as it is; a push query ends with its reader."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A statement with the place in the whole text where it begins (both from 1), and whether its ``;`` is there."""

    text: str
    line: int
    column: int
    complete: bool


def split(text: str) -> list[Piece]:
    """The statements of a text, comments before them left out; the last one may be incomplete."""
    pieces: list[Piece] = []
    start: int | None = None
    at = 0
    while found := _PART.match(text, at):
        kind, at = found.lastgroup, found.end()
        if kind == "open":
            start = found.start() if start is None else start
            at = len(text)
        elif kind == "end":
            pieces.append(_piece(text, found.start() if start is None else start, at, complete=True))
            start = None
        elif kind != "quiet" and start is None:
            start = found.start()
    if start is not None:
        pieces.append(_piece(text, start, len(text), complete=False))
    return pieces


def changing(text: str) -> str | None:
    """The first word of the first statement that may change something on a server; None where all of them only look.

    What does not begin with a word, such as a variable, may.
    """
    for piece in split(text):
        word = re.match(r"\w*", without_comments(piece.text))
        if word is None or word[0].upper() not in LOOKING:
            return word[0].upper() if word and word[0] else "this"
    return None


def _piece(text: str, start: int, end: int, *, complete: bool) -> Piece:
    line = text.count("\n", 0, start) + 1
    column = start - (text.rfind("\n", 0, start) + 1) + 1
    return Piece(text[start:end].rstrip(), line, column, complete)


def without_comments(text: str) -> str:
    """The text with comments taken out and every run of white space made one space."""
    parts = (" " if m["quiet"] else m[0] for m in _PART.finditer(text))
    return re.sub(r"[ ]+", " ", "".join(parts)).strip()
