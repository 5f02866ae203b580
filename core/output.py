"""How commands print: rows to stdout (a table, or JSON lines), sentences to stderr. Foreign text is made harmless."""

import json
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from schema.text import escaped, harmless

__all__ = ["harmless", "note", "print_json", "print_rows", "width"]


def note(sentence: str) -> None:
    """Progress or a message, for the person; never part of the answer."""
    print(harmless(sentence), file=sys.stderr, flush=True)


def width(text: str) -> int:
    """Columns the text takes in a terminal."""
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(unicodedata.combining(char) != 0 for char in text)


def print_rows(columns: Sequence[str], rows: Iterable[Sequence[Any]], as_json: bool = False) -> None:
    """Rows with their values in the order of `columns`: a JSON object a line, or a table with numbers to the right.

    A table has times in local time, to the second; JSON has them whole.
    """
    if as_json:
        for row in rows:
            print_json(dict(zip(columns, row, strict=True)))
        return
    cells = [[_cell(value) for value in row] for row in rows]
    right = [bool(cells) and all(_is_number(row[at]) for row in cells) for at in range(len(columns))]
    lines = [[column.replace("_", " ") for column in columns], *cells]
    widths = [max(width(line[at]) for line in lines) for at in range(len(columns))]
    for line in lines:
        print("  ".join(map(_pad, line, widths, right)).rstrip())


def print_json(value: Mapping[str, Any]) -> None:
    """One object as a line."""
    print(escaped(json.dumps(value, ensure_ascii=False, default=str)), flush=True)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value.astimezone():%Y-%m-%d %H:%M:%S}"
    return harmless(str(value))


def _is_number(cell: str) -> bool:
    return cell == "-" or cell.removeprefix("-").replace(".", "", 1).isdigit()


def _pad(cell: str, size: int, right: bool) -> str:
    room = " " * (size - width(cell))
    return room + cell if right else cell + room
