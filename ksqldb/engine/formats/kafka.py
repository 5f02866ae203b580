"""KAFKA: one column as Kafka's own serializers write it; and NONE: no column at all."""

from __future__ import annotations

import struct
from typing import Any

from ksqldb.engine.errors import DecodeError
from ksqldb.engine.formats.codec import Columns, Row
from ksqldb.engine.types import Base

_NUMBERS = {
    Base.INTEGER: (struct.Struct(">i"), "IntegerDeserializer"),
    Base.BIGINT: (struct.Struct(">q"), "LongDeserializer"),
    Base.DOUBLE: (struct.Struct(">d"), "Deserializer"),
}


class KafkaCodec:
    """INT (4 bytes), BIGINT (8), DOUBLE (8), all big-endian; STRING (UTF-8); BYTES."""

    def __init__(self, columns: Columns) -> None:
        ((_name, sql_type),) = columns
        self._base = sql_type.base
        self._number = _NUMBERS.get(sql_type.base)

    def decode(self, data: bytes | None) -> Row | None:
        if data is None:
            return None
        if self._number is not None:
            layout, deserializer = self._number
            if len(data) != layout.size:
                raise DecodeError(f"Size of data received by {deserializer} is not {layout.size}")
            return layout.unpack(data)
        return (data if self._base is Base.BYTES else data.decode("utf-8", "replace"),)

    def encode(self, row: Row | None) -> bytes | None:
        value: Any = None if row is None else row[0]
        if value is None:
            return None
        if self._number is not None:
            return self._number[0].pack(value)
        encoded: bytes = value if self._base is Base.BYTES else value.encode()
        return encoded


class NoneCodec:
    """Nothing is written and whatever is there is ignored."""

    def decode(self, data: bytes | None) -> Row | None:
        return None

    def encode(self, row: Row | None) -> bytes | None:
        return None
