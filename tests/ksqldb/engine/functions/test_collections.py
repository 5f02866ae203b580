"""Arrays, maps, lambdas, table functions, and functions that choose among values."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest

from ksqldb.engine.errors import FunctionError, KsqlError
from ksqldb.engine.functions import REGISTRY, LambdaArity, LambdaType
from ksqldb.engine.types import (
    BIGINT,
    DOUBLE,
    INTEGER,
    STRING,
    ArrayType,
    DecimalType,
    Field,
    MapType,
    StructType,
)
from tests.ksqldb.engine.functions.calling import call

D = Decimal

CASES: list[tuple[str, tuple[Any, ...], Any]] = [
    ("ARRAY_LENGTH", ([1, None],), 2),
    ("ARRAY_LENGTH", (None,), None),
    ("ARRAY_CONTAINS", ([1, 2], 2), True),
    ("ARRAY_CONTAINS", ([1, None], None), True),
    ("ARRAY_CONTAINS", (["a"], "b"), False),
    ("ARRAY_MAX", ([1, None, 3],), 3),
    ("ARRAY_MAX", ([],), None),
    ("ARRAY_MIN", (["foo", "Food", None, "F"],), "F"),
    ("ARRAY_JOIN", ([1, None, 3],), "1,null,3"),
    ("ARRAY_JOIN", ([1.0, -23.42], " "), "1.0 -23.42"),
    ("ARRAY_JOIN", ([True, False], None), "truefalse"),
    ("ARRAY_JOIN", ([D("1.50")], "#"), "1.50"),
    ("ARRAY_DISTINCT", ([0, None, 0, 1, None],), [0, None, 1]),
    ("ARRAY_DISTINCT", ([{"a": 1}, {"a": 1}],), [{"a": 1}]),
    ("ARRAY_REMOVE", (["a", "b", "a"], "a"), ["b"]),
    ("ARRAY_REMOVE", ([1, None], None), [1]),
    ("ARRAY_SORT", ([3, None, 1],), [1, 3, None]),
    ("ARRAY_SORT", ([3, None, 1], "desc"), [3, 1, None]),
    ("ARRAY_SORT", ([3, 1], "sideways"), None),
    ("SLICE", ([1, 2, 3, 4], 2, 3), [2, 3]),
    ("SLICE", ([1, 2], None, None), [1, 2]),
    ("SLICE", ([1, 2], 2, 5), None),
    ("ARRAY_CONCAT", ([1], [1, 2]), [1, 1, 2]),
    ("ARRAY_CONCAT", ([1], None), [1]),
    ("ARRAY_EXCEPT", ([0, 0, 1, -1], [1]), [0, -1]),
    ("ARRAY_INTERSECT", (["foo", "bar", "foo"], ["foo"]), ["foo"]),
    ("ARRAY_UNION", (["foo", "bar"], ["foo", "baz"]), ["foo", "bar", "baz"]),
    ("ARRAY_UNION", (["foo"], None), None),
    ("GENERATE_SERIES", (-2, 1), [-2, -1, 0, 1]),
    ("GENERATE_SERIES", (4, 3), [4, 3]),
    ("GENERATE_SERIES", (0, 9, 4), [0, 4, 8]),
    ("GENERATE_SERIES", (1, -2, -2), [1, -1]),
    ("GENERATE_SERIES", (2**40, 2**40 + 1), [2**40, 2**40 + 1]),
    ("AS_MAP", (["a", "b"], [1, 2, 3]), {"a": 1, "b": 2}),
    ("MAP_KEYS", ({"foo": 1},), ["foo"]),
    ("MAP_VALUES", ({"foo": 1, "bar": None},), [None, 1]),
    ("MAP_UNION", ({"a": 1, "b": 2}, {"a": None}), {"a": None, "b": 2}),
    ("MAP_UNION", (None, {"a": 1}), {"a": 1}),
    ("ENTRIES", ({"k2": 2, "k1": 1}, True), [{"K": "k1", "V": 1}, {"K": "k2", "V": 2}]),
    ("COALESCE", (None, 2, 3), 2),
    ("COALESCE", ([1], [2]), [1]),
    ("IFNULL", (None, "x"), "x"),
    ("NULLIF", ([1, 2], [1, 2]), None),
    ("NULLIF", (1, 2), 1),
    ("AS_VALUE", ("k",), "k"),
]


@pytest.mark.parametrize(("name", "args", "expected"), CASES, ids=lambda value: str(value)[:40])
def test_value(name: str, args: tuple[Any, ...], expected: Any) -> None:
    assert call(name, *args) == expected


def test_lambdas_over_arrays() -> None:
    assert call("TRANSFORM", [3, 6], lambda x: x + 5) == [8, 11]
    assert call("FILTER", [3, None, 6], lambda x: x is not None and x > 4) == [6]
    assert call("REDUCE", [1, 2], 10, lambda s, x: s + x) == 13


def test_lambdas_over_nothing() -> None:
    array, one, two = ArrayType(INTEGER), LambdaArity(1), LambdaArity(2)
    assert call("TRANSFORM", None, lambda x: x, types=[array, one]) is None
    assert call("REDUCE", None, 10, lambda s, x: s, types=[array, INTEGER, two]) == 10
    assert call("REDUCE", [1], None, lambda s, x: s, types=[array, INTEGER, two]) is None


def test_filter_of_a_map() -> None:
    assert call("FILTER", {"a": 1, "b": 2}, lambda k, v: v > 1) == {"b": 2}


def test_a_map_is_walked_as_javas_hash_map() -> None:
    """ksqlDB's case ``reduce map with double`` depends on it."""
    entries = {"yes, thanks": 3.5, "nope": 7.3, "sure, yeah": 2.1}
    assert call("MAP_KEYS", entries) == ["yes, thanks", "sure, yeah", "nope"]
    assert call("REDUCE", entries, "", lambda s, k, v: s + k[0]) == "ysn"


def test_transform_of_a_map_takes_two_lambdas() -> None:
    assert call("TRANSFORM", {"a": 1}, lambda k, v: k + "!", lambda k, v: str(v) + k) == {"a!": "1a"}


def test_lambda_types_come_from_the_collection() -> None:
    map_type = MapType(STRING, DOUBLE)
    assert REGISTRY.lambda_inputs("reduce", [map_type, BIGINT, LambdaArity(3)]) == (
        None,
        None,
        (BIGINT, STRING, DOUBLE),
    )
    found = REGISTRY.resolve_scalar("transform", [ArrayType(INTEGER), LambdaType((INTEGER,), STRING)])
    assert found.return_type == ArrayType(STRING)


def test_lambda_of_the_wrong_arity_fits_nothing() -> None:
    with pytest.raises(KsqlError, match=re.escape("does not accept parameters (ARRAY<INTEGER>, LAMBDA)")):
        REGISTRY.lambda_inputs("filter", [ArrayType(INTEGER), LambdaArity(3)])


@pytest.mark.parametrize(
    ("args", "message"),
    [((1, 5, 0), "step cannot be zero"), ((1, 5, -1), "wrong sign"), ((5, 1, 1), "wrong sign")],
)
def test_generate_series_refuses(args: tuple[int, ...], message: str) -> None:
    with pytest.raises(FunctionError, match=message):
        call("GENERATE_SERIES", *args)


def test_array_join_refuses_structured_elements() -> None:
    with pytest.raises(FunctionError, match="element of type MAP<STRING, INTEGER>"):
        call("ARRAY_JOIN", [{"a": 1}])


def test_explode_keeps_the_element_type() -> None:
    struct = StructType((Field("A", INTEGER),))
    assert REGISTRY.resolve_table("explode", [ArrayType(struct)]).return_type == struct
    decimals = REGISTRY.resolve_table("EXPLODE", [ArrayType(DecimalType(4, 2))])
    assert decimals.return_type == DecimalType(4, 2)
    assert decimals.fn([D("1.00"), None]) == [D("1.00"), None]
    assert decimals.fn(None) == []


def test_explode_lists_its_forms_when_nothing_fits() -> None:
    expected = (
        "Function 'explode' does not accept parameters (MAP<STRING, INTEGER>).\nValid alternatives are:\n"
        "explode(ARRAY<DECIMAL> input)\nexplode(ARRAY<T> list)"
    )
    with pytest.raises(KsqlError, match=re.escape(expected)):
        REGISTRY.resolve_table("EXPLODE", [MapType(STRING, INTEGER)])


def test_cube_explode() -> None:
    cube = REGISTRY.resolve_table("CUBE_EXPLODE", [ArrayType(INTEGER)])
    assert cube.return_type == ArrayType(INTEGER)
    assert cube.fn([1, 2]) == [[None, None], [None, 2], [1, None], [1, 2]]
    assert cube.fn([1, None]) == [[None, None], [1, None]]
    assert cube.fn(None) == []
