"""Rows to JSON text: all columns in order, nulls explicit, doubles as Java prints them, decimals plain."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import msgspec

from ksqldb.engine.formats.codec import Columns, Row
from ksqldb.engine.formats.json_decode import quoted
from ksqldb.engine.types import ArrayType, Base, DecimalType, MapType, SqlType, StructType
from ksqldb.engine.values import decimal_text, double_text


def json_text(sql_type: SqlType) -> Callable[[Any], str]:
    """A function that writes values of ``sql_type``, None included, as JSON text."""
    text = _text(sql_type)
    return lambda value: "null" if value is None else text(value)


def _text(sql_type: SqlType) -> Callable[[Any], str]:
    match sql_type:
        case ArrayType(element=element):
            item = json_text(element)
            return lambda value: "[" + ",".join(map(item, value)) + "]"
        case MapType(key=key, value=inner):
            name, item = _key_text(key), json_text(inner)
            return lambda value: "{" + ",".join(f"{name(k)}:{item(v)}" for k, v in value.items()) + "}"
        case StructType(fields=fields):
            parts = [(field.name, quoted(field.name), json_text(field.type)) for field in fields]
            return lambda value: "{" + ",".join(f"{shown}:{item(value[name])}" for name, shown, item in parts) + "}"
    return _PRIMITIVE[sql_type.base]


def _key_text(sql_type: SqlType) -> Callable[[Any], str]:
    if sql_type.base is Base.STRING:
        return lambda key: quoted("null" if key is None else key)
    text = _text(sql_type)
    return lambda key: quoted("null" if key is None else text(key))


def _double(value: float) -> str:
    text = double_text(value)
    return text if text[-1] not in "Ny" else f'"{text}"'  # NaN and Infinity


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _bytes(value: bytes) -> str:
    return f'"{base64.b64encode(value).decode("ascii")}"'


_PRIMITIVE: dict[Base, Callable[[Any], str]] = {
    Base.BOOLEAN: _boolean,
    Base.INTEGER: str,
    Base.BIGINT: str,
    Base.DOUBLE: _double,
    Base.DECIMAL: decimal_text,
    Base.STRING: quoted,
    Base.BYTES: _bytes,
    Base.DATE: str,
    Base.TIME: str,
    Base.TIMESTAMP: str,
}


def object_encoder(columns: Columns) -> Callable[[Row | None], bytes | None]:
    """An encoder of rows as JSON objects: msgspec's where its text is ksqlDB's, else column by column."""
    texts = [(quoted(name), json_text(sql_type)) for name, sql_type in columns]

    def by_column(row: Row | None) -> bytes | None:
        if row is None:
            return None
        parts = (f"{name}:{text(value)}" for (name, text), value in zip(texts, row, strict=True))
        return ("{" + ",".join(parts) + "}").encode()

    if not columns or not all(_same_in_msgspec(sql_type) or sql_type.base is Base.DOUBLE for _, sql_type in columns):
        return by_column
    return _whole_row(columns, by_column)


def _same_in_msgspec(sql_type: SqlType) -> bool:
    """Whether msgspec writes every value of a type as ksqlDB does."""
    match sql_type:
        case DecimalType(scale=scale):
            return scale <= 6  # beyond, str() writes small ones with an exponent
        case ArrayType(element=element):
            return _same_in_msgspec(element)
        case MapType(key=key, value=value):
            return key.base is Base.STRING and _same_in_msgspec(value)
        case StructType(fields=fields):
            return all(_same_in_msgspec(field.type) for field in fields)
    return sql_type.base is not Base.DOUBLE


def _whole_row(
    columns: Columns, otherwise: Callable[[Row | None], bytes | None]
) -> Callable[[Row | None], bytes | None]:
    """Encodes through a msgspec struct; rows with a double that Java would print differently go ``otherwise``."""
    fields = [(f"f{i}", Any) for i in range(len(columns))]
    rename = {f"f{i}": name for i, (name, _) in enumerate(columns)}
    struct = msgspec.defstruct("Row", fields, rename=rename, gc=False)
    env: dict[str, Any] = {
        "encode": msgspec.json.Encoder(decimal_format="number").encode,
        "struct": struct,
        "otherwise": otherwise,
    }
    doubles = [i for i, (_, sql_type) in enumerate(columns) if sql_type.base is Base.DOUBLE]
    checks = "".join(
        f"    d = row[{i}]\n"
        "    if d is not None and not (0.001 <= d < 1e7 or -1e7 < d <= -0.001 or d == 0.0):\n"
        "        return otherwise(row)\n"
        for i in doubles
    )
    # A map may have NULL for a key, which msgspec refuses.
    code = (
        f"def whole(row):\n    if row is None:\n        return None\n{checks}"
        "    try:\n        return encode(struct(*row))\n    except TypeError:\n        return otherwise(row)"
    )
    exec(code, env)
    whole: Callable[[Row | None], bytes | None] = env["whole"]
    return whole


def value_encoder(columns: Columns) -> Callable[[Row | None], bytes | None]:
    """An encoder of rows of one column as bare JSON values; NULL is null bytes."""
    ((_name, sql_type),) = columns
    text = _text(sql_type)
    return lambda row: None if row is None or row[0] is None else text(row[0]).encode()
