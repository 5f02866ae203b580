"""Mathematical functions: results, types, and what Java does at the edges."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any

import pytest

from ksqldb.engine.errors import FunctionError, KsqlError
from ksqldb.engine.functions import REGISTRY
from ksqldb.engine.types import BIGINT, DATE, DOUBLE, INTEGER, STRING, DecimalType, SqlType
from tests.ksqldb.engine.functions.calling import call

D = Decimal
INF = math.inf

CASES: list[tuple[str, tuple[Any, ...], Any]] = [
    ("ABS", (-7,), 7),
    ("ABS", (-(2**31),), -(2**31)),
    ("ABS", (-(2**40),), 2**40),
    ("ABS", (-1.5,), 1.5),
    ("ABS", (D("-1.50"),), D("1.50")),
    ("SIGN", (-3,), -1),
    ("SIGN", (0.0,), 0),
    ("SIGN", (2**40,), 1),
    ("CEIL", (1.2,), 2.0),
    ("CEIL", (-0.5,), -0.0),
    ("CEIL", (D("1.20"),), D("2.00")),
    ("CEIL", (3,), 3),
    ("FLOOR", (-1.2,), -2.0),
    ("FLOOR", (1e300,), 1e300),
    ("FLOOR", (D("-1.20"),), D("-2.00")),
    ("ROUND", (1.5,), 2),
    ("ROUND", (-1.5,), -1),
    ("ROUND", (0.49999999999999994,), 0),
    ("ROUND", (1e300,), 2**63 - 1),
    ("ROUND", (7,), 7),
    ("ROUND", (2.345, 2), 2.35),
    ("ROUND", (-2.345, 2), -2.34),
    ("ROUND", (123.0, -1), 120.0),
    ("ROUND", (D("-1.5"),), D("-1")),
    ("ROUND", (D("2.345"), 1), D("2.300")),
    ("ROUND", (D("2.345"), 9), D("2.345")),
    ("ROUND", (D("55.5"), -1), D("60.0")),
    ("ROUND", (1.5, None), None),
    ("TRUNC", (-1.7,), -1),
    ("TRUNC", (2.39, 1), 2.3),
    ("TRUNC", (D("12345.678"), -2), D("12300.000")),
    ("TRUNC", (D("12.678"),), D("12")),
    ("SQRT", (2**40,), 2.0**20),
    ("LN", (1,), 0.0),
    ("LN", (0,), -INF),
    ("LOG", (10, 100), 2.0),
    ("LOG", (15, 0), -INF),
    ("EXP", (0,), 1.0),
    ("EXP", (1000,), INF),
    ("POWER", (15, -1), 1 / 15),
    ("POWER", (0, -1), INF),
    ("POWER", (-2.0, 1025.0), -INF),
    ("CBRT", (-8,), -2.0),
    ("CBRT", (27,), 3.0),
    ("CBRT", (1e-9,), 0.001),
    ("CBRT", (0.0,), 0.0),
    ("CBRT", (INF,), INF),
    ("SIN", (0,), 0.0),
    ("COS", (0.0,), 1.0),
    ("TAN", (0,), 0.0),
    ("SINH", (-1000,), -INF),
    ("COSH", (1000,), INF),
    ("TANH", (1000,), 1.0),
    ("COT", (0,), INF),
    ("ASIN", (1,), math.pi / 2),
    ("ACOS", (1,), 0.0),
    ("ATAN", (1,), math.pi / 4),
    ("ATAN2", (1, -1), 3 * math.pi / 4),
    ("DEGREES", (math.pi,), 180.0),
    ("RADIANS", (180,), math.pi),
    ("PI", (), math.pi),
    ("GREATEST", (3, None, 7), 7),
    ("GREATEST", ("b", "a"), "b"),
    ("GREATEST", (b"\x01", b"\x02"), b"\x02"),
    ("LEAST", (1.5, 2.5), 1.5),
    ("LEAST", (D("1234567.89"), D("0.123456")), D("0.123456")),
    ("GREATEST", (D("1234567.89"), D("0.123456")), D("1234567.890000")),
    ("GEO_DISTANCE", (39.18660374, -76.73262144, 39.18660374, -76.73222145), 0.03447366811448324),
    ("GEO_DISTANCE", (0.0, 0.0, 0.0, None), None),
]


@pytest.mark.parametrize(("name", "args", "expected"), CASES, ids=lambda value: str(value)[:40])
def test_value(name: str, args: tuple[Any, ...], expected: Any) -> None:
    found = call(name, *args)
    if isinstance(expected, float):
        assert found == pytest.approx(expected, rel=1e-15, abs=1e-300)
        assert math.copysign(1, found) == math.copysign(1, expected)
    else:
        assert str(found) == str(expected)


@pytest.mark.parametrize(
    ("name", "args"),
    [("SQRT", (-1,)), ("LN", (-1,)), ("LOG", (1, 5)), ("LOG", (-2.0, 5.0)), ("ACOS", (2,)), ("POWER", (-8.0, 1 / 3))],
)
def test_not_a_number(name: str, args: tuple[Any, ...]) -> None:
    assert math.isnan(call(name, *args))


@pytest.mark.parametrize(
    ("name", "args", "expected"),
    [
        ("ROUND", [INTEGER], BIGINT),
        ("ROUND", [DOUBLE], BIGINT),
        ("ROUND", [DOUBLE, INTEGER], DOUBLE),
        ("ROUND", [DecimalType(33, 16)], DecimalType(17, 0)),
        ("ROUND", [DecimalType(33, 16), INTEGER], DecimalType(33, 16)),
        ("SQRT", [DecimalType(4, 2)], DOUBLE),
        ("SIGN", [BIGINT], INTEGER),
        ("FLOOR", [DecimalType(4, 2)], DecimalType(4, 2)),
        ("LEAST", [DecimalType(9, 2), DecimalType(7, 6)], DecimalType(13, 6)),
        ("LEAST", [INTEGER, BIGINT, DecimalType(30, 18), DOUBLE, None], DOUBLE),
        ("GREATEST", [DATE, STRING], DATE),
    ],
)
def test_return_type(name: str, args: list[SqlType | None], expected: SqlType) -> None:
    assert REGISTRY.resolve_scalar(name, args).return_type == expected


def test_mixed_whole_numbers_are_ambiguous() -> None:
    with pytest.raises(
        KsqlError,
        match=re.escape("'greatest' cannot be resolved due to ambiguous method parameters (INTEGER, BIGINT)."),
    ):
        REGISTRY.resolve_scalar("GREATEST", [INTEGER, BIGINT])


def test_geo_distance_checks_its_range_and_unit() -> None:
    assert call("GEO_DISTANCE", 0.0, 0.0, 0.0, 1.0, " Miles ") == pytest.approx(3959 * math.pi / 180)
    with pytest.raises(FunctionError, match="valid latitude values"):
        call("GEO_DISTANCE", 91.0, 0.0, 0.0, 0.0)
    with pytest.raises(FunctionError, match="valid longitude values"):
        call("GEO_DISTANCE", 0.0, 181.0, 0.0, 0.0)
    with pytest.raises(FunctionError, match="units parameter must be one of"):
        call("GEO_DISTANCE", 0.0, 0.0, 0.0, 0.0, "feet")


def test_random_stays_in_its_range() -> None:
    drawn = {call("RANDOM") for _ in range(50)}
    assert len(drawn) > 1
    assert all(0.0 <= value < 1.0 for value in drawn)
