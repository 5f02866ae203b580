"""Functions over JSON in text columns."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any

from ksqldb.engine.errors import FunctionError
from ksqldb.engine.formats.json_decode import quoted
from ksqldb.engine.functions.registry import scalar
from ksqldb.engine.functions.signature import ArgType
from ksqldb.engine.types import ArrayType, Base, MapType, SqlType, StructType
from ksqldb.engine.values import date_text, decimal_text, double_text, time_text, timestamp_text
from ksqldb.engine.values.hashing import map_items

_JSON = "JSON"
_MISSING = object()  # what an empty text parses to: neither a value nor an error


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_parser = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse_constant)


def parse(text: str) -> Any:
    """The first JSON value of a text, floats as Decimal, ``_MISSING`` for blanks; FunctionError when it is not JSON."""
    stripped = text.lstrip(" \t\r\n")
    if not stripped:
        return _MISSING
    try:
        return _parser.raw_decode(stripped)[0]
    except (ValueError, RecursionError) as error:
        raise FunctionError(f"Invalid JSON format:{text}: {error}") from None


def written(value: Any) -> str:
    """Parsed JSON as text without blanks, numbers with the digits they came with."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{quoted(key)}:{written(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, Decimal):
        return decimal_text(value)
    return quoted(value) if isinstance(value, str) else str(value)


# ---------------------------------------------------------------------------------------------- EXTRACTJSONFIELD

EXTRACTJSONFIELD = scalar("extractjsonfield", _JSON, "The value at a path in a JSON text.", author="")

_STEP = re.compile(r"\.([A-Za-z0-9_\-:@]+)|\[(-?[A-Za-z0-9_\-]+)\]|\[\"((?:[^\"\\]|\\.)*)\"\]|\['((?:[^'\\]|\\.)*)'\]")


@lru_cache(512)
def path_steps(path: str) -> tuple[str, ...]:
    """The names and indexes of a path such as ``$.a[0]["b c"]``; FunctionError when it is malformed."""
    if not path.startswith("$"):
        raise FunctionError(f"Invalid JSON path: '{path}'")
    steps: list[str] = []
    at = 1
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None:
            raise FunctionError(f"Invalid JSON path: '{path}'")
        steps.append(next(group for group in match.groups() if group is not None).replace('\\"', '"'))
        at = match.end()
    return tuple(steps)


@EXTRACTJSONFIELD.overload("VARCHAR input, VARCHAR path", "VARCHAR")
def extract_json_field(text: str, path: str) -> str | None:
    """The value at a path as text; NULL where the path leads nowhere.

    input: The JSON text.
    path: The path, such as $.name or $.list[0].
    """
    value = parse(text)
    for step in path_steps(path):
        if isinstance(value, list):
            if not re.fullmatch(r"[+-]?\d+", step) or not 0 <= int(step) < len(value):
                return None
            value = value[int(step)]
        elif isinstance(value, dict) and step in value:
            value = value[step]
        else:
            return None
    if value is _MISSING:
        return ""
    return value if isinstance(value, str) else written(value)


# ---------------------------------------------------------------------------------------------- asking

IS_JSON_STRING = scalar("IS_JSON_STRING", _JSON, "Whether a text is JSON.")
JSON_ARRAY_LENGTH = scalar("JSON_ARRAY_LENGTH", _JSON, "The number of elements of a JSON array.")
JSON_ARRAY_CONTAINS = scalar("JSON_ARRAY_CONTAINS", _JSON, "Whether a JSON array has a value.", author="")
JSON_KEYS = scalar("JSON_KEYS", _JSON, "The keys of a JSON object.")
JSON_RECORDS = scalar("JSON_RECORDS", _JSON, "The keys and values of a JSON object as a map.")
JSON_ITEMS = scalar("JSON_ITEMS", _JSON, "The elements of a JSON array as an array of texts.")


@IS_JSON_STRING.overload("VARCHAR input", "BOOLEAN", null=True)
def is_json_string(text: str | None) -> bool:
    """Whether a text is JSON; false for NULL.

    input: The text.
    """
    if text is None:
        return False
    try:
        return parse(text) is not _MISSING
    except FunctionError:
        return False


@JSON_ARRAY_LENGTH.overload("VARCHAR jsonArray", "INT")
def json_array_length(text: str) -> int | None:
    """The number of elements; NULL where the text is JSON but no array.

    jsonArray: The JSON text.
    """
    value = parse(text)
    return len(value) if isinstance(value, list) else None


@JSON_KEYS.overload("VARCHAR jsonObj", "ARRAY<VARCHAR>")
def json_keys(text: str) -> list[str] | None:
    """The keys of the object; NULL where the text is JSON but no object.

    jsonObj: The JSON text.
    """
    value = parse(text)
    return list(value) if isinstance(value, dict) else None


@JSON_RECORDS.overload("VARCHAR jsonObj", "MAP<VARCHAR, VARCHAR>")
def json_records(text: str) -> dict[str, str] | None:
    """The keys and values of the object; NULL where the text is JSON but no object.

    jsonObj: The JSON text.
    """
    value = parse(text)
    if not isinstance(value, dict):
        return None
    return {key: item if isinstance(item, str) else written(item) for key, item in value.items()}


@JSON_ITEMS.overload("VARCHAR jsonItems", "ARRAY<VARCHAR>")
def json_items(text: str) -> list[str]:
    """The elements of the array, each as JSON text.

    jsonItems: The JSON text.
    """
    value = parse(text)
    if not isinstance(value, list):
        raise FunctionError(f"Invalid JSON format:{text}")
    return list(map(written, value))


_KIND: dict[Base, Callable[[Any], bool]] = {
    Base.INTEGER: lambda item: isinstance(item, int) and not isinstance(item, bool),
    Base.BIGINT: lambda item: isinstance(item, int) and not isinstance(item, bool),
    Base.DOUBLE: lambda item: isinstance(item, Decimal),
    Base.STRING: lambda item: isinstance(item, str),
    Base.BOOLEAN: lambda item: isinstance(item, bool),
}


@JSON_ARRAY_CONTAINS.overload("VARCHAR jsonArray, T val", "BOOLEAN", null=True, typed=True)
def json_array_contains(types: tuple[ArgType, ...]) -> Callable[[str | None, Any], bool | None]:
    """Whether the array has an element of that type and value; false where the text is no array.

    jsonArray: The JSON text.
    val: The value to find.
    """
    is_kind = _KIND.get(types[1].base, lambda _item: False) if isinstance(types[1], SqlType) else lambda _item: False

    def contains(text: str | None, value: Any) -> bool | None:
        if text is None:
            return None
        try:
            array = parse(text)
        except FunctionError:
            return False
        if not isinstance(array, list):
            return False
        if value is None:
            return any(item is None for item in array)
        return any(is_kind(item) and float_equal(item, value) for item in array)

    return contains


def float_equal(item: Any, value: Any) -> bool:
    """Whether an element equals a value; decimals of JSON compare as doubles."""
    return bool((float(item) if isinstance(item, Decimal) else item) == value)


# ---------------------------------------------------------------------------------------------- making

JSON_CONCAT = scalar("JSON_CONCAT", _JSON, "Joins JSON texts as PostgreSQL's || operator does.")
TO_JSON_STRING = scalar("TO_JSON_STRING", _JSON, "Writes any value as JSON.")


@JSON_CONCAT.overload("VARCHAR... jsonStrings", "VARCHAR")
def json_concat(*texts: str) -> str | None:
    """Joins JSON texts: objects into one object, of equal keys the last one's value; anything else into one array.

    jsonStrings: The JSON texts; NULL among them gives NULL.
    """
    values = [parse(text) for text in texts]
    if not values:
        raise FunctionError("JSON_CONCAT needs at least one argument")
    if any(value is _MISSING for value in values):
        return None
    if all(isinstance(value, dict) for value in values):
        return written({key: item for value in values for key, item in value.items()})
    if len(values) == 1:
        return written(values[0])
    return written([item for value in values for item in (value if isinstance(value, list) else [value])])


@TO_JSON_STRING.overload("T val", "VARCHAR", null=True, typed=True)
def to_json_string(types: tuple[ArgType, ...]) -> Callable[[Any], str]:
    """A value as JSON text; NULL is null, dates and times are texts.

    val: The value.
    """
    return _writer(types[0]) if isinstance(types[0], SqlType) else lambda _value: "null"


def _writer(sql_type: SqlType) -> Callable[[Any], str]:
    text = _text(sql_type)
    return lambda value: "null" if value is None else text(value)


def _text(sql_type: SqlType) -> Callable[[Any], str]:
    match sql_type:
        case ArrayType(element=element):
            item = _writer(element)
            return lambda value: "[" + ",".join(map(item, value)) + "]"
        case MapType(value=inner):
            item = _writer(inner)
            return lambda value: "{" + ",".join(f"{quoted(str(k))}:{item(v)}" for k, v in map_items(value)) + "}"
        case StructType(fields=fields):
            parts = [(field.name, _writer(field.type)) for field in fields]
            return lambda value: "{" + ",".join(f"{quoted(name)}:{fit(value[name])}" for name, fit in parts) + "}"
    return _PRIMITIVE[sql_type.base]


def _in_quotes(text: Callable[[Any], str]) -> Callable[[Any], str]:
    return lambda value: f'"{text(value)}"'


def _double(value: float) -> str:
    text = double_text(value)
    return text if text[-1].isdigit() else f'"{text}"'


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


_PRIMITIVE: dict[Base, Callable[[Any], str]] = {
    Base.BOOLEAN: lambda value: "true" if value else "false",
    Base.INTEGER: str,
    Base.BIGINT: str,
    Base.DOUBLE: _double,
    Base.DECIMAL: decimal_text,
    Base.STRING: quoted,
    Base.BYTES: _in_quotes(_base64),
    Base.DATE: _in_quotes(date_text),
    Base.TIME: _in_quotes(time_text),
    Base.TIMESTAMP: _in_quotes(timestamp_text),
}
