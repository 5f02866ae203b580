"""``CAST(x AS STRING)``: a value of any type as the text ksqlDB gives it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from ksqldb.engine.types import ArrayType, Base, MapType, SqlType, StructType
from ksqldb.engine.values.numbers import decimal_text, double_text
from ksqldb.engine.values.times import date_text, time_text, timestamp_text


def value_text(sql_type: SqlType) -> Callable[[Any], str]:
    """A function that renders non-null values of ``sql_type``: containers as Java's collections print
    (``[1, null]``, ``{k=v}``, ``Struct{A=1}``, where null fields are left out)."""
    match sql_type:
        case ArrayType(element=element):
            item = nullable_text(element)
            return lambda value: "[" + ", ".join(map(item, value)) + "]"
        case MapType(key=key, value=inner):
            key_text, inner_text = nullable_text(key), nullable_text(inner)
            return lambda value: "{" + ", ".join(f"{key_text(k)}={inner_text(v)}" for k, v in value.items()) + "}"
        case StructType(fields=fields):
            texts = {field.name: value_text(field.type) for field in fields}
            return lambda value: (
                "Struct{" + ",".join(f"{k}={texts[k](v)}" for k, v in value.items() if v is not None) + "}"
            )
    return _PRIMITIVE[sql_type.base]


def nullable_text(sql_type: SqlType) -> Callable[[Any], str]:
    """As ``value_text``, with ``null`` for None."""
    text = value_text(sql_type)
    return lambda value: "null" if value is None else text(value)


def _boolean_text(value: bool) -> str:
    return "true" if value else "false"


def _bytes_text(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


_PRIMITIVE: dict[Base, Callable[[Any], str]] = {
    Base.BOOLEAN: _boolean_text,
    Base.INTEGER: str,
    Base.BIGINT: str,
    Base.DOUBLE: double_text,
    Base.DECIMAL: decimal_text,
    Base.STRING: str,
    Base.BYTES: _bytes_text,
    Base.DATE: date_text,
    Base.TIME: time_text,
    Base.TIMESTAMP: timestamp_text,
}
