"""Rows of a query on their way out: as a table, as vertical records, as JSON lines or as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any, Protocol

from ksqldb.client import Column, Row, Tombstone, clean
from ksqldb.prompt._text import cell, json_text, line, width

NUMBERS = ("INTEGER", "BIGINT", "DOUBLE", "DECIMAL")
LEAST_COLUMN = 6
FORMATS = ("table", "json", "csv")


class Printer(Protocol):
    """Texts to be written, each with its new lines."""

    def head(self) -> str: ...

    def rows(self, rows: Sequence[Row]) -> str: ...


def printer(form: str, columns: list[Column], terminal_width: int | None) -> Printer:
    """``terminal_width`` None means that the reader is no terminal: nothing is cut then."""
    if form == "json":
        return JsonPrinter(columns)
    if form == "csv":
        return CsvPrinter(columns, for_terminal=terminal_width is not None)
    if terminal_width is not None and len(columns) * (LEAST_COLUMN + 3) - 3 > terminal_width:
        return VerticalPrinter(columns, terminal_width)
    return TablePrinter(columns, terminal_width)


class JsonPrinter:
    """One object a line; a tombstone of a table is marked."""

    def __init__(self, columns: list[Column]) -> None:
        self._names = [column.name for column in columns]

    def head(self) -> str:
        return ""

    def rows(self, rows: Sequence[Row]) -> str:
        return "".join(json_text(self._object(row)) + "\n" for row in rows)

    def _object(self, row: Row) -> dict[str, Any]:
        value = dict(zip(self._names, row, strict=False))
        return value | {"@tombstone": True} if isinstance(row, Tombstone) else value


class CsvPrinter:
    def __init__(self, columns: list[Column], *, for_terminal: bool) -> None:
        self._columns = columns
        self._for_terminal = for_terminal

    def head(self) -> str:
        return self._text([[column.name for column in self._columns]])

    def rows(self, rows: Sequence[Row]) -> str:
        return self._text([[self._value(value) for value in row] for row in rows])

    def _value(self, value: Any) -> str:
        if value is None:
            return ""
        if isinstance(value, bool | bytes | list | dict):
            return json_text(value).strip('"')
        return clean(str(value)) if self._for_terminal else str(value)

    def _text(self, rows: list[list[str]]) -> str:
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows(rows)
        return out.getvalue()


class TablePrinter:
    """Columns as wide as the first rows ask for, within the terminal; the head is written with them."""

    def __init__(self, columns: list[Column], terminal_width: int | None) -> None:
        self._columns = columns
        self._room = terminal_width
        self._right = [column.type.partition("(")[0] in NUMBERS for column in columns]
        self._widths: list[int] | None = None

    def head(self) -> str:
        return ""

    def rows(self, rows: Sequence[Row]) -> str:
        texts = [self._cells(row) for row in rows]
        lines: list[str] = []
        if self._widths is None:
            self._widths = self._measure(texts)
            lines.append(line([clean(column.name) for column in self._columns], self._widths, self._right))
            lines.append("-+-".join("-" * size for size in self._widths))
        if self._room is None:
            self._widths = [max(pair) for pair in zip(self._widths, self._needs(texts), strict=True)]
        widths, right = self._widths, self._right
        lines.extend(line(cells, widths, right) for cells in texts)
        return "\n".join(lines) + "\n"

    def _cells(self, row: Row) -> list[str]:
        cells = [cell(value) for value in row]
        if isinstance(row, Tombstone):
            cells = [text if value is not None else "<TOMBSTONE>" for text, value in zip(cells, row, strict=True)]
        return cells

    def _needs(self, texts: list[list[str]]) -> list[int]:
        return [max((width(cells[i]) for cells in texts), default=0) for i in range(len(self._columns))]

    def _measure(self, texts: list[list[str]]) -> list[int]:
        """Each column's wish, and where they do not fit together the widest give way first."""
        names = [width(clean(column.name)) for column in self._columns]
        wishes = [max(pair) for pair in zip(names, self._needs(texts), strict=True)]
        if self._room is None:
            return wishes
        room = self._room - 3 * (len(wishes) - 1)
        while sum(wishes) > room and max(wishes) > LEAST_COLUMN:
            widest = max(wishes)
            next_wide = max([w for w in wishes if w < widest], default=LEAST_COLUMN)
            many = wishes.count(widest)
            target = max(next_wide, LEAST_COLUMN, widest - max(1, (sum(wishes) - room) // many))
            wishes = [target if w == widest else w for w in wishes]
            if target == widest:
                break
        return wishes


class VerticalPrinter:
    """One line a column: what does not fit side by side stays readable."""

    def __init__(self, columns: list[Column], terminal_width: int) -> None:
        self._names = [clean(column.name) for column in columns]
        self._label = min(max((width(name) for name in self._names), default=0), terminal_width // 2)
        self._room = terminal_width
        self._count = 0

    def head(self) -> str:
        return ""

    def rows(self, rows: Sequence[Row]) -> str:
        lines: list[str] = []
        for row in rows:
            self._count += 1
            title = f"-[ {self._count}{' tombstone' if isinstance(row, Tombstone) else ''} ]"
            lines.append(title + "-" * max(0, min(self._room, 60) - len(title)))
            rooms = (self._label, max(self._room - self._label - 3, LEAST_COLUMN))
            lines.extend(line((name, cell(value)), rooms) for name, value in zip(self._names, row, strict=False))
        return "\n".join(lines) + "\n"
