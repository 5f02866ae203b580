"""Does what came out match what a case expects? By ksqlDB's own harness: order, count, names and values exactly.

Numbers of JSON are compared by value, since the harness drops trailing zeros when it reads them; a text in the place
of a DECIMAL compares its digits.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from ksqldb.engine.metastore import Column, Source
from ksqldb.engine.types import ArrayType, Base, MapType, SqlType, StructType


class Mismatch(Exception):
    """The first difference, with its place."""


def compare_value(
    expected: Any, actual: Any, columns: Sequence[Column], wrapped: bool, place: str, tolerance: float | None = None
) -> None:
    """A whole key or value node. ``wrapped``: it is an object with the columns' names."""
    if expected is None or actual is None:
        if expected is not actual:
            raise Mismatch(f"{place}: expected {expected!r}, got {actual!r}")
        return
    if wrapped:
        types = {c.name: c.type for c in columns}
        _objects(expected, actual, types, place, tolerance)
    else:
        _compare(expected, actual, columns[0].type if columns else None, place, tolerance)


def _objects(expected: Any, actual: Any, types: dict[str, SqlType], place: str, tolerance: float | None) -> None:
    if not isinstance(expected, dict) or not isinstance(actual, dict):
        raise Mismatch(f"{place}: expected {expected!r}, got {actual!r}")
    wanted = {name: item for name, item in expected.items() if item is not None}
    rest = {name: item for name, item in actual.items() if item is not None}
    for name, item in wanted.items():
        found = name if name in rest else name.upper()
        if found not in rest:
            raise Mismatch(f"{place}.{name}: expected {item!r}, it is missing")
        _compare(item, rest.pop(found), types.get(found), f"{place}.{found}", tolerance)
    if rest:
        raise Mismatch(f"{place}: not expected: {rest!r}")


def _compare(expected: Any, actual: Any, sql_type: SqlType | None, place: str, tolerance: float | None) -> None:
    if expected is None or actual is None:
        if expected is not actual:
            raise Mismatch(f"{place}: expected {expected!r}, got {actual!r}")
        return
    if isinstance(actual, dict):
        match sql_type:
            case StructType():
                _objects(expected, actual, {f.name: f.type for f in sql_type.fields}, place, tolerance)
            case MapType():
                _maps(expected, actual, sql_type.value, place, tolerance)
            case _:
                _objects(expected, actual, {}, place, tolerance)
        return
    if isinstance(actual, list):
        element = sql_type.element if isinstance(sql_type, ArrayType) else None
        if not isinstance(expected, list) or len(expected) != len(actual):
            raise Mismatch(f"{place}: expected {expected!r}, got {actual!r}")
        for index, (one, other) in enumerate(zip(expected, actual, strict=True)):
            _compare(one, other, element, f"{place}[{index}]", tolerance)
        return
    if not _scalars(expected, actual, sql_type, tolerance):
        raise Mismatch(f"{place}: expected {expected!r}, got {actual!r}")


def _maps(expected: Any, actual: Any, element: SqlType, place: str, tolerance: float | None) -> None:
    if not isinstance(expected, dict) or expected.keys() != actual.keys():
        raise Mismatch(f"{place}: expected {expected!r}, got {actual!r}")
    for name, item in expected.items():
        _compare(item, actual[name], element, f"{place}[{name!r}]", tolerance)


def _scalars(expected: Any, actual: Any, sql_type: SqlType | None, tolerance: float | None) -> bool:
    numbers = (int, Decimal)
    if isinstance(expected, bool) or isinstance(actual, bool):
        return expected is actual
    if isinstance(expected, numbers) and isinstance(actual, numbers):
        if sql_type is not None and sql_type.base is Base.DOUBLE:
            if tolerance is not None:
                return abs(float(expected) - float(actual)) < tolerance
            return float(expected) == float(actual)
        return Decimal(expected) == Decimal(actual)
    if isinstance(expected, str) and isinstance(actual, Decimal) and sql_type is not None:
        return sql_type.base is Base.DECIMAL and expected == str(actual)
    return type(expected) is type(actual) and bool(expected == actual)


def wrapped_value(source: Source) -> bool:
    if source.value_format.name in ("DELIMITED", "KAFKA", "NONE"):
        return False
    return len(source.schema.value) != 1 or source.wrap_value is not False


def wrapped_key(source: Source) -> bool:
    return source.key_format.name not in ("DELIMITED", "KAFKA", "NONE") and len(source.schema.key) != 1
