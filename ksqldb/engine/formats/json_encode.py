"""Rows to JSON text: all columns in order, nulls explicit, doubles as Java prints them, decimals plain."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

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
    """An encoder of rows as JSON objects, compiled to one expression."""
    env: dict[str, Any] = {"quoted": quoted, "double": _double}
    template: list[str] = []
    pieces: list[str] = []
    for i, (name, sql_type) in enumerate(columns):
        template.append(quoted(name).replace("%", "%%") + ":%s")
        pieces.append(_piece(f"v{i}", i, sql_type, env))
    names = "".join(f"v{i}, " for i in range(len(columns)))
    env["template"] = "{" + ",".join(template) + "}"
    unpack = f"    {names}= row\n" if columns else ""
    code = (
        "def encode(row):\n    if row is None:\n        return None\n"
        f"{unpack}    return (template % ({''.join(f'{piece}, ' for piece in pieces)})).encode()"
    )
    exec(code, env)
    encode: Callable[[Row | None], bytes | None] = env["encode"]
    return encode


def _piece(name: str, at: int, sql_type: SqlType, env: dict[str, Any]) -> str:
    """Source of the expression that writes the value of variable ``name``."""
    match sql_type.base:
        case Base.INTEGER | Base.BIGINT | Base.DATE | Base.TIME | Base.TIMESTAMP:
            return f"'null' if {name} is None else {name}"
        case Base.STRING:
            return f"'null' if {name} is None else quoted({name})"
        case Base.BOOLEAN:
            return f"'null' if {name} is None else 'true' if {name} else 'false'"
        case Base.DOUBLE:
            return f"'null' if {name} is None else {name} if 0.001 <= {name} < 1e7 else double({name})"
    if isinstance(sql_type, DecimalType) and sql_type.scale <= 6:  # str() of these never has an exponent
        return f"'null' if {name} is None else {name}"
    env[f"text{at}"] = json_text(sql_type)
    return f"text{at}({name})"


def value_encoder(columns: Columns) -> Callable[[Row | None], bytes | None]:
    """An encoder of rows of one column as bare JSON values; NULL is null bytes."""
    ((_name, sql_type),) = columns
    text = _text(sql_type)
    return lambda row: None if row is None or row[0] is None else text(row[0]).encode()
