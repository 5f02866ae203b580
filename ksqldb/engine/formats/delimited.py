"""DELIMITED: one line of separated values, quoted where needed (commons-csv's DEFAULT format)."""

from __future__ import annotations

import base64
import binascii
import csv
import io
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, Inexact, InvalidOperation
from typing import Any

from ksqldb.engine.errors import DecodeError
from ksqldb.engine.formats.codec import Columns, Row
from ksqldb.engine.formats.json_decode import decimal_fit
from ksqldb.engine.types import Base, DecimalType, SqlType
from ksqldb.engine.values import INT_MAX, INT_MIN, LONG_MAX, LONG_MIN, decimal_text, double_text, parse_double

csv.field_size_limit(2**31 - 1)  # the broker's own limit on records counts, not csv's
_WHOLE = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_NAMED = {"TAB": "\t", "SPACE": " "}


def delimiter(properties: Mapping[str, object], side: str) -> str:
    """The separator of the ``side`` (KEY or VALUE): ``<side>_DELIMITER``, a comma where it is not set."""
    text = str(properties.get(f"{side}_DELIMITER", ","))
    return _NAMED.get(text.upper(), text)


class DelimitedCodec:
    def __init__(self, columns: Columns, separator: str) -> None:
        self._separator = separator
        self._reads = [_reader(sql_type) for _name, sql_type in columns]
        self._writes = [_writer(sql_type) for _name, sql_type in columns]

    def decode(self, data: bytes | None) -> Row | None:
        if data is None:
            return None
        fields = self._fields(data.decode("utf-8", "replace"))
        if len(fields) != len(self._reads):
            raise DecodeError(f"Unexpected field count, csvFields:{len(fields)} schemaFields:{len(self._reads)}")
        try:
            return tuple(read(text) if text else None for read, text in zip(self._reads, fields, strict=True))
        except (ValueError, Inexact, InvalidOperation, binascii.Error) as error:
            raise DecodeError(f"Failed to deserialize DELIMITED value: {error}") from None

    def _fields(self, text: str) -> list[str]:
        if '"' not in text and "\n" not in text and "\r" not in text:
            if not text:
                raise DecodeError("No fields in record")
            return text.split(self._separator)
        try:
            lines = io.StringIO(text, newline="")  # breaks at CR and LF alone, as commons-csv does
            line = next(csv.reader(lines, delimiter=self._separator, strict=True), None)
        except csv.Error as error:
            raise DecodeError(f"not DELIMITED: {error}") from None
        if not line:
            raise DecodeError("No fields in record")
        return line

    def encode(self, row: Row | None) -> bytes | None:
        if row is None:
            return None
        texts = ("" if value is None else write(value) for write, value in zip(self._writes, row, strict=True))
        shown = (self._quoted(text, at == 0, row[at] is None) for at, text in enumerate(texts))
        return self._separator.join(shown).encode()

    def _quoted(self, text: str, first: bool, null: bool) -> str:
        if not text:
            return '""' if first and not null else ""
        plain = (
            text[0] > "#"
            and text[-1] > " "
            and (not first or (text[0].isascii() and text[0].isalnum()))
            and not any(sign in text for sign in ('"', "\n", "\r", self._separator))
        )
        return text if plain else '"' + text.replace('"', '""') + '"'


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not _WHOLE.fullmatch(text) or not low <= int(text) <= high:
            raise ValueError(f'For input string: "{text}"')
        return int(text)

    return read


def _decimal(sql_type: DecimalType) -> Callable[[str], Decimal]:
    fit = decimal_fit(sql_type)
    return lambda text: fit(Decimal(text if _NUMBER.fullmatch(text) else "not a number"))


def _reader(sql_type: SqlType) -> Callable[[str], Any]:
    if isinstance(sql_type, DecimalType):
        return _decimal(sql_type)
    int32, int64 = _whole(INT_MIN, INT_MAX), _whole(LONG_MIN, LONG_MAX)
    readers: dict[Base, Callable[[str], Any]] = {
        Base.BOOLEAN: lambda text: text.lower() == "true",
        Base.INTEGER: int32,
        Base.BIGINT: int64,
        Base.DOUBLE: parse_double,
        Base.STRING: str,
        Base.BYTES: lambda text: base64.b64decode(text, validate=True),
        Base.DATE: int32,
        Base.TIME: int32,
        Base.TIMESTAMP: int64,
    }
    return readers[sql_type.base]


def _writer(sql_type: SqlType) -> Callable[[Any], str]:
    return {
        Base.BOOLEAN: lambda value: "true" if value else "false",
        Base.DOUBLE: double_text,
        Base.DECIMAL: decimal_text,
        Base.BYTES: lambda value: base64.b64encode(value).decode("ascii"),
    }.get(sql_type.base, str)
