"""``CAST``: which conversions there are and what they do to values that are not NULL."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from ksqldb.engine.compile.coercion import parse_boolean_exact
from ksqldb.engine.errors import KsqlError
from ksqldb.engine.types import ArrayType, Base, DecimalType, MapType, SqlType, StructType
from ksqldb.engine.values import (
    DAY_MS,
    INT_MAX,
    INT_MIN,
    LONG_MAX,
    LONG_MIN,
    fit_decimal,
    parse_date,
    parse_double,
    parse_time,
    parse_timestamp,
    value_text,
    wrap_int,
    wrap_long,
)
from ksqldb.engine.values.numbers import WIDE, double_to_int, double_to_long

Convert = Callable[[Any], Any]
_WHOLE = re.compile(r"[+-]?[0-9]+")


def converter(source: SqlType, target: SqlType) -> Convert | None:
    """The conversion between two types; None where values stay as they are. KsqlError where there is none."""
    if source == target or (source.base is Base.INTEGER and target.base is Base.BIGINT):
        return None
    found = _structured(source, target) or _to_decimal(source, target) or _to_text(source, target)
    found = found or _PLAIN.get((source.base, target.base))
    if found is None:
        raise KsqlError(f"Cast of {source} to {target} is not supported")
    return found


def _identity(value: Any) -> Any:
    return value


def _nullable(convert: Convert | None) -> Convert:
    if convert is None:
        return _identity
    return lambda value: None if value is None else convert(value)


def _structured(source: SqlType, target: SqlType) -> Convert | None:
    try:
        match source, target:
            case ArrayType(element=a), ArrayType(element=b):
                element = _nullable(converter(a, b))
                return lambda values: [element(value) for value in values]
            case MapType(key=k1, value=v1), MapType(key=k2, value=v2):
                key, value = _nullable(converter(k1, k2)), _nullable(converter(v1, v2))
                return lambda entries: {key(k): value(v) for k, v in entries.items()}
            case StructType(), StructType():
                return _struct(source, target)
    except KsqlError:
        raise KsqlError(f"Cast of {source} to {target} is not supported") from None
    return None


def _struct(source: StructType, target: StructType) -> Convert:
    """Fields go by name; those only the target has become NULL."""
    sources = {f.name: f.type for f in source.fields}
    converts = {f.name: _nullable(converter(sources[f.name], f.type)) for f in target.fields if f.name in sources}
    names = [f.name for f in target.fields]
    return lambda struct: {name: converts[name](struct[name]) if name in converts else None for name in names}


def _to_decimal(source: SqlType, target: SqlType) -> Convert | None:
    if not isinstance(target, DecimalType):
        return None
    fit = _fitter(target)
    match source.base:
        case Base.INTEGER | Base.BIGINT | Base.DECIMAL:
            return lambda value: fit(Decimal(value))
        case Base.DOUBLE:
            rounded = Context(prec=target.precision, rounding=ROUND_HALF_UP).create_decimal_from_float
            return lambda value: fit(_finite(rounded(value)))
        case Base.STRING:
            return lambda value: fit(_finite(Decimal(value.strip())))
    return None


def _fitter(target: DecimalType) -> Callable[[Decimal], Decimal]:
    """Rounds HALF_UP. Whether a value fits is looked at before it is rounded: 9.99 becomes 10.0 as DECIMAL(2, 1)."""
    precision, scale = target.precision, target.scale
    limit, unit = Decimal(10) ** (precision - scale), Decimal(1).scaleb(-scale)

    def fit(value: Decimal) -> Decimal:
        if -limit < value < limit:
            return value.quantize(unit, ROUND_HALF_UP, WIDE)
        return fit_decimal(value, precision, scale)  # says that it does not fit

    return fit


def _finite(value: Decimal) -> Decimal:
    if not value.is_finite():
        raise KsqlError(f"{value} is no decimal number")
    return value


def _to_text(source: SqlType, target: SqlType) -> Convert | None:
    if target.base is not Base.STRING or source.base is Base.BYTES:
        return None
    return value_text(source)


def _parse_whole(low: int, high: int) -> Convert:
    def parse(text: str) -> int:
        stripped = text.strip()
        if not _WHOLE.fullmatch(stripped) or not low <= (value := int(stripped)) <= high:
            raise KsqlError(f'For input string: "{text}"')
        return value

    return parse


def _parse_boolean(text: str) -> bool:
    return parse_boolean_exact(text) is True


def _parse_bytes(text: str) -> bytes:
    return base64.b64decode(text.strip(), validate=True)


_PLAIN: dict[tuple[Base, Base], Convert] = {
    (Base.INTEGER, Base.DOUBLE): float,
    (Base.BIGINT, Base.INTEGER): wrap_int,
    (Base.BIGINT, Base.DOUBLE): float,
    (Base.DECIMAL, Base.INTEGER): lambda value: wrap_int(int(value)),
    (Base.DECIMAL, Base.BIGINT): lambda value: wrap_long(int(value)),
    (Base.DECIMAL, Base.DOUBLE): float,
    (Base.DOUBLE, Base.INTEGER): double_to_int,
    (Base.DOUBLE, Base.BIGINT): double_to_long,
    (Base.STRING, Base.BOOLEAN): _parse_boolean,
    (Base.STRING, Base.INTEGER): _parse_whole(INT_MIN, INT_MAX),
    (Base.STRING, Base.BIGINT): _parse_whole(LONG_MIN, LONG_MAX),
    (Base.STRING, Base.DOUBLE): parse_double,
    (Base.STRING, Base.DATE): lambda text: parse_date(text.strip()),
    (Base.STRING, Base.TIME): lambda text: parse_time(text.strip()),
    (Base.STRING, Base.TIMESTAMP): lambda text: parse_timestamp(text.strip()),
    (Base.STRING, Base.BYTES): _parse_bytes,
    (Base.TIMESTAMP, Base.TIME): lambda ms: ms % DAY_MS,
    (Base.TIMESTAMP, Base.DATE): lambda ms: ms // DAY_MS,
    (Base.DATE, Base.TIMESTAMP): lambda days: days * DAY_MS,
}
