"""Column types as ksqlDB prints them, and the Python types their JSON decodes to.

| SQL                               | Python                          |
|-----------------------------------|---------------------------------|
| BOOLEAN                           | bool                            |
| INTEGER, BIGINT                   | int                             |
| DOUBLE                            | float ("NaN" and "Infinity" stay text) |
| DECIMAL(p, s)                     | decimal.Decimal, scale kept     |
| STRING, DATE, TIME, TIMESTAMP     | str, as the server prints them  |
| BYTES                             | bytes                           |
| ARRAY, MAP, STRUCT                | list, dict, dict                |
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, TypedDict

import msgspec

_TOKEN = re.compile(r"\s*(?:`((?:[^`]|``)*)`|(\w+)|(.))", re.S)
_PLAIN: dict[str, Any] = {
    "BOOLEAN": bool,
    "INTEGER": int,
    "INT": int,
    "BIGINT": int,
    "DOUBLE": float | str,
    "DECIMAL": Decimal,
    "STRING": str,
    "VARCHAR": str,
    "DATE": str,
    "TIME": str,
    "TIMESTAMP": str,
    "BYTES": bytes,
}


class Column(msgspec.Struct, frozen=True):
    """A column of a result: ``type`` as ksqlDB prints it, ``key`` where the server marks it (pull queries, v1+json)."""

    name: str
    type: str
    key: bool = False


class _Scanner:
    """A reader of type texts that remembers where a type began, so that its text can be given back."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def _match(self) -> tuple[str, str, int]:
        found = _TOKEN.match(self.text, self.at)
        if not found:
            return "end", "", len(self.text)
        if found[1] is not None:
            return "name", found[1].replace("``", "`"), found.end()
        return ("word", found[2], found.end()) if found[2] is not None else ("sign", found[3], found.end())

    def peek(self) -> str:
        return self._match()[1]

    def next(self) -> str:
        _, value, self.at = self._match()
        return value

    def skip(self, sign: str) -> bool:
        if self.peek() != sign:
            return False
        self.next()
        return True

    def type(self) -> Any:
        word = self.next().upper()
        if word == "ARRAY":
            self.skip("<")
            element = self.type()
            self.skip(">")
            return list[element | None]  # type: ignore[valid-type]  # built at run time for msgspec
        if word == "MAP":
            self.skip("<")
            self.type()  # keys are JSON object keys: text
            self.skip(",")
            value = self.type()
            self.skip(">")
            return dict[str, value | None]  # type: ignore[valid-type]  # built at run time for msgspec
        if word == "STRUCT":
            fields: dict[str, Any] = {}
            self.skip("<")
            while self.peek() not in (">", ""):
                name = self.next()
                fields[name] = self.type() | None
                self.skip(",")
            self.skip(">")
            return TypedDict("Struct", fields)  # type: ignore[operator]  # built at run time for msgspec
        if self.skip("("):
            while self.next() not in (")", ""):
                pass
        return _PLAIN.get(word, Any)


def python_type(text: str) -> Any:
    """The type that msgspec decodes a column of SQL type ``text`` to; NULL comes on top."""
    return _Scanner(text).type()


def parse_schema(text: str) -> list[Column]:
    """The columns of a schema text such as ``` `ID` STRING KEY, `N` DECIMAL(4, 2) ```."""
    scanner = _Scanner(text)
    columns: list[Column] = []
    while scanner.peek():
        name = scanner.next()
        start = scanner.at
        scanner.type()
        kind = text[start : scanner.at].strip()
        key = scanner.skip("KEY")
        columns.append(Column(name, kind, key))
        if not scanner.skip(","):
            break
    return columns


def row_decoder(columns: list[Column]) -> msgspec.json.Decoder[tuple[Any, ...]]:
    """A decoder of one row, a JSON array with a value for each column."""
    kinds = tuple(_nullable(python_type(column.type)) for column in columns)
    return msgspec.json.Decoder(tuple[kinds] if kinds else tuple[()])  # type: ignore[valid-type]


def _nullable(kind: Any) -> Any:
    return kind if kind is Any else kind | None
