"""COLLECT_LIST, COLLECT_SET, HISTOGRAM, TOPK and TOPKDISTINCT: aggregates that keep values."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from ksqldb.engine.functions.aggregates.totals import sql_type
from ksqldb.engine.functions.aggregator import Aggregator
from ksqldb.engine.functions.registry import Properties, aggregate
from ksqldb.engine.functions.signature import ArgType
from ksqldb.engine.types import BIGINT, STRING, ArrayType, Field, MapType, StructType


def _limit(properties: Properties, function: str) -> int:
    """The most values one result may hold: ``ksql.functions.<function>.limit``, without bound where it is not set."""
    limit = int(str(properties.get(f"ksql.functions.{function}.limit", sys.maxsize)))
    return limit if limit >= 0 else sys.maxsize


# ---------------------------------------------------------------------------------------------- COLLECT

COLLECT_LIST = aggregate("COLLECT_LIST", "Gathers all values of a column into one array.")


@COLLECT_LIST.overload("T", "ARRAY<T>")
def collect_list(args: Sequence[ArgType], _literals: Sequence[Any], properties: Properties) -> Aggregator:
    """Gathers all values of a column, NULL too, in the order they came."""
    limit = _limit(properties, "collect_list")

    def add(state: list[Any], value: Any) -> list[Any]:
        if len(state) < limit:
            state.append(value)
        return state

    def undo(state: list[Any], value: Any) -> list[Any]:
        for at in range(len(state) - 1, -1, -1):
            if state[at] == value:
                del state[at]
                break
        return state

    type_ = ArrayType(sql_type(args[0]))
    return Aggregator(list, add, list, lambda a, b: (a + b)[:limit], type_, type_, undo)


COLLECT_SET = aggregate("COLLECT_SET", "Gathers the different values of a column into one array.")


@COLLECT_SET.overload("T", "ARRAY<T>")
def collect_set(args: Sequence[ArgType], _literals: Sequence[Any], properties: Properties) -> Aggregator:
    """Gathers the different values of a column, NULL too, in the order they first came."""
    limit = _limit(properties, "collect_set")

    def add(state: list[Any], value: Any) -> list[Any]:
        if len(state) < limit and value not in state:
            state.append(value)
        return state

    def merge(a: list[Any], b: list[Any]) -> list[Any]:
        merged = list(a)
        for value in b:
            add(merged, value)
        return merged

    type_ = ArrayType(sql_type(args[0]))
    return Aggregator(list, add, list, merge, type_, type_)


HISTOGRAM = aggregate("HISTOGRAM", "How often each value of a column occurs, for up to 1,000 different values.")
_HISTOGRAM_LIMIT = 1000


@HISTOGRAM.overload("VARCHAR", "MAP<VARCHAR, BIGINT>")
def histogram(_args: Sequence[ArgType], _literals: Sequence[Any], _properties: Properties) -> Aggregator:
    """How often each value of a column occurs, for up to 1,000 different values."""

    def grow(state: dict[str | None, int], value: str | None, by: int) -> None:
        if value in state or len(state) < _HISTOGRAM_LIMIT:
            state[value] = state.get(value, 0) + by

    def add(state: dict[str | None, int], value: str | None) -> dict[str | None, int]:
        grow(state, value, 1)
        return state

    def undo(state: dict[str | None, int], value: str | None) -> dict[str | None, int]:
        left = state.get(value, 0) - 1
        if left > 0:
            state[value] = left
        else:
            state.pop(value, None)
        return state

    def merge(a: dict[str | None, int], b: dict[str | None, int]) -> dict[str | None, int]:
        merged = dict(a)
        for value, times in b.items():
            grow(merged, value, times)
        return merged

    type_ = MapType(STRING, BIGINT)
    return Aggregator(dict, add, dict, merge, type_, type_, undo)


# ---------------------------------------------------------------------------------------------- TOPK

TOPK = aggregate("TOPK", "The k greatest values of a column.")
TOPKDISTINCT = aggregate("TOPKDISTINCT", "The k greatest different values of a column.")


def top_k(args: Sequence[ArgType], literals: Sequence[Any], _properties: Properties) -> Aggregator:
    """The k greatest values of a column, greatest first; NULL does not count."""
    k = int(literals[0])

    def add(state: list[Any], value: Any) -> list[Any]:
        if value is None or (len(state) == k and value <= state[-1]):
            return state
        return sorted([*state, value], reverse=True)[:k]

    type_ = ArrayType(sql_type(args[0]))
    return Aggregator(list, add, list, lambda a, b: sorted([*a, *b], reverse=True)[:k], type_, type_)


def top_k_rows(args: Sequence[ArgType], literals: Sequence[Any], _properties: Properties) -> Aggregator:
    """The k greatest values of a column, greatest first, each with the other columns of its row."""
    k = int(literals[0])
    names = ["sort_col", *(f"col{i}" for i in range(len(args) - 1))]

    def add(state: list[dict[str, Any]], *values: Any) -> list[dict[str, Any]]:
        if values[0] is None or (len(state) == k and values[0] <= state[-1]["sort_col"]):
            return state
        return _best([*state, dict(zip(names, values, strict=True))], k)

    row = StructType(tuple(Field(name, sql_type(arg)) for name, arg in zip(names, args, strict=True)))
    return Aggregator(list, add, list, lambda a, b: _best([*a, *b], k), ArrayType(row), ArrayType(row))


def _best(rows: list[dict[str, Any]], k: int) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: row["sort_col"], reverse=True)[:k]


def top_k_distinct(args: Sequence[ArgType], literals: Sequence[Any], _properties: Properties) -> Aggregator:
    """The k greatest different values of a column, greatest first; NULL does not count."""
    k = int(literals[0])

    def add(state: list[Any], value: Any) -> list[Any]:
        if value is None or value in state or (len(state) == k and value <= state[-1]):
            return state
        return sorted([*state, value], reverse=True)[:k]

    type_ = ArrayType(sql_type(args[0]))
    return Aggregator(list, add, list, lambda a, b: sorted({*a, *b}, reverse=True)[:k], type_, type_)


for _type in ("INT", "BIGINT", "DOUBLE", "VARCHAR"):
    TOPK.overload(_type, f"ARRAY<{_type}>", literals="INT k")(top_k)
    TOPK.overload(f"{_type}, ANY...", "ARRAY<STRUCT<>>", literals="INT k")(top_k_rows)
for _type in ("INT", "BIGINT", "DOUBLE", "DECIMAL", "VARCHAR", "DATE", "TIME", "TIMESTAMP", "BYTES"):
    TOPKDISTINCT.overload(_type, f"ARRAY<{_type}>", literals="INT k")(top_k_distinct)
