"""An error's message, with the place in the statement it speaks of."""

from __future__ import annotations

import re

from ksqldb.client import KsqlServerError, clean
from ksqldb.prompt._text import width

_PLACE = re.compile(r"\b(?:line (\d+):(\d+): |Line: (\d+), Col: (\d+): )")
_STATEMENT_TAIL = re.compile(r"\n(?:Statement: ).*", re.S)


def error_text(problem: KsqlServerError, statement: str, line: int = 1, column: int = 1) -> str:
    """The server's message and, where it names a line and a column, that line with a mark under the place.

    ``line`` and ``column`` say where the statement begins in what the user wrote; places are given in that text.
    """
    message = _STATEMENT_TAIL.sub("", problem.message).rstrip()
    found = _PLACE.search(message)
    if not found:
        return f"error {problem.error_code}: {message}"
    at_line, at_column = (int(found[1]), int(found[2])) if found[1] else (int(found[3]), int(found[4]))
    lines = statement.split("\n")
    shown = f"{at_line + line - 1}:{at_column + (column - 1 if at_line == 1 else 0)}"
    text = f"error {problem.error_code} at {shown}: {message[: found.start()]}{message[found.end() :]}"
    if not 1 <= at_line <= len(lines):
        return text
    source = clean(lines[at_line - 1])
    number = str(at_line + line - 1)
    mark = " " * width(source[: at_column - 1]) + "^"
    return f"{text}\n  {number} | {source}\n  {' ' * len(number)} | {mark}"
