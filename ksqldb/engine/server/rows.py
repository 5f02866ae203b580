"""Rows of a query as the bytes of a response, in the three formats of ``/query-stream``. No I/O.

Types are static, so each query gets one conversion function per column that needs one; the rest of the work is
msgspec's. A whole batch becomes one piece of text, which is what makes many rows a second cheap.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Protocol

import msgspec

from ksqldb.engine.run.results import Column, QueryKind, Row
from ksqldb.engine.server.errors import error_entity
from ksqldb.engine.server.protobuf import ProtobufRows, proto_schema
from ksqldb.engine.types import ArrayType, Base, DecimalType, MapType, SqlType, StructType, quote
from ksqldb.engine.values import date_text, double_text, time_text, timestamp_text

Convert = Callable[[Any], Any]

_ENCODER = msgspec.json.Encoder(decimal_format="number")


def json_bytes(value: object) -> bytes:
    """JSON as ksqlDB writes it: decimals as bare numbers, text unescaped."""
    return _ENCODER.encode(value)


def converter(kind: SqlType) -> Convert | None:
    """What turns an engine value of ``kind`` into what msgspec writes as ksqlDB would; None where that is itself."""
    if isinstance(kind, DecimalType):
        return _plain_decimal if kind.scale > 6 else None  # up to six digits str() needs no exponent
    if isinstance(kind, ArrayType):
        return _array(converter(kind.element))
    if isinstance(kind, MapType):
        return _map(converter(kind.value))
    if isinstance(kind, StructType):
        return _struct({f.name: convert for f in kind.fields if (convert := converter(f.type)) is not None})
    return _SCALARS.get(kind.base)


def _double(value: float) -> Any:
    if 1e-3 <= value < 1e7 or -1e7 < value <= -1e-3 or value == 0.0:
        return value
    text = double_text(value)
    return text if value != value or text.endswith("y") else msgspec.Raw(text.encode())


def _plain_decimal(value: Decimal) -> msgspec.Raw:
    return msgspec.Raw(format(value, "f").encode())


_SCALARS: dict[Base, Convert] = {
    Base.DOUBLE: _double,
    Base.DATE: date_text,
    Base.TIME: time_text,
    Base.TIMESTAMP: timestamp_text,
}


def _array(convert: Convert | None) -> Convert | None:
    if convert is None:
        return None
    return lambda values: [None if v is None else convert(v) for v in values]


def _map(convert: Convert | None) -> Convert | None:
    if convert is None:
        return None
    return lambda values: {k: None if v is None else convert(v) for k, v in values.items()}


def _struct(converts: dict[str, Convert]) -> Convert | None:
    if not converts:
        return None

    def apply(values: dict[str, Any]) -> dict[str, Any]:
        return {k: converts[k](v) if v is not None and k in converts else v for k, v in values.items()}

    return apply


class RowTexts:
    """Batches of rows as new-line terminated JSON arrays, or wrapped as v1+json wants them."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._converts = [(i, convert) for i, c in enumerate(columns) if (convert := converter(c.type)) is not None]

    def values(self, row: Row) -> Sequence[Any]:
        if not self._converts:
            return row.values
        values: list[Any] = list(row.values)
        for i, convert in self._converts:
            if values[i] is not None:
                values[i] = convert(values[i])
        return values

    def lines(self, rows: Sequence[Row]) -> bytes:
        """One JSON array a line. Tombstones are left out, as ksqlDB does in these formats."""
        return _ENCODER.encode_lines([self.values(row) for row in rows if not row.tombstone])

    def wrapped(self, rows: Sequence[Row]) -> list[dict[str, object]]:
        """``{"row":{...}}`` for each."""
        return [{"row": self._wrap(row)} for row in rows]

    def _wrap(self, row: Row) -> dict[str, Any]:
        columns = self.values(row)
        return {"columns": columns, "tombstone": True} if row.tombstone else {"columns": columns}


class Writer(Protocol):
    """The texts of one response. ``rows`` may be empty when nothing of a batch shows in the format."""

    media_type: str

    def head(self) -> bytes: ...

    def rows(self, rows: Sequence[Row]) -> bytes: ...

    def error(self, problem: Exception) -> bytes: ...

    def end(self, limit_reached: bool) -> bytes: ...


class Described(Protocol):
    """The part of a query that its writer looks at."""

    @property
    def query_id(self) -> str: ...

    @property
    def kind(self) -> QueryKind: ...

    @property
    def columns(self) -> Sequence[Column]: ...


def metadata(query: Described) -> bytes:
    names = [column.name for column in query.columns]
    types = [str(column.type) for column in query.columns]
    return json_bytes({"queryId": query.query_id, "columnNames": names, "columnTypes": types})


class DelimitedWriter:
    media_type = "application/vnd.ksqlapi.delimited.v1"

    def __init__(self, query: Described) -> None:
        self._query = query
        self._texts = RowTexts(query.columns)

    def head(self) -> bytes:
        return metadata(self._query) + b"\n"

    def rows(self, rows: Sequence[Row]) -> bytes:
        return self._texts.lines(rows)

    def error(self, problem: Exception) -> bytes:
        return json_bytes(error_entity(problem)) + b"\n"

    def end(self, limit_reached: bool) -> bytes:
        return b""


class JsonWriter:
    """One array of metadata and rows without new lines."""

    media_type = "application/json"

    def __init__(self, query: Described) -> None:
        self._query = query
        self._texts = RowTexts(query.columns)

    def head(self) -> bytes:
        return b"[" + metadata(self._query)

    def rows(self, rows: Sequence[Row]) -> bytes:
        lines = self._texts.lines(rows)
        return b"," + lines[:-1].replace(b"\n", b",") if lines else b""  # new lines inside text are escaped

    def error(self, problem: Exception) -> bytes:
        return b"," + json_bytes(error_entity(problem)) + b"]"

    def end(self, limit_reached: bool) -> bytes:
        return b"]"


class StreamedRowWriter:
    """``application/vnd.ksql.v1+json``. A pull query over a table has no final message and separates its elements;
    every other query ends each element with its own comma. ``protobuf``: the rows are messages, whose schema stands in
    the header."""

    def __init__(self, query: Described, protobuf: bool = False) -> None:
        self.media_type = f"application/vnd.ksql.v1+{'protobuf' if protobuf else 'json'}"
        self._query = query
        self._protobuf = protobuf
        self._rows = ProtobufRows(query.columns) if protobuf else RowTexts(query.columns)
        self._separates = query.kind == "pull_table"

    def head(self) -> bytes:
        header = {"queryId": self._query.query_id, "schema": schema_text(self._query.columns, self._query.kind)}
        if self._protobuf:
            header["protoSchema"] = proto_schema(self._query.columns)
        return b"[" + json_bytes({"header": header}) + (b"" if self._separates else b",\n")

    def rows(self, rows: Sequence[Row]) -> bytes:
        lines = _ENCODER.encode_lines(self._rows.wrapped(rows))
        if not lines:
            return b""
        if self._separates:
            return b",\n" + lines[:-1].replace(b"\n", b",\n")
        return lines.replace(b"\n", b",\n")

    def error(self, problem: Exception) -> bytes:
        element = json_bytes({"errorMessage": error_entity(problem)})
        return b",\n" + element + b"]" if self._separates else element + b",\n]"

    def end(self, limit_reached: bool) -> bytes:
        if self._separates:
            return b"]"
        return json_bytes({"finalMessage": "Limit Reached" if limit_reached else "Query Completed"}) + b"]"


class PrintWriter:
    """Lines of PRINT; without a content type on the newer endpoint."""

    def __init__(self, media_type: str = "") -> None:
        self.media_type = media_type

    def head(self) -> bytes:
        return b""

    def rows(self, rows: Sequence[Row]) -> bytes:
        return "".join(f"{row.values[0]}\n" for row in rows).encode()

    def error(self, problem: Exception) -> bytes:
        return json_bytes(error_entity(problem)) + b"\n"

    def end(self, limit_reached: bool) -> bytes:
        return b""


def schema_text(columns: Sequence[Column], kind: QueryKind) -> str:
    """``` `K` STRING KEY, `N` BIGINT ```; only a pull query over a table marks its keys."""
    marks = kind == "pull_table"
    return ", ".join(f"{quote(c.name)} {c.type}{' KEY' if marks and c.is_key else ''}" for c in columns)


def schema_fields(columns: Sequence[Column]) -> list[dict[str, object]]:
    """The columns as DESCRIBE and the web socket list them."""
    return [{"name": column.name, "schema": _schema_entity(column.type)} for column in columns]


def _schema_entity(kind: SqlType) -> dict[str, object]:
    fields: object = None
    member: object = None
    entity: dict[str, object] = {"type": kind.base.value}
    if isinstance(kind, StructType):
        fields = [{"name": f.name, "schema": _schema_entity(f.type)} for f in kind.fields]
    elif isinstance(kind, ArrayType):
        member = _schema_entity(kind.element)
    elif isinstance(kind, MapType):
        member = _schema_entity(kind.value)
    elif isinstance(kind, DecimalType):
        entity["parameters"] = {"precision": kind.precision, "scale": kind.scale}
    return entity | {"fields": fields, "memberSchema": member}
