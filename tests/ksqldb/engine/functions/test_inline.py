"""What an aggregate says of itself for generated loops is what its ``add`` does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ksqldb.engine.functions import REGISTRY
from ksqldb.engine.types import BIGINT, DOUBLE, STRING, SqlType

values = {
    BIGINT: st.none() | st.integers(-3, 3),
    DOUBLE: st.none() | st.floats(allow_nan=True),
    STRING: st.none() | st.text(max_size=2),
}


@pytest.mark.parametrize("sql_type", list(values), ids=str)
@pytest.mark.parametrize("name", ["COUNT", "MIN", "MAX"])
def test_inline_is_add(name: str, sql_type: SqlType) -> None:
    aggregate = REGISTRY.resolve_aggregate(name, [sql_type], [])
    assert aggregate.inline
    inline = eval("lambda s, a: " + aggregate.inline.format(s="s", a="a"))

    @given(st.lists(values[sql_type]))
    def check(given_values: list[object]) -> None:
        state = inlined = aggregate.initialize()
        for value in given_values:
            state, inlined = aggregate.add(state, value), inline(inlined, value)
            assert repr(inlined) == repr(state)

    check()
