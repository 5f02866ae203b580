"""Casts, constructors, access to elements, calls and lambdas."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ksqldb.engine.compile import ExpressionCompiler, infer_type
from ksqldb.engine.errors import KsqlError
from ksqldb.engine.parse import parse_expression
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
from tests.ksqldb.engine.compile.evaluation import Row, evaluate, type_name, value

POINT = StructType((Field("X", INTEGER), Field("Y", STRING)))


@pytest.mark.parametrize(
    ("source", "given_value", "target", "expected"),
    [
        (INTEGER, 42, "STRING", "42"),
        (DOUBLE, 1e20, "STRING", "1.0E20"),
        (BOOLEAN, True, "STRING", "true"),
        (DecimalType(4, 2), Decimal("1.50"), "STRING", "1.50"),
        (ArrayType(DOUBLE), [1.0, None], "STRING", "[1.0, null]"),
        (DOUBLE, -0.5, "INT", 0),
        (DOUBLE, 1e20, "INT", 2147483647),
        (DOUBLE, 1e20, "BIGINT", 9223372036854775807),
        (BIGINT, 5_000_000_000, "INT", 705_032_704),
        (DecimalType(4, 2), Decimal("-1.99"), "INT", -1),
        (INTEGER, 42, "DECIMAL(5, 1)", Decimal("42.0")),
        (INTEGER, 42, "DECIMAL(2, 1)", None),
        (DecimalType(3, 2), Decimal("9.99"), "DECIMAL(2, 1)", Decimal("10.0")),
        (DecimalType(5, 3), Decimal("2.345"), "DECIMAL(4, 2)", Decimal("2.35")),
        (DOUBLE, 1.005, "DECIMAL(4, 2)", Decimal("1.01")),
        (STRING, " 12 ", "INT", 12),
        (STRING, "12.5", "INT", None),
        (STRING, "2147483648", "INT", None),
        (STRING, "1.5", "DOUBLE", 1.5),
        (STRING, "x", "DOUBLE", None),
        (STRING, "YES", "BOOLEAN", True),
        (STRING, "anything", "BOOLEAN", False),
        (STRING, "12", "DECIMAL(5, 2)", Decimal("12.00")),
        (STRING, "2023-11-14", "DATE", 19_675),
        (STRING, "01:02:03", "TIME", 3_723_000),
        (STRING, "2023-11-14T22:13:20", "TIMESTAMP", 1_700_000_000_000),
        (STRING, "no time", "TIMESTAMP", None),
        (STRING, "YWI=", "BYTES", b"ab"),
        (TIMESTAMP, 1_700_000_000_000, "DATE", 19_675),
        (TIMESTAMP, 1_700_000_000_000, "TIME", 80_000_000),
        (TIMESTAMP, 1_700_000_000_123, "STRING", "2023-11-14T22:13:20.123"),
        (DATE, 19_675, "TIMESTAMP", 19_675 * 86_400_000),
        (DATE, 19_675, "STRING", "2023-11-14"),
        (TIME, 3_723_000, "STRING", "01:02:03"),
        (ArrayType(INTEGER), [1, None], "ARRAY<STRING>", ["1", None]),
        (MapType(STRING, INTEGER), {"1": 2}, "MAP<INT, DOUBLE>", {1: 2.0}),
        (POINT, {"X": 1, "Y": "2"}, "STRUCT<Y INT, Z INT>", {"Y": 2, "Z": None}),
    ],
)
def test_cast(source: SqlType, given_value: Any, target: str, expected: Any) -> None:
    assert evaluate(f"CAST(A AS {target})", {"A": (source, given_value)}) == expected
    assert evaluate(f"CAST(A AS {target})", {"A": (source, None)}) is None


@pytest.mark.parametrize(
    ("source", "target"),
    [(BOOLEAN, "INT"), (INTEGER, "BOOLEAN"), (BYTES, "STRING"), (INTEGER, "ARRAY<INT>"), (DATE, "TIME")],
)
def test_what_cannot_be_cast(source: SqlType, target: str) -> None:
    with pytest.raises(KsqlError, match=f"^Cast of {source} to .* is not supported$"):
        evaluate(f"CAST(A AS {target})", {"A": (source, None)})


def test_a_failing_cast_nulls_only_itself() -> None:
    columns: dict[str, tuple[SqlType, Any]] = {"S": (STRING, "x"), "N": (INTEGER, None)}
    assert evaluate("CAST(S AS INT) IS NULL AND S = 'x'", columns) is True
    assert evaluate("CAST(N + 1 AS STRING) IS NULL", columns) is True


@settings(deadline=None)
@given(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.decimals("-1e8", "1e8", places=3))
def test_numbers_survive_text(whole: int, double: float, decimal: Decimal) -> None:
    for kind, number in ((BIGINT, whole), (DOUBLE, double), (DecimalType(12, 3), decimal)):
        assert evaluate(f"CAST(CAST(A AS STRING) AS {kind})", {"A": (kind, number)}) == number


@settings(deadline=None)
@given(st.lists(st.integers(), max_size=4), st.integers(-6, 6))
def test_array_elements_count_from_one_or_from_the_end(items: list[int], index: int) -> None:
    expected = None
    if 1 <= index <= len(items):
        expected = items[index - 1]
    elif -len(items) <= index <= -1:
        expected = items[index]
    assert value("A[I]", {"A": (ArrayType(BIGINT), items), "I": (INTEGER, index)}) == expected


@pytest.mark.parametrize(
    ("text", "expected", "kind"),
    [
        ("M['a']", 1, "INTEGER"),
        ("M['z']", None, "INTEGER"),
        ("N['a']", None, "INTEGER"),
        ("P->x", 3, "INTEGER"),
        ("Q->x", None, "INTEGER"),
        ("ARRAY[P, Q][1]->y", "p", "STRING"),
        ("ARRAY[1, '2', 3.5]", [Decimal("1.0"), Decimal("2.0"), Decimal("3.5")], "ARRAY<DECIMAL(11, 1)>"),
        ("ARRAY[1, NULL, 3e0]", [1.0, None, 3.0], "ARRAY<DOUBLE>"),
        ("MAP('a' := 1, 'b' := 1 / 0)", {"a": 1, "b": None}, "MAP<STRING, INTEGER>"),
        ("STRUCT(a := 'x', b := P->x)", {"A": "x", "B": 3}, "STRUCT<`A` STRING, `B` INTEGER>"),
    ],
)
def test_structures(text: str, expected: Any, kind: str) -> None:
    columns: dict[str, tuple[SqlType, Any]] = {
        "M": (MapType(STRING, INTEGER), {"a": 1}),
        "N": (MapType(STRING, INTEGER), None),
        "P": (POINT, {"X": 3, "Y": "p"}),
        "Q": (POINT, None),
    }
    assert evaluate(text, columns) == expected
    assert type_name(text, {name: one for name, (one, _) in columns.items()}) == kind


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("I->x", "Expected STRUCT type, got: INTEGER"),
        ("P->nope", "Could not find field 'NOPE' in 'P'."),
        ("I[1]", "Subscript expression (I[1]) do not apply to INTEGER."),
        ("P['X']", "Subscript expression (P['X']) do not apply to STRUCT<`X` INTEGER, `Y` STRING>. "),
        ("ARRAY[]", "Array constructor cannot be empty."),
        ("ARRAY[NULL]", "Cannot construct an array with all NULL elements"),
        ("MAP('a' := NULL)", "Cannot construct a map with all NULL values"),
        ("STRUCT(a := 1, a := 2)", "Duplicate field names found in STRUCT"),
        ("NOPE(I)", "Can't find any functions with the name 'NOPE'"),
        ("UCASE(I)", "Function 'ucase' does not accept parameters (INTEGER)."),
        ("FOO", "Unknown column FOO."),
    ],
)
def test_type_errors(text: str, message: str) -> None:
    scope = Row({"I": INTEGER, "P": POINT})
    with pytest.raises(KsqlError) as inferred:
        infer_type(parse_expression(text), scope)
    assert str(inferred.value).startswith(message)
    with pytest.raises(KsqlError) as compiled:
        ExpressionCompiler(scope, {}).compile(parse_expression(text))
    assert str(compiled.value) == str(inferred.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("UCASE('a')", "A"),
        ("UCASE(N)", None),
        ("COALESCE(N, 'b')", "b"),
        ("LEN(SUBSTRING('abcdef', I))", 4),
        ("ROUND(D, 1)", 2.3),
        ("FILTER(A, x => x > I)", [4]),
        ("TRANSFORM(A, x => x * I)", [6, 12]),
        ("REDUCE(A, 0, (total, x) => total + x)", 6),
        ("TRANSFORM(M, (k, v) => UCASE(k), (k, v) => v + 1)", {"B": 2}),
        ("TRANSFORM(A, x => REDUCE(A, 0, (s, y) => s + x * y))", [12, 24]),
        ("COALESCE(CAST('x' AS INT), 5)", 5),
    ],
)
def test_calls(text: str, expected: Any) -> None:
    columns: dict[str, tuple[SqlType, Any]] = {
        "N": (STRING, None),
        "I": (INTEGER, 3),
        "D": (DOUBLE, 2.25),
        "A": (ArrayType(INTEGER), [2, 4]),
        "M": (MapType(STRING, INTEGER), {"b": 1}),
    }
    assert evaluate(text, columns) == expected


def test_concatenation_by_bars_is_refused_as_the_real_server_refuses_it() -> None:
    assert str(infer_type(parse_expression("'a' || 'b'"), Row({}))) == "STRING"
    with pytest.raises(KsqlError, match=r"^Cannot get name for `concat` 0 times$"):
        evaluate("'a' || 'b'")


def test_errors_of_inner_expressions_are_reported() -> None:
    heard: list[Exception] = []
    env: dict[str, object] = {}
    compiler = ExpressionCompiler(Row({"S": STRING}), env, on_error=heard.append)
    code = compiler.compile(parse_expression("ARRAY[CAST(S AS INT), 1 / 0]"))
    assert eval(code.source, {**env, "r": ("x",)}) == [None, None]
    assert [type(error) for error in heard] == [KsqlError, ZeroDivisionError]


def test_coercion_widens_and_raises_where_it_cannot() -> None:
    env: dict[str, object] = {}
    compiler = ExpressionCompiler(Row({"I": INTEGER}), env)
    code = compiler.coerce(compiler.compile(parse_expression("I")), DecimalType(3, 1))
    assert eval(code.source, {**env, "r": (12,)}) == Decimal("12.0")
    assert eval(code.source, {**env, "r": (None,)}) is None
    with pytest.raises(KsqlError, match="Numeric field overflow"):
        eval(code.source, {**env, "r": (123,)})
