"""Test data (JSON) to the bytes of a topic and back, by the formats of the source over it."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from ksqldb.engine.analyse.serdes import build_key_codec, build_value_codec
from ksqldb.engine.ast import WindowKind
from ksqldb.engine.formats.windowed import (
    add_session_window,
    add_time_window,
    split_session_window,
    split_time_window,
)
from ksqldb.engine.metastore import Column, FormatInfo, Source
from ksqldb.engine.types import ArrayType, Base, MapType, SqlType, StructType


class _Number(float):
    """A float that json.dumps writes as the digits it was given."""

    def __new__(cls, value: Decimal) -> _Number:
        made = super().__new__(cls, value)
        made.text = str(value)
        return made

    text: str

    def __repr__(self) -> str:
        return self.text


def json_bytes(node: Any) -> bytes:
    return json.dumps(_with_numbers(node), separators=(",", ":"), ensure_ascii=False).encode()


def _with_numbers(node: Any) -> Any:
    if isinstance(node, Decimal):
        return _Number(node)
    if isinstance(node, list):
        return [_with_numbers(item) for item in node]
    if isinstance(node, dict):
        return {name: _with_numbers(item) for name, item in node.items()}
    return node


def parse_json(data: bytes) -> Any:
    return json.loads(data, parse_float=Decimal)


def encode_key(source: Source, node: Any, window: dict[str, Any] | None) -> bytes | None:
    if source.key_format.name == "NONE":
        return None
    data = _encode(source.key_format, source.schema.key, None, node, key=True)
    if window is None:
        return data
    if source.window is not None and source.window.kind is WindowKind.SESSION:
        return add_session_window(data, int(window["start"]), int(window["end"]))
    return add_time_window(data, int(window["start"]))


def encode_value(source: Source, node: Any) -> bytes | None:
    return _encode(source.value_format, source.schema.value, source.wrap_value, node, key=False)


def _encode(info: FormatInfo, columns: Sequence[Column], wrap: bool | None, node: Any, key: bool) -> bytes | None:
    if node is None:
        return None
    match info.name:
        case "JSON":
            return json_bytes(node)
        case "DELIMITED":
            return text_of(node).encode()
        case "NONE":
            return None
        case "KAFKA":
            if not columns:
                return text_of(node).encode()
            codec = build_key_codec(info, columns) if key else build_value_codec(info, columns, wrap)
            return codec.encode((to_python(node, columns[0].type),))
        case _:
            codec = build_key_codec(info, columns) if key else build_value_codec(info, columns, wrap)
            return codec.encode(_row(columns, node))


def _row(columns: Sequence[Column], node: Any) -> tuple[Any, ...]:
    if len(columns) == 1 and not isinstance(node, dict):
        return (to_python(node, columns[0].type),)
    found = {name.upper(): item for name, item in node.items()}
    exact = dict(node)
    return tuple(to_python(exact.get(c.name, found.get(c.name.upper())), c.type) for c in columns)


def text_of(node: Any) -> str:
    if isinstance(node, bool):
        return str(node).lower()
    return str(node)


def to_python(node: Any, sql_type: SqlType) -> Any:
    """A JSON node as the engine's value of a type."""
    if node is None:
        return None
    match sql_type:
        case ArrayType():
            return [to_python(item, sql_type.element) for item in node]
        case MapType():
            return {name: to_python(item, sql_type.value) for name, item in node.items()}
        case StructType():
            given = {name.upper(): item for name, item in node.items()}
            return {f.name: to_python(node.get(f.name, given.get(f.name.upper())), f.type) for f in sql_type.fields}
    match sql_type.base:
        case Base.DOUBLE:
            return float(node)
        case Base.DECIMAL:
            return Decimal(str(node))
        case Base.BYTES:
            return base64.b64decode(node)
        case Base.STRING:
            return node if isinstance(node, str) else text_of(node)
        case Base.BOOLEAN:
            return node
        case _:
            return int(node)


def to_json(value: Any, sql_type: SqlType) -> Any:
    """An engine's value as the JSON node a case would have for it."""
    if value is None:
        return None
    match sql_type:
        case ArrayType():
            return [to_json(item, sql_type.element) for item in value]
        case MapType():
            return {name: to_json(item, sql_type.value) for name, item in value.items()}
        case StructType():
            return {f.name: to_json(value.get(f.name), f.type) for f in sql_type.fields}
    if sql_type.base is Base.BYTES:
        return base64.b64encode(value).decode()
    if sql_type.base is Base.DOUBLE:
        return Decimal(repr(value))
    return value


def decode_key(source: Source, data: bytes | None) -> tuple[Any, tuple[int, int, str] | None]:
    """The key's JSON node and its window (start, end, time|session)."""
    window = None
    if source.window is not None and data is not None:
        if source.window.kind is WindowKind.SESSION:
            data, start, end = split_session_window(data)
            window = (start, end, "session")
        else:
            data, start = split_time_window(data)
            window = (start, start + (source.window.size_ms or 0), "time")
        data = data or None
    return _decode(source.key_format, source.schema.key, None, data, key=True), window


def decode_value(source: Source, data: bytes | None) -> Any:
    return _decode(source.value_format, source.schema.value, source.wrap_value, data, key=False)


def _decode(info: FormatInfo, columns: Sequence[Column], wrap: bool | None, data: bytes | None, key: bool) -> Any:
    if data is None:
        return None
    match info.name:
        case "JSON":
            return parse_json(data)
        case "DELIMITED":
            return data.decode()
        case "NONE":
            return None
    codec = build_key_codec(info, columns) if key else build_value_codec(info, columns, wrap)
    row = codec.decode(data)
    if row is None:
        return None
    nodes = {c.name: to_json(v, c.type) for c, v in zip(columns, row, strict=True)}
    return next(iter(nodes.values())) if info.name == "KAFKA" or (len(columns) == 1 and wrap is False) else nodes
