"""What an aggregate says of itself for generated loops is what its ``add`` does."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ksqldb.engine.errors import KsqlError
from ksqldb.engine.functions import REGISTRY
from ksqldb.engine.functions.aggregator import Aggregator
from ksqldb.engine.types import BIGINT, BOOLEAN, DOUBLE, STRING, DecimalType, SqlType

values = {
    BIGINT: st.none() | st.integers(-3, 3),
    DOUBLE: st.none() | st.floats(allow_nan=True),
    STRING: st.none() | st.text(max_size=2),
    DecimalType(5, 2): st.none() | st.decimals("-999.99", "999.99", places=2),
}


def inlined_add(aggregate: Aggregator) -> Callable[[object, object], object]:
    assert aggregate.inline
    names = {name: f"_{name}" for name in aggregate.inline_names}
    env = {names[name]: value for name, value in aggregate.inline_names.items()}
    source = "lambda s, a: " + aggregate.inline.format(s="s", a="a", **names)
    return cast("Callable[[object, object], object]", eval(source, env))


@pytest.mark.parametrize("sql_type", list(values), ids=str)
@pytest.mark.parametrize("name", ["COUNT", "MIN", "MAX"])
def test_inline_is_add(name: str, sql_type: SqlType) -> None:
    aggregate = REGISTRY.resolve_aggregate(name, [sql_type], [])
    inline = inlined_add(aggregate)

    @given(st.lists(values[sql_type]))
    def check(given_values: list[object]) -> None:
        state = inlined = aggregate.initialize()
        for value in given_values:
            state, inlined = aggregate.add(state, value), inline(inlined, value)
            assert repr(inlined) == repr(state)

    check()


@given(st.lists(values[DecimalType(5, 2)]))
def test_inline_sum_of_decimals_is_add(given_values: list[object]) -> None:
    aggregate = REGISTRY.resolve_aggregate("SUM", [DecimalType(5, 2)], [])
    inline = inlined_add(aggregate)
    state = inlined = aggregate.initialize()
    for value in given_values:
        added, told = _outcome(aggregate.add, state, value)
        again, told_again = _outcome(inline, inlined, value)
        assert (repr(again), told_again) == (repr(added), told)
        state = inlined = state if added is None else added


def _outcome(add: Callable[[object, object], object], state: object, value: object) -> tuple[object, str | None]:
    """The next state, or what it was refused for."""
    try:
        return add(state, value), None
    except KsqlError as refused:
        return None, str(refused)


@pytest.mark.parametrize("ignore_nulls", [True, False])
@given(given_values=st.lists(values[STRING]))
def test_inline_latest_is_add(ignore_nulls: bool, given_values: list[object]) -> None:
    aggregate = REGISTRY.resolve_aggregate("LATEST_BY_OFFSET", [STRING, BOOLEAN], [None, ignore_nulls])
    inline = inlined_add(aggregate)
    state = inlined = aggregate.initialize()
    for value in given_values:
        state, inlined = aggregate.add(state, value), inline(inlined, value)
        assert aggregate.result(inlined) == aggregate.result(state)
