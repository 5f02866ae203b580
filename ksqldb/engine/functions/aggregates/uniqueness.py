"""ATTR and COUNT_DISTINCT."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import Any

from ksqldb.engine.functions.aggregates.totals import sql_type
from ksqldb.engine.functions.aggregator import Aggregator
from ksqldb.engine.functions.registry import Properties, aggregate
from ksqldb.engine.functions.signature import ArgType
from ksqldb.engine.types import BIGINT, INTEGER, ArrayType, Field, StructType
from ksqldb.engine.values import value_text

ATTR = aggregate("ATTR", "The one value of a column; NULL where rows differ.", author="")


@ATTR.overload("T", "T")
def attr(args: Sequence[ArgType], _literals: Sequence[Any], _properties: Properties) -> Aggregator:
    """The one value of a column, which may be NULL; NULL where rows differ."""

    def shift(state: list[list[Any]], value: Any, by: int) -> list[list[Any]]:
        for entry in state:
            if entry[0] == value:
                entry[1] = max(0, entry[1] + by)
                return state
        if by > 0:
            state.append([value, by])
        return state

    def result(state: list[list[Any]]) -> Any:
        there = [value for value, times in state if times > 0]
        return there[0] if len(there) == 1 else None

    def merge(a: list[list[Any]], b: list[list[Any]]) -> list[list[Any]]:
        merged = [list(entry) for entry in a]
        for value, times in b:
            shift(merged, value, times)
        return merged

    type_ = sql_type(args[0])
    return Aggregator(
        initialize=list,
        add=lambda state, value: shift(state, value, 1),
        undo=lambda state, value: shift(state, value, -1),
        result=result,
        merge=merge,
        return_type=type_,
        state_type=ArrayType(StructType((Field("VALUE", type_), Field("COUNT", INTEGER)))),
    )


# ---------------------------------------------------------------------------------------------- COUNT_DISTINCT

COUNT_DISTINCT = aggregate("COUNT_DISTINCT", "About how many different values a column has.")

_BITS = 11  # 2,048 registers: a standard error of 2.3 %
_EXACT = 512  # so many different hashes are kept as they are, and counted exactly


@COUNT_DISTINCT.overload("T", "BIGINT")
def count_distinct(args: Sequence[ArgType], _literals: Sequence[Any], _properties: Properties) -> Aggregator:
    """About how many different values a column has (HyperLogLog; exact for a few hundred); NULL does not count."""
    text = value_text(sql_type(args[0]))

    def add(state: dict[str, list[int]], value: Any) -> dict[str, list[int]]:
        return state if value is None else _insert(state, _hash(text(value)))

    return Aggregator(
        initialize=lambda: {"hashes": []},
        add=add,
        result=_estimate,
        merge=_merge,
        return_type=BIGINT,
        state_type=ArrayType(INTEGER),
    )


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def _insert(state: dict[str, list[int]], hashed: int) -> dict[str, list[int]]:
    hashes = state.get("hashes")
    if hashes is None:
        _register(state["registers"], hashed)
        return state
    if hashed not in hashes:
        hashes.append(hashed)
    return state if len(hashes) <= _EXACT else {"registers": _registers(hashes)}


def _register(registers: list[int], hashed: int) -> None:
    """Keeps the longest run of leading zeros (counting the one behind them) seen by the hash's register."""
    at, rest = hashed >> (64 - _BITS), hashed & ((1 << (64 - _BITS)) - 1)
    registers[at] = max(registers[at], 64 - _BITS - rest.bit_length() + 1)


def _registers(hashes: list[int]) -> list[int]:
    registers = [0] * (1 << _BITS)
    for hashed in hashes:
        _register(registers, hashed)
    return registers


def _merge(a: dict[str, list[int]], b: dict[str, list[int]]) -> dict[str, list[int]]:
    if "hashes" in a and "hashes" in b:
        union = list(dict.fromkeys([*a["hashes"], *b["hashes"]]))
        return {"hashes": union} if len(union) <= _EXACT else {"registers": _registers(union)}
    left, right = (s["registers"] if "registers" in s else _registers(s["hashes"]) for s in (a, b))
    return {"registers": [max(x, y) for x, y in zip(left, right, strict=True)]}


def _estimate(state: dict[str, list[int]]) -> int:
    """Flajolet et al. 2007: the harmonic mean of the registers, linear counting while many are empty."""
    if "hashes" in state:
        return len(state["hashes"])
    registers = state["registers"]
    size = len(registers)
    raw = 0.7213 / (1 + 1.079 / size) * size * size / sum(2.0**-r for r in registers)
    empty = registers.count(0)
    return round(size * math.log(size / empty) if empty and raw <= 2.5 * size else raw)
