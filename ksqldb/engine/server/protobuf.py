"""Rows in the protobuf form of ``/query-stream``: the message's schema in the header, each row's bytes in base64."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence

from ksqldb.engine.formats.protobuf import ProtobufCodec
from ksqldb.engine.run.results import Column, Row
from ksqldb.engine.types import ArrayType, Base, DecimalType, MapType, SqlType, StructType

_MESSAGE = "ConnectDefault"
_PLAIN = {
    Base.BOOLEAN: "bool",
    Base.INTEGER: "int32",
    Base.BIGINT: "int64",
    Base.DOUBLE: "double",
    Base.STRING: "string",
    Base.BYTES: "bytes",
}
_SHARED = {
    Base.DECIMAL: ("confluent.type.Decimal", "confluent/type/decimal.proto"),
    Base.DATE: ("google.type.Date", "google/type/date.proto"),
    Base.TIME: ("google.type.TimeOfDay", "google/type/timeofday.proto"),
    Base.TIMESTAMP: ("google.protobuf.Timestamp", "google/protobuf/timestamp.proto"),
}


def proto_schema(columns: Sequence[Column]) -> str:
    """The .proto text of one message with the columns as its fields 1, 2, ..."""
    schema = _Schema()
    body = schema.message(1, [(column.name, column.type) for column in columns])
    imports = "".join(f'import "{name}";\n' for name in schema.imports)
    return f'syntax = "proto3";\n\n{imports}{chr(10) if imports else ""}' + "".join(f"{line}\n" for line in body)


class _Schema:
    """Messages are numbered in the order in which they come up."""

    def __init__(self) -> None:
        self.imports: dict[str, None] = {}
        self.count = 1

    def message(self, number: int, fields: Iterable[tuple[str, SqlType]]) -> list[str]:
        nested: list[list[str]] = []
        lines = [f"{self._field(name, kind, nested)} = {place};" for place, (name, kind) in enumerate(fields, 1)]
        for inner in nested:
            lines += ["", *inner]
        return [f"message {_MESSAGE}{number} {{", *(f"  {line}" if line else "" for line in lines), "}"]

    def _field(self, name: str, kind: SqlType, nested: list[list[str]]) -> str:
        if isinstance(kind, ArrayType):
            return f"repeated {self._type(kind.element, nested)} {name}"
        if isinstance(kind, MapType):
            return f"map<{self._type(kind.key, nested)}, {self._type(kind.value, nested)}> {name}"
        return f"{self._type(kind, nested)} {name}"

    def _type(self, kind: SqlType, nested: list[list[str]]) -> str:
        if isinstance(kind, StructType):
            self.count += 1
            nested.append(self.message(self.count, [(field.name, field.type) for field in kind.fields]))
            return f"{_MESSAGE}{self.count}"
        if isinstance(kind, DecimalType) or kind.base in _SHARED:
            name, file = _SHARED[kind.base]
            self.imports[file] = None
            return name
        return _PLAIN.get(kind.base, str(kind))


class ProtobufRows:
    """Batches of rows as the elements of a response."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._codec = ProtobufCodec([(column.name, column.type) for column in columns], None)

    def wrapped(self, rows: Sequence[Row]) -> list[dict[str, object]]:
        return [self._wrap(row) for row in rows]

    def _wrap(self, row: Row) -> dict[str, object]:
        text = base64.b64encode(self._codec.encode(row.values) or b"").decode()
        element: dict[str, object] = {"protobufBytes": text}
        return {"row": element | {"tombstone": True} if row.tombstone else element}
