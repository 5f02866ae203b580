"""Arithmetic against independent references: two's complement by ``struct``, exact fractions, IEEE by cases."""

from __future__ import annotations

import math
import struct
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ksqldb.engine.errors import KsqlError
from ksqldb.engine.types import BIGINT, DOUBLE, INTEGER, STRING, DecimalType, SqlType
from tests.ksqldb.engine.compile.evaluation import Failed, evaluate, type_name, value

ints = st.integers(-(2**31), 2**31 - 1) | st.sampled_from([-(2**31), -1, 0, 1, 2**31 - 1])
longs = st.integers(-(2**63), 2**63 - 1) | st.sampled_from([-(2**63), -1, 0, 1, 2**63 - 1])


def low_bits(number: int, code: str) -> int:
    """The low 32 (``i``) or 64 (``q``) bits of a number, read as signed."""
    size = struct.calcsize(code)
    (found,) = struct.unpack("<" + code, (number % (1 << 8 * size)).to_bytes(size, "little"))
    assert isinstance(found, int)
    return found


def reference(op: str, a: int, b: int, code: str) -> int | None:
    """Java's result for whole numbers; None for a division by zero."""
    if op in "/%" and b == 0:
        return None
    quotient = math.trunc(Fraction(a, b)) if op in "/%" else 0
    exact = {"+": a + b, "-": a - b, "*": a * b, "/": quotient, "%": a - quotient * b}[op]
    return low_bits(exact, code)


@settings(deadline=None)
@given(st.sampled_from("+-*/%"), ints, ints)
def test_integers_overflow_and_truncate_as_java(op: str, a: int, b: int) -> None:
    assert value(f"A {op} B", {"A": (INTEGER, a), "B": (INTEGER, b)}) == reference(op, a, b, "i")


@settings(deadline=None)
@given(st.sampled_from("+-*/%"), longs, ints)
def test_a_bigint_beside_an_integer_is_bigint_arithmetic(op: str, a: int, b: int) -> None:
    assert value(f"A {op} B", {"A": (BIGINT, a), "B": (INTEGER, b)}) == reference(op, a, b, "q")


@settings(deadline=None)
@given(ints, longs)
def test_negation_overflows(a: int, b: int) -> None:
    assert value("-A", {"A": (INTEGER, a)}) == low_bits(-a, "i")
    assert value("-A", {"A": (BIGINT, b)}) == low_bits(-b, "q")


@pytest.mark.parametrize(
    ("text", "a", "b", "result"),
    [
        ("A / B", 1.0, 0.0, math.inf),
        ("A / B", -1.0, 0.0, -math.inf),
        ("A / B", 1.0, -0.0, -math.inf),
        ("A / B", 0.0, 0.0, math.nan),
        ("A % B", 5.5, 0.0, math.nan),
        ("A % B", -5.5, 2.0, -1.5),
        ("A % B", 5.5, -2.0, 1.5),
        ("A * B", 1e308, 10.0, math.inf),
        ("A - B", math.inf, math.inf, math.nan),
    ],
)
def test_doubles_follow_ieee(text: str, a: float, b: float, result: float) -> None:
    found = value(text, {"A": (DOUBLE, a), "B": (DOUBLE, b)})
    assert found == result or (math.isnan(found) and math.isnan(result))


decimals = st.decimals("-9999.99", "9999.99", places=2)
small = st.decimals("-99.999", "99.999", places=3)
A, B = DecimalType(6, 2), DecimalType(5, 3)


def digits_of(number: Fraction) -> tuple[int, int] | None:
    """Digits before and after the point of a number that has finitely many, else None."""
    scale = 0
    while (number * 10**scale).denominator != 1:
        scale += 1
        if scale > 60:
            return None
    return len(str(abs(math.trunc(number)))), scale


@settings(deadline=None)
@given(st.sampled_from("+-*"), decimals, small)
def test_decimal_sums_and_products_are_exact_and_keep_their_scale(op: str, a: Decimal, b: Decimal) -> None:
    x, y = Fraction(a), Fraction(b)
    found = value(f"A {op} B", {"A": (A, a), "B": (B, b)})
    assert Fraction(found) == {"+": x + y, "-": x - y, "*": x * y}[op]
    assert found.as_tuple().exponent == {"+": -3, "-": -3, "*": -5}[op]


@settings(deadline=None)
@given(decimals, small)
def test_decimal_division_is_exact_or_null(a: Decimal, b: Decimal) -> None:
    result = DecimalType(6 - 2 + 3 + 8, 8)  # scale: max(6, 2 + 5 + 1)
    assert type_name("A / B", {"A": A, "B": B}) == str(result)
    found = value("A / B", {"A": (A, a), "B": (B, b)})
    if b == 0:
        assert found is None
        return
    digits = digits_of(Fraction(a) / Fraction(b))
    significant = None if digits is None else len(str(abs(Fraction(a) / Fraction(b) * 10 ** digits[1])).rstrip("0"))
    if digits is None or digits[1] > result.scale:
        assert found is None
    elif significant is not None and significant <= result.precision:
        assert Fraction(found) == Fraction(a) / Fraction(b)
        assert found.as_tuple().exponent == -8


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("I + 1", "INTEGER"),
        ("I + L", "BIGINT"),
        ("I * D", "DOUBLE"),
        ("M + D", "DOUBLE"),
        ("M + I", "DECIMAL(13, 2)"),
        ("M - N", "DECIMAL(8, 3)"),
        ("M * N", "DECIMAL(12, 5)"),
        ("M / N", "DECIMAL(15, 8)"),
        ("M % N", "DECIMAL(5, 3)"),
        ("M + L", "DECIMAL(22, 2)"),
        ("S + S", "STRING"),
        ("1 + 2.50", "DECIMAL(13, 2)"),
        ("2147483647 + 2147483648", "BIGINT"),
    ],
)
def test_types(text: str, kind: str) -> None:
    columns: dict[str, SqlType] = {"I": INTEGER, "L": BIGINT, "D": DOUBLE, "M": A, "N": B, "S": STRING}
    assert type_name(text, columns) == kind


@pytest.mark.parametrize("op", "+-*/%")
@pytest.mark.parametrize("kind", [INTEGER, BIGINT, DOUBLE, A])
def test_null_makes_null(op: str, kind: SqlType) -> None:
    assert isinstance(evaluate(f"A {op} 1", {"A": (kind, None)}), Failed)
    assert isinstance(evaluate(f"1 {op} A", {"A": (kind, None)}), Failed)


def test_null_in_text_reads_null() -> None:
    columns: dict[str, tuple[SqlType, Any]] = {"S": (STRING, None)}
    assert value("S + '!'", columns) == "null!"
    assert value("'a' + S + 'b'", columns) == "anullb"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("true + 1.5", "Error processing expression: (true + 1.5). Unsupported arithmetic types. BOOLEAN DECIMAL"),
        ("'a' * 2", "Error processing expression: ('a' * 2). Unsupported arithmetic types. STRING INTEGER"),
        (
            "1 + NULL",
            "Error processing expression: (1 + null). Arithmetic on types INTEGER and null are not supported.",
        ),
    ],
)
def test_errors(text: str, message: str) -> None:
    with pytest.raises(KsqlError) as failure:
        evaluate(text)
    assert str(failure.value) == message
