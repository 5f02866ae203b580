"""JSON text to rows.

Columns are found by exact name, else by the upper-cased key. Values are coerced as ksqlDB does: whole numbers truncate
and wrap, text becomes numbers, anything becomes text, booleans are only booleans, a decimal must fit.

Two paths give the same rows. The fast one is a msgspec decoder for exactly the keys seen so far, which refuses any
other key and any value that needs coercion; the careful one takes what that refuses, and teaches it new keys.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from decimal import Context, Decimal, Inexact, InvalidOperation
from types import GenericAlias
from typing import Annotated, Any

import msgspec

from ksqldb.engine.errors import DecodeError
from ksqldb.engine.formats.codec import Columns, Row
from ksqldb.engine.types import ArrayType, Base, DecimalType, MapType, SqlType, StructType
from ksqldb.engine.values import parse_double, wrap_int, wrap_long
from ksqldb.engine.values.numbers import WIDE

Coerce = Callable[[Any], Any]

_MAX_KEYS = 500  # of objects with ever new keys the fast path would never know enough


class _Refused(Exception):
    """A value that cannot become the wanted type; the text says why."""


def _refuse(value: object, wanted: SqlType | str) -> _Refused:
    node = {
        str: "TextNode",
        bool: "BooleanNode",
        dict: "ObjectNode",
        list: "ArrayNode",
        int: "IntNode",
        Decimal: "DecimalNode",
    }.get(type(value), type(value).__name__)
    return _Refused(f"Can't convert type. sourceType: {node}, requiredType: {wanted}")


# ---------------------------------------------------------------------------------------------- the careful path


def coercion(sql_type: SqlType) -> Coerce:
    """A function from parsed JSON (floats as Decimal) to values of ``sql_type``; raises where ksqlDB does."""
    match sql_type:
        case DecimalType():
            return _to_decimal(sql_type)
        case ArrayType(element=element):
            return _to_array(sql_type, coercion(element))
        case MapType(value=value):
            return _to_map(sql_type, coercion(value))
        case StructType(fields=fields):
            return _to_struct(sql_type, [(f.name, coercion(f.type)) for f in fields])
    return {
        Base.BOOLEAN: _to_boolean,
        Base.INTEGER: _to_whole(sql_type, wrap_int, 2**31),
        Base.BIGINT: _to_whole(sql_type, wrap_long, 2**63),
        Base.DOUBLE: _to_double,
        Base.STRING: _to_text,
        Base.BYTES: _to_bytes,
        Base.DATE: _to_whole(sql_type, wrap_int, 2**31),
        Base.TIME: _to_whole(sql_type, wrap_int, 2**31),
        Base.TIMESTAMP: _to_whole(sql_type, wrap_long, 2**63),
    }[sql_type.base]


def _is_number(value: object) -> bool:
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool)


def _to_boolean(value: Any) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise _refuse(value, "BOOLEAN")


def _to_whole(sql_type: SqlType, wrap: Callable[[int], int], bound: int) -> Coerce:
    def convert(value: Any) -> int | None:
        if value is None:
            return None
        if _is_number(value):
            return wrap(int(value))
        if isinstance(value, str):
            try:
                number = int(value) if value.lstrip("+-").isdigit() else bound
            except ValueError:
                number = bound
            if -bound <= number < bound:
                return number
            raise _Refused(f"Can't coerce string to type. targetType: {sql_type}")
        raise _refuse(value, sql_type)

    return convert


def _to_double(value: Any) -> float | None:
    if value is None:
        return None
    if _is_number(value):
        try:
            return float(value)
        except OverflowError:
            return float("inf") if value > 0 else float("-inf")
    if isinstance(value, str):
        try:
            return parse_double(value)
        except ValueError:
            raise _Refused("Can't coerce string to type. targetType: DOUBLE") from None
    raise _refuse(value, "DOUBLE")


def _to_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, dict):
        return compact(value)
    if isinstance(value, list):
        return "[" + ", ".join("null" if item is None else str(_to_text(item)) for item in value) + "]"
    return _scalar_text(value)


def _scalar_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def compact(value: Any) -> str:
    """Parsed JSON (floats as Decimal) as JSON text without blanks, numbers as BigDecimal prints them."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{quoted(key)}:{compact(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(compact, value)) + "]"
    if value is None:
        return "null"
    return quoted(value) if isinstance(value, str) else _scalar_text(value)


quoted: Callable[[str], str] = json.encoder.encode_basestring


def _to_bytes(value: Any) -> bytes | None:
    if value is None:
        return None
    if isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except binascii.Error:
            raise _Refused(f"Value is not a valid Base64 encoded string: {value}") from None
    raise _refuse(value, "BYTES")


def decimal_fit(sql_type: DecimalType) -> Callable[[Decimal], Decimal]:
    """Brings decimals to the type's scale; ``Inexact`` or ``InvalidOperation`` when digits would be lost."""
    exponent = Decimal(1).scaleb(-sql_type.scale)
    context = Context(prec=sql_type.precision, traps=[Inexact, InvalidOperation])
    return lambda value: value.quantize(exponent, context=context)


def _to_decimal(sql_type: DecimalType) -> Coerce:
    fit = decimal_fit(sql_type)

    def convert(value: Any) -> Decimal | None:
        if value is None:
            return None
        if not _is_number(value) and not isinstance(value, str):
            raise _refuse(value, sql_type)
        try:
            number = Decimal(value)
        except InvalidOperation:
            raise _Refused(f"Can't coerce string to type. targetType: {sql_type}") from None
        try:
            return fit(number)
        except (Inexact, InvalidOperation):
            digits = number.quantize(Decimal(1), context=WIDE)
            if len(str(abs(digits))) > sql_type.precision - sql_type.scale:
                raise _Refused(
                    f"Numeric field overflow: A field with precision {sql_type.precision} and scale {sql_type.scale} "
                    f"must round to an absolute value less than 10^{sql_type.precision - sql_type.scale}. "
                    f"Got {format(number, 'f')}"
                ) from None
            raise _Refused(
                f"Cannot fit decimal '{format(number, 'f')}' into {sql_type} without rounding. "
                f"(Requires {len(number.as_tuple().digits)},{max(0, -int(number.as_tuple().exponent))})"
            ) from None

    return convert


def _to_array(sql_type: SqlType, element: Coerce) -> Coerce:
    def convert(value: Any) -> list[Any] | None:
        if value is None:
            return None
        if not isinstance(value, list):
            raise _refuse(value, sql_type)
        return [element(item) for item in value]

    return convert


def _to_map(sql_type: SqlType, inner: Coerce) -> Coerce:
    def convert(value: Any) -> dict[str, Any] | None:
        if value is None:
            return None
        if not isinstance(value, dict):
            raise _refuse(value, sql_type)
        return {key: inner(item) for key, item in value.items()}

    return convert


def _to_struct(sql_type: SqlType, fields: list[tuple[str, Coerce]]) -> Coerce:
    def convert(value: Any) -> dict[str, Any] | None:
        if value is None:
            return None
        if not isinstance(value, dict):
            raise _refuse(value, sql_type)
        upper = {key.upper(): item for key, item in value.items()}
        return {name: fit(value[name] if name in value else upper.get(name)) for name, fit in fields}

    return convert


_parser = json.JSONDecoder(parse_float=Decimal)


def parse(data: bytes) -> Any:
    """The first JSON value in ``data`` (what follows it is ignored), floats as Decimal; ValueError if there is none."""
    text = data.decode("utf-8", "replace").lstrip(" \t\r\n")
    return _parser.raw_decode(text)[0]


# ---------------------------------------------------------------------------------------------- rows


class JsonObjectDecoder:
    """Rows from JSON objects with a field per column."""

    def __init__(self, columns: Columns, wanted: frozenset[str] | None = None) -> None:
        self._columns = [
            (name, coercion(sql_type), sql_type, wanted is None or name in wanted) for name, sql_type in columns
        ]
        self._keys: dict[str, None] = {}
        self._fast: Callable[[bytes], Row] | None = None

    def decode(self, data: bytes | None) -> Row | None:
        if data is None:
            return None
        if self._fast is not None:
            try:
                return self._fast(data)
            except (msgspec.DecodeError, Inexact, InvalidOperation, _Refused, ValueError):
                pass
        return self._careful(data)

    def _careful(self, data: bytes) -> Row:
        try:
            parsed = parse(data)
        except ValueError as error:
            raise DecodeError(f"not JSON: {error}") from None
        if not isinstance(parsed, dict):
            raise DecodeError(str(_refuse(parsed, "STRUCT")))
        if len(self._keys) <= _MAX_KEYS and not parsed.keys() <= self._keys.keys():
            self._learn(parsed)
        upper: dict[str, Any] | None = None
        row: list[Any] = []
        for name, coerce, _type, wanted in self._columns:
            if name in parsed:
                value = parsed[name]
            else:
                if upper is None:
                    upper = {key.upper(): item for key, item in parsed.items()}
                value = upper.get(name)
            try:
                coerced = coerce(value)
            except _Refused as refusal:
                raise DecodeError(f"{refusal}, path: $.{name}") from None
            row.append(coerced if wanted else None)
        return tuple(row)

    def _learn(self, parsed: dict[str, Any]) -> None:
        self._keys.update(dict.fromkeys(parsed))
        self._fast = self._compile() if len(self._keys) <= _MAX_KEYS else None

    def _compile(self) -> Callable[[bytes], Row] | None:
        """The fast path for the keys known by now, None when two keys spell one column, or a key two columns."""
        fields: list[tuple[str, Any, Any]] = []
        rename: dict[str, str] = {}
        env: dict[str, Any] = {}
        reads: list[str] = []
        columns = {name: i for i, (name, *_rest) in enumerate(self._columns)}
        spellings: dict[int, list[str]] = {}
        for at, key in enumerate(self._keys):
            attribute = f"f{at}"
            rename[attribute] = key
            column, folded = columns.get(key), columns.get(key.upper())
            if column is None:
                column = folded
            elif folded not in (None, column):
                return None
            if column is None:
                fields.append((attribute, msgspec.Raw, None))
                continue
            spellings.setdefault(column, []).append(attribute)
            fields.append((attribute, _fast_type(self._columns[column][2]) | None, None))
        for i, (_name, _coerce, sql_type, wanted) in enumerate(self._columns):
            names = spellings.get(i, [])
            if len(names) > 1:
                return None
            source = f"r.{names[0]}" if names else "None"
            finish = _fast_finish(sql_type)
            if finish is not None and names:
                env[f"finish{i}"] = finish
                source = f"(None if {source} is None else finish{i}({source}))"
            reads.append(source if wanted else "None" if finish is None else f"({source}, None)[1]")
        struct = msgspec.defstruct("Row", fields, rename=rename, forbid_unknown_fields=True, gc=False)
        env["parse"] = msgspec.json.Decoder(struct).decode
        code = f"def decode(data):\n    r = parse(data)\n    return ({', '.join(reads)},)"
        exec(code, env)
        decode: Callable[[bytes], Row] = env["decode"]
        return decode


_INT32 = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
_INT64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_FAST: dict[Base, Any] = {
    Base.BOOLEAN: bool,
    Base.INTEGER: _INT32,
    Base.BIGINT: _INT64,
    Base.DOUBLE: float,
    Base.DECIMAL: Decimal,
    Base.STRING: str,
    Base.BYTES: bytes,
    Base.DATE: _INT32,
    Base.TIME: _INT32,
    Base.TIMESTAMP: _INT64,
}


def _fast_type(sql_type: SqlType) -> Any:
    match sql_type:
        case ArrayType(element=element) if element.base in _FAST and element.base is not Base.DECIMAL:
            return GenericAlias(list, (_FAST[element.base] | None,))
        case MapType(value=value) if value.base in _FAST and value.base is not Base.DECIMAL:
            return GenericAlias(dict, (str, _FAST[value.base] | None))
    return _FAST.get(sql_type.base, msgspec.Raw)


def _fast_finish(sql_type: SqlType) -> Coerce | None:
    """What is left to do with a value the fast path has decoded."""
    if isinstance(sql_type, DecimalType):
        return decimal_fit(sql_type)
    if _fast_type(sql_type) is msgspec.Raw:
        coerce = coercion(sql_type)
        return lambda raw: coerce(parse(bytes(raw)))
    return None


class JsonValueDecoder:
    """Rows of one column from bare JSON values (``WRAP_SINGLE_VALUE=false``, keys of one column)."""

    def __init__(self, columns: Columns) -> None:
        ((self._name, sql_type),) = columns
        self._coerce = coercion(sql_type)

    def decode(self, data: bytes | None) -> Row | None:
        if data is None:
            return None
        try:
            return (self._coerce(parse(data)),)
        except ValueError as error:
            raise DecodeError(f"not JSON: {error}") from None
        except _Refused as refusal:
            raise DecodeError(f"{refusal}, path: $") from None
