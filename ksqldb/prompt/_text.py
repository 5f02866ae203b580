"""How values and cells look. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from wcwidth import wcswidth

from ksqldb.client import clean
from schema.text import escaped

_ENCODER = msgspec.json.Encoder(decimal_format="number")
CELL_LIMIT = 2000


def json_text(value: Any) -> str:
    """JSON on one line; signs that could act on a terminal are written as escapes, which changes no value."""
    return escaped(_ENCODER.encode(value).decode())


def cell(value: Any) -> str:
    """A value on one line of a table: NULL for none, nested values as JSON."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes | list | dict):
        return json_text(value).strip('"')[:CELL_LIMIT]
    return clean(str(value), CELL_LIMIT).replace("\n", "⏎").replace("\t", " ")


def width(text: str) -> int:
    """Columns of a terminal that a text takes."""
    if text.isascii():
        return len(text)
    found: int = wcswidth(text)
    return found if found >= 0 else len(text)


def fit(text: str, room: int, *, right: bool = False) -> str:
    """The text in exactly ``room`` columns: padded, or cut with an ellipsis."""
    size = width(text)
    if size > room:
        while text and width(text) > room - 1:
            text = text[:-1]
        text, size = text + "…", width(text) + 1
    padding = " " * (room - size)
    return padding + text if right else text + padding


def table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A small complete table, as wide as it needs to be."""
    texts = [[cell(value) for value in row] for row in rows]
    widths = [max([width(head), *(width(row[i]) for row in texts)]) for i, head in enumerate(heads)]
    lines = [line(heads, widths), "-+-".join("-" * w for w in widths)]
    lines.extend(line(row, widths) for row in texts)
    return "\n".join(lines)


def line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool] = ()) -> str:
    sides = right or [False] * len(cells)
    parts = (fit(text, room, right=side) for text, room, side in zip(cells, widths, sides, strict=True))
    return " | ".join(parts).rstrip()
