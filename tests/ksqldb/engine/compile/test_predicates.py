"""Comparisons, logic, BETWEEN, IN, LIKE and CASE."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ksqldb.engine.errors import KsqlError
from ksqldb.engine.types import (
    BIGINT,
    BOOLEAN,
    BYTES,
    DATE,
    DOUBLE,
    INTEGER,
    STRING,
    TIME,
    TIMESTAMP,
    ArrayType,
    DecimalType,
    Field,
    MapType,
    SqlType,
    StructType,
)
from tests.ksqldb.engine.compile.evaluation import evaluate, value

MONEY = DecimalType(12, 2)
numbers: st.SearchStrategy[tuple[SqlType, Any]] = st.one_of(
    st.tuples(st.just(INTEGER), st.integers(-3, 3) | st.none()),
    st.tuples(st.just(BIGINT), st.integers(-3, 3) | st.none()),
    st.tuples(st.just(DOUBLE), st.sampled_from([-2.5, -1.0, 0.0, 0.1, 1.0, 2.5, None])),
    st.tuples(st.just(MONEY), st.sampled_from([Decimal("-2.50"), Decimal("0.10"), Decimal("1.00"), None])),
)
OPERATORS = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def exact(kind: SqlType, number: Any) -> Fraction:
    """What a number counts as: a double beside a decimal by its shortest text."""
    return Fraction(repr(number)) if kind is DOUBLE else Fraction(number)


@settings(deadline=None)
@given(st.sampled_from(sorted(OPERATORS)), numbers, numbers)
def test_numbers_compare_by_value_and_null_is_never_true(
    op: str, left: tuple[SqlType, Any], right: tuple[SqlType, Any]
) -> None:
    expected = False
    if left[1] is not None and right[1] is not None:
        expected = OPERATORS[op](exact(*left), exact(*right))
    assert evaluate(f"A {op} B", {"A": left, "B": right}) is expected
    assert evaluate(f"NOT (A {op} B)", {"A": left, "B": right}) is (not expected)


@settings(deadline=None)
@given(numbers, numbers)
def test_distinct_treats_null_as_a_value(left: tuple[SqlType, Any], right: tuple[SqlType, Any]) -> None:
    nulls = (left[1] is None, right[1] is None)
    expected = nulls[0] != nulls[1] if any(nulls) else exact(*left) != exact(*right)
    assert evaluate("A IS DISTINCT FROM B", {"A": left, "B": right}) is expected
    assert evaluate("A IS NOT DISTINCT FROM B", {"A": left, "B": right}) is (not expected)


def test_nan_is_neither_equal_nor_unequal() -> None:
    columns: dict[str, tuple[SqlType, Any]] = {"A": (DOUBLE, math.nan)}
    assert evaluate("A = A", columns) is False
    assert evaluate("A <> A", columns) is False
    assert evaluate("A < 1e0", columns) is False


@pytest.mark.parametrize(
    ("text", "kind", "given_value", "expected"),
    [
        ("A > '2023-11-14'", TIMESTAMP, 1_700_000_000_000, True),
        ("A = '2023-11-14T22:13:20'", TIMESTAMP, 1_700_000_000_000, True),
        ("'2023-11-14T22:13:20+0100' = A", TIMESTAMP, 1_700_000_000_000 - 3_600_000, True),
        ("A <= '2023-11-14'", DATE, 19_675, True),
        ("A > '22:13'", TIME, 80_000_000, True),
        ("A BETWEEN '2023-11-14' AND '2023-11-15'", TIMESTAMP, 1_700_000_000_000, True),
        ("A <> '2023-11-14'", DATE, None, False),
    ],
)
def test_text_beside_a_time_is_read_as_one(text: str, kind: SqlType, given_value: Any, expected: bool) -> None:
    assert evaluate(text, {"A": (kind, given_value)}) is expected


def test_a_date_compares_to_a_timestamp_as_its_midnight() -> None:
    columns: dict[str, tuple[SqlType, Any]] = {"D": (DATE, 19_675), "T": (TIMESTAMP, 19_675 * 86_400_000)}
    assert evaluate("D = T", columns) is True
    assert evaluate("D < T", columns) is False


def test_containers_compare_for_equality() -> None:
    struct = StructType((Field("X", INTEGER),))
    columns: dict[str, tuple[SqlType, Any]] = {
        "A": (ArrayType(INTEGER), [1, None]),
        "M": (MapType(STRING, INTEGER), {"a": 1}),
        "S": (struct, {"X": 3}),
        "B": (BYTES, b"ab"),
    }
    assert evaluate("A = ARRAY[1, null]", columns) is True
    assert evaluate("M <> MAP('a' := 2)", columns) is True
    assert evaluate("S = STRUCT(x := 3)", columns) is True
    assert evaluate("B > B", columns) is False


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("I > 'a'", "Cannot compare I (INTEGER) to 'a' (STRING) with GREATER_THAN."),
        ("B >= true", "Cannot compare B (BOOLEAN) to true (BOOLEAN) with GREATER_THAN_OR_EQUAL."),
        ("I BETWEEN 'a' AND 3", "Cannot compare I (INTEGER) to 'a' (STRING) with GREATER_THAN_OR_EQUAL."),
        (
            "NULL <> NULL",
            "Comparison with NULL not supported: NULL <> NULL\nUse 'IS NULL' or 'IS NOT NULL' instead.",
        ),
    ],
)
def test_what_cannot_be_compared(text: str, message: str) -> None:
    with pytest.raises(KsqlError) as failure:
        evaluate(text, {"I": (INTEGER, 1), "B": (BOOLEAN, True)})
    assert str(failure.value) == message


TRUTH = (True, False, None)


@pytest.mark.parametrize(("a", "b"), list(product(TRUTH, TRUTH)))
def test_logic_has_three_values(a: bool | None, b: bool | None) -> None:
    columns: dict[str, tuple[SqlType, Any]] = {"A": (BOOLEAN, a), "B": (BOOLEAN, b)}
    conjunction = False if False in (a, b) else None if None in (a, b) else True
    disjunction = True if True in (a, b) else None if None in (a, b) else False
    assert evaluate("A AND B", columns) is conjunction
    assert evaluate("A OR B", columns) is disjunction
    assert evaluate("NOT A", columns) is (None if a is None else not a)
    assert evaluate("A AND B OR NOT A", columns) is value("(A AND B) OR (NOT A)", columns)


@settings(deadline=None)
@given(*[st.integers(-2, 2) | st.none() for _ in range(3)])
def test_between_includes_both_ends(x: int | None, low: int | None, high: int | None) -> None:
    columns: dict[str, tuple[SqlType, Any]] = {"X": (INTEGER, x), "L": (INTEGER, low), "H": (INTEGER, high)}
    expected = x is not None and low is not None and high is not None and low <= x <= high
    assert evaluate("X BETWEEN L AND H", columns) is expected
    assert evaluate("X NOT BETWEEN L AND H", columns) is (not expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I IN (1, 7)", True),
        ("I IN (1, '7')", True),
        ("I IN (1, 7.0)", True),
        ("I NOT IN (1, 2)", True),
        ("N IN (1, NULL)", False),
        ("I IN (NULL)", False),
        ("I IN (N, I)", True),
        ("S IN ('x', 7)", False),
        ("S IN ('abc', N2)", True),
        ("B IN ('t', 'no')", True),
        ("M IN (12.5, 3)", True),
        ("AR IN (ARRAY[1, 2], ARRAY['1', '2', '3'])", True),
        ("TS IN ('2023-11-14', '2023-11-15')", True),
        ("BS IN ('YWI=')", True),
        ("ARRAY[P, Q] = ARRAY[Q, P]", False),
    ],
)
def test_in_finds_equal_values_of_a_common_type(text: str, expected: bool) -> None:
    columns: dict[str, tuple[SqlType, Any]] = {
        "I": (INTEGER, 7),
        "N": (INTEGER, None),
        "S": (STRING, "abc"),
        "N2": (STRING, None),
        "B": (BOOLEAN, True),
        "M": (MONEY, Decimal("12.50")),
        "AR": (ArrayType(INTEGER), [1, 2]),
        "TS": (TIMESTAMP, 19_676 * 86_400_000),
        "BS": (BYTES, b"ab"),
        "P": (StructType((Field("X", INTEGER),)), {"X": 1}),
        "Q": (StructType((Field("Y", INTEGER),)), {"Y": 1}),
    }
    assert evaluate(text, columns) is expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("I IN (1, 'x')", 'invalid input syntax for type INTEGER: "x".'),
        (
            "I IN (10, true)",
            "operator does not exist: INTEGER = BOOLEAN (true)\nHint: You might need to add explicit type casts.",
        ),
        (
            "AR IN (AR, ARRAY[B])",
            "operator does not exist: ARRAY<INTEGER> = ARRAY<BOOLEAN> (ARRAY[B])\n"
            "Hint: You might need to add explicit type casts.",
        ),
    ],
)
def test_what_has_no_common_type(text: str, message: str) -> None:
    with pytest.raises(KsqlError) as failure:
        evaluate(text, {"I": (INTEGER, 1), "B": (BOOLEAN, True), "AR": (ArrayType(INTEGER), [])})
    assert str(failure.value) == message


def matches(text: str, pattern: str, escape: str | None) -> bool:
    """LIKE by its definition, character by character."""
    if not pattern:
        return not text
    head, rest = pattern[0], pattern[1:]
    if head == escape:
        return text[:1] == rest[0] and matches(text[1:], rest[1:], escape)
    if head == "%":
        reach = (text + "\n").index("\n")
        return any(matches(text[at:], rest, escape) for at in range(reach + 1))
    if head == "_":
        return text[:1] not in ("", "\n") and matches(text[1:], rest, escape)
    return text[:1] == head and matches(text[1:], rest, escape)


def ends_in_escape(pattern: str, escape: str | None) -> bool:
    """Whether the last character of a pattern is an escape that escapes nothing."""
    at = 0
    while at < len(pattern):
        if pattern[at] == escape:
            at += 1
        at += 1
    return at > len(pattern)


@settings(deadline=None)
@given(st.text("ab%_!.\n", max_size=5), st.text("ab%_!.*", max_size=5), st.sampled_from([None, "!"]))
def test_like_matches_by_its_definition(text: str, pattern: str, escape: str | None) -> None:
    tail = f" ESCAPE '{escape}'" if escape else ""
    columns: dict[str, tuple[SqlType, Any]] = {"T": (STRING, text), "P": (STRING, pattern)}
    expected = None if ends_in_escape(pattern, escape) else matches(text, pattern, escape)
    assert value(f"T LIKE '{pattern}'{tail}", columns) is expected
    assert value(f"T LIKE P{tail}", columns) is expected


def test_like_of_null_is_null() -> None:
    assert value("S LIKE 'a%'", {"S": (STRING, None)}) is None
    assert value("S NOT LIKE 'a%'", {"S": (STRING, None)}) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CASE WHEN I > 5 THEN 'big' WHEN I > 1 THEN 'small' END", "big"),
        ("CASE WHEN I > 9 THEN 'big' END", None),
        ("CASE WHEN I > 9 THEN 'big' ELSE 'none' END", "none"),
        ("CASE I WHEN 1 THEN 'one' WHEN 7 THEN 'seven' END", "seven"),
        ("CASE WHEN N > 1 THEN 1 ELSE 0 END", 0),
        ("CASE WHEN B THEN 1 ELSE 0 END", None),
        ("CASE WHEN I = 7 THEN NULL ELSE 1 END", None),
        ("CASE WHEN true THEN 1 ELSE 1 / 0 END", 1),
    ],
)
def test_case(text: str, expected: Any) -> None:
    assert value(text, {"I": (INTEGER, 7), "N": (INTEGER, None), "B": (BOOLEAN, None)}) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("CASE WHEN I THEN 1 END", "WHEN operand type should be boolean.\nType for 'I' is INTEGER"),
        ("CASE WHEN true THEN NULL ELSE NULL END", "Invalid Case expression. All case branches have NULL type"),
        (
            "CASE WHEN true THEN 1 ELSE 'x' END",
            "Invalid Case expression. Type for the default clause should be the same as for 'THEN' clauses.\n"
            "THEN type: INTEGER.\nDEFAULT type: STRING.",
        ),
    ],
)
def test_case_needs_one_type(text: str, message: str) -> None:
    with pytest.raises(KsqlError) as failure:
        evaluate(text, {"I": (INTEGER, 7)})
    assert str(failure.value) == message
