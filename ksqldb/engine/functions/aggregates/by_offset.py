"""LATEST_BY_OFFSET and EARLIEST_BY_OFFSET: values by the order in which they were processed."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from typing import Any

from ksqldb.engine.errors import FunctionError
from ksqldb.engine.functions.aggregates.totals import sql_type
from ksqldb.engine.functions.aggregator import Aggregator
from ksqldb.engine.functions.registry import Aggregate, Properties, aggregate
from ksqldb.engine.functions.signature import ArgType
from ksqldb.engine.types import BIGINT, ArrayType, Field, SqlType, StructType

# Orders values of sessions that merge later. It starts at the clock so that numbers in restored states stay smaller;
# only their order counts, never the numbers.
_sequence = itertools.count(time.time_ns())

State = list[Any]  # [sequence, value]


def _state_type(type_: SqlType) -> StructType:
    return StructType((Field("SEQ", BIGINT), Field("VAL", type_)))


# ---------------------------------------------------------------------------------------------- LATEST

LATEST = aggregate("LATEST_BY_OFFSET", "The latest value, or the latest N values, of a column by offset.")


def _latest(type_: SqlType, ignore_nulls: bool) -> Aggregator:
    def merge(a: State, b: State) -> State:
        if ignore_nulls and (a[1] is None or b[1] is None):
            return b if a[1] is None else a
        return a if a[0] >= b[0] else b

    latest = "[{next}({sequence}), {a}]"
    return Aggregator(
        initialize=lambda: [next(_sequence), None],
        add=lambda state, value: state if value is None and ignore_nulls else [next(_sequence), value],
        inline=f"{{s}} if {{a}} is None else {latest}" if ignore_nulls else latest,
        inline_names={"next": next, "sequence": _sequence},
        result=lambda state: state[1],
        merge=merge,
        return_type=type_,
        state_type=_state_type(type_),
    )


def _latest_n(type_: SqlType, n: int, ignore_nulls: bool) -> Aggregator:
    def add(states: list[State], value: Any) -> list[State]:
        return states if value is None and ignore_nulls else [*states, [next(_sequence), value]][-n:]

    return Aggregator(
        initialize=list,
        add=add,
        result=lambda states: [state[1] for state in states],
        # ksqlDB 0.29 keeps the first n here too, not the last.
        merge=lambda a, b: sorted([*a, *b], key=lambda state: state[0])[:n],
        return_type=ArrayType(type_),
        state_type=ArrayType(_state_type(type_)),
    )


# ---------------------------------------------------------------------------------------------- EARLIEST

EARLIEST = aggregate("EARLIEST_BY_OFFSET", "The earliest value, or the earliest N values, of a column by offset.")


def _earliest(type_: SqlType, ignore_nulls: bool) -> Aggregator:
    def add(state: State | None, value: Any) -> State | None:
        if state is not None or (value is None and ignore_nulls):
            return state
        return [next(_sequence), value]

    def merge(a: State | None, b: State | None) -> State | None:
        if a is None or b is None:
            return a or b
        return a if a[0] < b[0] else b

    return Aggregator(
        initialize=lambda: None,
        add=add,
        result=lambda state: state and state[1],
        merge=merge,
        return_type=type_,
        state_type=_state_type(type_),
    )


def _earliest_n(type_: SqlType, n: int, ignore_nulls: bool) -> Aggregator:
    def add(states: list[State], value: Any) -> list[State]:
        if len(states) >= n or (value is None and ignore_nulls):
            return states
        return [*states, [next(_sequence), value]]

    return Aggregator(
        initialize=list,
        add=add,
        result=lambda states: [state[1] for state in states],
        merge=lambda a, b: sorted([*a, *b], key=lambda state: state[0])[:n],
        return_type=ArrayType(type_),
        state_type=ArrayType(_state_type(type_)),
    )


# ---------------------------------------------------------------------------------------------- the four forms of each


def _declare(
    function: Aggregate,
    word: str,
    one: Callable[[SqlType, bool], Aggregator],
    many: Callable[[SqlType, int, bool], Aggregator],
) -> None:
    def single(args: Sequence[ArgType], literals: Sequence[Any], _properties: Properties) -> Aggregator:
        return one(sql_type(args[0]), literals[0] if literals else True)

    def several(args: Sequence[ArgType], literals: Sequence[Any], _properties: Properties) -> Aggregator:
        if literals[0] <= 0:
            raise FunctionError(f"{word}N must be 1 or greater")
        return many(sql_type(args[0]), literals[0], literals[1] if len(literals) > 1 else True)

    single.__doc__ = f"return the {word} value of a column"
    several.__doc__ = f"return the {word} N values of a column"
    function.overload("T", "T")(single)
    function.overload("T", "T", literals="BOOLEAN ignoreNulls")(single)
    function.overload("T", "ARRAY<T>", literals=f"INT {word}N")(several)
    function.overload("T", "ARRAY<T>", literals=f"INT {word}N, BOOLEAN ignoreNulls")(several)


_declare(LATEST, "latest", _latest, _latest_n)
_declare(EARLIEST, "earliest", _earliest, _earliest_n)
