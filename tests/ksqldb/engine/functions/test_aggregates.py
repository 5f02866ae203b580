"""Aggregates: adding, undoing, merging, their types, and what their states are made of."""

from __future__ import annotations

import json
import math
import pickle
import re
from decimal import Decimal
from typing import Any

import pytest

from ksqldb.engine.errors import FunctionError, KsqlError
from ksqldb.engine.functions import REGISTRY, Aggregate, Aggregator, NotLiteral
from ksqldb.engine.types import (
    BIGINT,
    BYTES,
    DATE,
    DOUBLE,
    INTEGER,
    STRING,
    ArrayType,
    DecimalType,
    Field,
    MapType,
    SqlType,
    StructType,
)
from tests.ksqldb.engine.functions.calling import type_of

D = Decimal


def aggregator(name: str, *types: SqlType, literals: tuple[Any, ...] = (), properties: Any = None) -> Aggregator:
    literal_types = [type_of(literal) for literal in literals]
    given = [*(NotLiteral(f"C{i}") for i, _ in enumerate(types)), *literals]
    return REGISTRY.resolve_aggregate(name, [*types, *literal_types], given, properties or {})


def results(aggregate: Aggregator, *rows: Any) -> list[Any]:
    """The result after each row; a row is a tuple of columns, or the one column."""
    state = aggregate.initialize()
    found = []
    for row in rows:
        state = aggregate.add(state, *(row if isinstance(row, tuple) else (row,)))
        found.append(aggregate.result(state))
    return found


COUNTS = MapType(STRING, BIGINT)

SIMPLE: list[tuple[str, tuple[SqlType, ...], tuple[Any, ...], list[Any], list[Any], SqlType]] = [
    ("COUNT", (STRING,), (), ["a", None, "b"], [1, 1, 2], BIGINT),
    ("SUM", (INTEGER,), (), [3, None, 2**31 - 1], [3, 3, -(2**31) + 2], INTEGER),
    ("SUM", (BIGINT,), (), [2**40, 1], [2**40, 2**40 + 1], BIGINT),
    ("SUM", (DOUBLE,), (), [0.1, 0.2], [0.1, 0.30000000000000004], DOUBLE),
    ("SUM", (DecimalType(8, 2),), (), [D("2.50"), None], [D("2.50"), D("2.50")], DecimalType(8, 2)),
    ("SUM_LIST", (ArrayType(INTEGER),), (), [[1, 1], [100, None], None], [2, 102, 102], INTEGER),
    ("AVG", (INTEGER,), (), [1, None, 2], [1.0, 1.0, 1.5], DOUBLE),
    ("AVG", (BIGINT,), (), [-1, 2**63 - 1], [-1.0, 4.611686018427388e18], DOUBLE),
    ("MIN", (STRING,), (), [None, "b", "a", None], [None, "b", "a", "a"], STRING),
    ("MAX", (DATE,), (), [3, 1, 9], [3, 3, 9], DATE),
    ("MAX", (BYTES,), (), [b"a", b"\xff"], [b"a", b"\xff"], BYTES),
    ("LATEST_BY_OFFSET", (INTEGER,), (), [3, None, 9], [3, 3, 9], INTEGER),
    ("LATEST_BY_OFFSET", (INTEGER,), (False,), [3, None], [3, None], INTEGER),
    ("LATEST_BY_OFFSET", (INTEGER,), (2,), [3, None, 9, 3], [[3], [3], [3, 9], [9, 3]], ArrayType(INTEGER)),
    ("LATEST_BY_OFFSET", (STRING,), (2, False), ["p", None, "r"], [["p"], ["p", None], [None, "r"]], ArrayType(STRING)),
    ("EARLIEST_BY_OFFSET", (INTEGER,), (), [None, 3, 9], [None, 3, 3], INTEGER),
    ("EARLIEST_BY_OFFSET", (INTEGER,), (False,), [None, 3], [None, None], INTEGER),
    ("EARLIEST_BY_OFFSET", (INTEGER,), (2,), [3, None, 9, 5], [[3], [3], [3, 9], [3, 9]], ArrayType(INTEGER)),
    ("COLLECT_LIST", (INTEGER,), (), [1, None, 1], [[1], [1, None], [1, None, 1]], ArrayType(INTEGER)),
    ("COLLECT_SET", (INTEGER,), (), [1, None, 1], [[1], [1, None], [1, None]], ArrayType(INTEGER)),
    (
        "HISTOGRAM",
        (STRING,),
        (),
        ["a", "b", "a"],
        [{"a": 1}, {"a": 1, "b": 1}, {"a": 2, "b": 1}],
        MapType(STRING, BIGINT),
    ),
    (
        "TOPK",
        (INTEGER,),
        (2,),
        [0, None, 100, 99, 100],
        [[0], [0], [100, 0], [100, 99], [100, 100]],
        ArrayType(INTEGER),
    ),
    ("TOPKDISTINCT", (INTEGER,), (2,), [0, 100, 100, 99], [[0], [100, 0], [100, 0], [100, 99]], ArrayType(INTEGER)),
    ("ATTR", (STRING,), (), ["1", "1", "2"], ["1", "1", None], STRING),
    ("ATTR", (STRING,), (), [None, None], [None, None], STRING),
    ("COUNT_DISTINCT", (STRING,), (), ["one", "two", "one", None], [1, 2, 2, 2], BIGINT),
    ("STDDEV_SAMP", (INTEGER,), (), [3, None, 9, 3], [0.0, 0.0, 18.0, 12.0], DOUBLE),
    ("STDDEV_SAMPLE", (DOUBLE,), (), [1.5, 2.25, -1.0], [0.0, 0.5303300858899106, 1.7017148213885114], DOUBLE),
]


@pytest.mark.parametrize(
    ("name", "types", "literals", "rows", "expected", "returns"),
    SIMPLE,
    ids=[f"{i}-{c[0]}" for i, c in enumerate(SIMPLE)],
)
def test_results(
    name: str,
    types: tuple[SqlType, ...],
    literals: tuple[Any, ...],
    rows: list[Any],
    expected: list[Any],
    returns: SqlType,
) -> None:
    aggregate = aggregator(name, *types, literals=literals)
    assert results(aggregate, *rows) == expected
    assert aggregate.return_type == returns
    assert aggregate.inputs == len(types)
    state = aggregate.initialize()
    for row in rows:
        state = aggregate.add(state, row)
    assert aggregate.result(pickle.loads(pickle.dumps(state))) == expected[-1]


def test_topk_rows_carry_their_other_columns() -> None:
    aggregate = aggregator("TOPK", INTEGER, STRING, literals=(2,))
    assert aggregate.inputs == 2
    assert aggregate.return_type == ArrayType(StructType((Field("sort_col", INTEGER), Field("col0", STRING))))
    assert results(aggregate, (0, "zero"), (100, "one"), (None, "x"), (99, None))[-1] == [
        {"sort_col": 100, "col0": "one"},
        {"sort_col": 99, "col0": None},
    ]


def test_correlation() -> None:
    aggregate = aggregator("CORRELATION", DOUBLE, DOUBLE)
    found = results(aggregate, (1.5, 8.0), (-1.0, -2.0), (None, 1.0), (-4.5, -1.0))
    assert math.isnan(found[0])
    assert found[1:] == [1.0, 1.0, 0.7580764521133173]


UNDO: list[tuple[str, tuple[SqlType, ...], list[Any], list[Any]]] = [
    ("COUNT", (STRING,), ["a", None], ["b"]),
    ("SUM", (INTEGER,), [3, None], [4]),
    ("SUM", (DecimalType(4, 2),), [D("1.50")], [D("2.25")]),
    ("SUM_LIST", (ArrayType(BIGINT),), [[1, 2]], [[3]]),
    ("AVG", (INTEGER,), [1], [2, None]),
    ("COLLECT_LIST", (INTEGER,), [1, 2], [2, 3]),
    ("HISTOGRAM", (STRING,), ["a"], ["a", "b"]),
    ("ATTR", (STRING,), ["a"], ["b"]),
    ("STDDEV_SAMP", (INTEGER,), [1, 5], [9]),
    ("STDDEV_SAMPLE", (DOUBLE,), [1.0, 5.0], [9.0]),
    ("CORRELATION", (INTEGER, INTEGER), [(1, 2), (2, 3), (3, 5)], [(9, 1)]),
]


@pytest.mark.parametrize(("name", "types", "kept", "gone"), UNDO, ids=lambda value: str(value)[:30])
def test_undo_takes_back_what_was_added(
    name: str, types: tuple[SqlType, ...], kept: list[Any], gone: list[Any]
) -> None:
    aggregate = aggregator(name, *types)
    assert aggregate.undo is not None
    columns = [row if isinstance(row, tuple) else (row,) for row in [*kept, *gone]]
    state = aggregate.initialize()
    for row in columns:
        state = aggregate.add(state, *row)
    for row in reversed(columns[len(kept) :]):
        state = aggregate.undo(state, *row)
    plain = aggregate.initialize()
    for row in columns[: len(kept)]:
        plain = aggregate.add(plain, *row)
    assert aggregate.result(state) == pytest.approx(aggregate.result(plain))


def test_the_others_cannot_be_undone() -> None:
    without = {
        name
        for name, function in REGISTRY.functions.items()
        if isinstance(function, Aggregate) and name not in {case[0] for case in UNDO}
    }
    assert without == {
        "COLLECT_SET",
        "COUNT_DISTINCT",
        "EARLIEST_BY_OFFSET",
        "LATEST_BY_OFFSET",
        "MAX",
        "MIN",
        "TOPK",
        "TOPKDISTINCT",
    }
    for name in ("COLLECT_SET", "COUNT_DISTINCT", "EARLIEST_BY_OFFSET", "LATEST_BY_OFFSET", "MAX", "MIN"):
        assert aggregator(name, INTEGER).undo is None


@pytest.mark.parametrize(
    ("name", "types", "literals", "first", "second", "expected"),
    [
        ("COUNT", (STRING,), (), ["a"], ["b", "c"], 3),
        ("SUM", (INTEGER,), (), [2**31 - 1], [1], -(2**31)),
        ("AVG", (INTEGER,), (), [1], [2, 6], 3.0),
        ("MIN", (INTEGER,), (), [], [4], 4),
        ("MAX", (INTEGER,), (), [5], [4], 5),
        ("LATEST_BY_OFFSET", (INTEGER,), (), [1], [2, None], 2),
        ("EARLIEST_BY_OFFSET", (INTEGER,), (), [None], [2], 2),
        ("EARLIEST_BY_OFFSET", (INTEGER,), (2,), [1], [2, 3], [1, 2]),
        ("COLLECT_LIST", (INTEGER,), (), [1], [1, 2], [1, 1, 2]),
        ("COLLECT_SET", (INTEGER,), (), [1], [1, 2], [1, 2]),
        ("HISTOGRAM", (STRING,), (), ["a"], ["a", "b"], {"a": 2, "b": 1}),
        ("TOPK", (INTEGER,), (2,), [1, 9], [5], [9, 5]),
        ("TOPKDISTINCT", (INTEGER,), (2,), [1, 9], [9], [9, 1]),
        ("ATTR", (STRING,), (), ["a"], ["a"], "a"),
        ("COUNT_DISTINCT", (STRING,), (), ["a", "b"], ["b", "c"], 3),
        ("STDDEV_SAMP", (DOUBLE,), (), [3.0], [9.0, 3.0], 12.0),
        ("SUM_LIST", (ArrayType(DOUBLE),), (), [[1.0]], [[2.0]], 3.0),
    ],
)
def test_merge_joins_two_sessions(
    name: str, types: tuple[SqlType, ...], literals: tuple[Any, ...], first: list[Any], second: list[Any], expected: Any
) -> None:
    aggregate = aggregator(name, *types, literals=literals)
    states = []
    for rows in (first, second):
        state = aggregate.initialize()
        for row in rows:
            state = aggregate.add(state, row)
        states.append(state)
    assert aggregate.result(aggregate.merge(*states)) == expected


def test_results_do_not_change_with_the_state() -> None:
    aggregate = aggregator("COLLECT_LIST", INTEGER)
    state = aggregate.add(aggregate.initialize(), 1)
    first = aggregate.result(state)
    aggregate.add(state, 2)
    assert first == [1]


def test_collections_are_limited_by_a_property() -> None:
    for name, rows in (("collect_list", [0, 0]), ("collect_set", [0, 1])):
        aggregate = aggregator(name, INTEGER, properties={f"ksql.functions.{name}.limit": "1"})
        assert results(aggregate, *rows) == [[0], [0]]


def test_histogram_keeps_a_thousand_values() -> None:
    aggregate = aggregator("HISTOGRAM", STRING)
    last = results(aggregate, *map(str, range(1001)), "0")[-1]
    assert len(last) == 1000
    assert last["0"] == 2


def test_count_distinct_estimates_beyond_its_exact_range() -> None:
    aggregate = aggregator("COUNT_DISTINCT", INTEGER)
    state = aggregate.initialize()
    for value in range(20_000):
        state = aggregate.add(state, value)
    assert aggregate.result(state) == pytest.approx(20_000, rel=0.08)
    assert json.loads(json.dumps(state)) == state
    half = aggregate.initialize()
    for value in range(0, 20_000, 2):
        half = aggregate.add(half, value)
    assert aggregate.result(aggregate.merge(state, half)) == aggregate.result(state)


def test_decimal_sum_keeps_38_digits() -> None:
    aggregate = aggregator("SUM", DecimalType(38, 2))
    big = D("111111111111111111111111111111111111.11")
    assert results(aggregate, big, D("0.22"))[-1] == D("111111111111111111111111111111111111.33")


def test_decimal_sum_overflows() -> None:
    aggregate = aggregator("SUM", DecimalType(3, 1))
    with pytest.raises(FunctionError, match="Numeric field overflow"):
        results(aggregate, D("99.9"), D("0.1"))


def test_a_parameter_must_be_a_literal() -> None:
    message = "Parameter 2 passed to function EARLIEST_BY_OFFSET must be a literal constant, but was expression: 'F0'"
    with pytest.raises(KsqlError, match=re.escape(message)):
        REGISTRY.resolve_aggregate("EARLIEST_BY_OFFSET", [INTEGER, INTEGER], [NotLiteral("F0"), NotLiteral("F0")])


def test_n_must_be_positive() -> None:
    with pytest.raises(KsqlError, match="latestN must be 1 or greater"):
        aggregator("LATEST_BY_OFFSET", INTEGER, literals=(0,))


def test_aggregates_take_no_silent_casts() -> None:
    with pytest.raises(KsqlError, match=re.escape("Function 'AVG' does not accept parameters (DECIMAL(4, 2)).")):
        aggregator("AVG", DecimalType(4, 2))
