"""Rows of a query as columns of the grid: widths from the schema and the first rows, numbers at the right. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence

from tui.widgets.canvas import Cell
from tui.widgets.columns import Column

WIDEST = 40
_NUMERIC = ("INT", "BIGINT", "DOUBLE", "DECIMAL")


def text(value: object) -> str:
    """A value as JSON-like text; NULL is ``-``."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def columns_for(names: Sequence[str], types: Sequence[str], sample: Sequence[Sequence[object]]) -> list[Column]:
    """A column per name, as wide as the name and the sampled values need; earlier columns stay longest."""
    columns: list[Column] = []
    for index, name in enumerate(names):
        kind = types[index] if index < len(types) else ""
        values = [text(row[index]) for row in sample if index < len(row)]
        numeric = kind.startswith(_NUMERIC) or (not kind and bool(values) and all(_is_number(v) for v in values))
        width = min(WIDEST, max([len(name), *(len(value) for value in values)]))
        columns.append(
            Column(name, width, "right" if numeric else "left", grow=0 if numeric else 1, limit=width + 12, rank=-index)
        )
    return columns


def _is_number(value: str) -> bool:
    return value.replace(".", "", 1).lstrip("-").isdecimal()


def cells_for(row: Sequence[object], width: int) -> list[Cell]:
    """A cell per column of the schema, also when the row is short."""
    cells: list[Cell] = [(text(value), "dim" if value is None else "text") for value in row[:width]]
    return cells + [("", "dim")] * (width - len(cells))
