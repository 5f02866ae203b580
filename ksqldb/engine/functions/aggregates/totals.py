"""COUNT, SUM, AVG, MIN, MAX and SUM_LIST."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import reduce
from typing import Any

from ksqldb.engine.functions.aggregator import Aggregator, identity
from ksqldb.engine.functions.registry import Properties, aggregate
from ksqldb.engine.functions.signature import ArgType
from ksqldb.engine.types import BIGINT, DOUBLE, INTEGER, Base, DecimalType, Field, SqlType, StructType
from ksqldb.engine.values import fit_decimal, wrap_int, wrap_long
from ksqldb.engine.values.numbers import WIDE


def sql_type(arg: ArgType) -> SqlType:
    """The SQL type of a column argument."""
    assert isinstance(arg, SqlType)
    return arg


# ---------------------------------------------------------------------------------------------- COUNT

COUNT = aggregate("COUNT", "Counts records by key.")


@COUNT.overload("T val1", "BIGINT")
def count(args: Sequence[ArgType], _literals: Sequence[Any], _properties: Properties) -> Aggregator:
    """Counts records by key."""
    return Aggregator(
        initialize=lambda: 0,
        add=lambda state, value: state if value is None else state + 1,
        undo=lambda state, value: state if value is None else state - 1,
        result=identity,
        merge=operator.add,
        return_type=BIGINT,
        state_type=BIGINT,
        inline="{s} if {a} is None else {s} + 1",
    )


# ---------------------------------------------------------------------------------------------- SUM


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Addition as a number type has it: whole numbers wrap, decimals overflow with FunctionError."""

    zero: Any
    add: Callable[[Any, Any], Any]
    subtract: Callable[[Any, Any], Any]
    inline: str = ""  # ``add`` as ``Aggregator.inline`` has it
    inline_names: Mapping[str, object] = field(default_factory=dict)


def arithmetic(type_: SqlType) -> Arithmetic:
    if isinstance(type_, DecimalType):
        return _decimal_arithmetic(type_.precision, type_.scale)
    if type_.base is Base.DOUBLE:
        return Arithmetic(0.0, operator.add, operator.sub)
    wrap = wrap_int if type_.base is Base.INTEGER else wrap_long
    return Arithmetic(0, lambda a, b: wrap(a + b), lambda a, b: wrap(a - b))


def _decimal_arithmetic(precision: int, scale: int) -> Arithmetic:
    zero, limit = Decimal(0).scaleb(-scale), Decimal(1).scaleb(precision - scale)
    low = -limit
    plus, minus = WIDE.add, WIDE.subtract

    def fitting(found: Decimal) -> Decimal:
        """As a rule both have the type's scale, so their sum has, and only its size is to be looked at."""
        if low < found < limit and found.same_quantum(zero):
            return found
        return fit_decimal(found, precision, scale)

    return Arithmetic(
        zero,
        lambda a, b: fitting(plus(a, b)),
        lambda a, b: fitting(minus(a, b)),
        "_t if {low} < (_t := {plus}({s}, {a})) < {limit} and _t.same_quantum({zero}) else {fitting}(_t)",
        {"low": low, "limit": limit, "zero": zero, "plus": plus, "fitting": fitting},
    )


SUM = aggregate("SUM", "Adds up the values of a column.")


def total(args: Sequence[ArgType], _literals: Sequence[Any], _properties: Properties) -> Aggregator:
    """Adds up the values of a column; NULL adds nothing."""
    type_ = sql_type(args[0])
    numbers = arithmetic(type_)
    plus, minus = numbers.add, numbers.subtract
    return Aggregator(
        initialize=lambda: numbers.zero,
        add=lambda state, value: state if value is None else plus(state, value),
        inline=f"{{s}} if {{a}} is None else {numbers.inline}" if numbers.inline else "",
        inline_names=numbers.inline_names,
        undo=lambda state, value: state if value is None else minus(state, value),
        result=identity,
        merge=plus,
        return_type=type_,
        state_type=type_,
    )


for _type in ("DOUBLE", "INT", "BIGINT", "DECIMAL"):
    SUM.overload(f"{_type} val1", _type)(total)

SUM_LIST = aggregate("SUM_LIST", "Adds up the elements of all arrays of a column.")


def sum_list(args: Sequence[ArgType], _literals: Sequence[Any], _properties: Properties) -> Aggregator:
    """Adds up the elements of all arrays of a column; NULL elements add nothing."""
    type_ = _element(args[0])
    numbers = arithmetic(type_)

    def fold(step: Callable[[Any, Any], Any]) -> Callable[[Any, list[Any] | None], Any]:
        return lambda state, values: reduce(step, (value for value in values or () if value is not None), state)

    return Aggregator(
        initialize=lambda: numbers.zero,
        add=fold(numbers.add),
        undo=fold(numbers.subtract),
        result=identity,
        merge=numbers.add,
        return_type=type_,
        state_type=type_,
    )


def _element(arg: ArgType) -> SqlType:
    return {"ARRAY<INTEGER>": INTEGER, "ARRAY<BIGINT>": BIGINT, "ARRAY<DOUBLE>": DOUBLE}[str(arg)]


for _type in ("DOUBLE", "INT", "BIGINT"):
    SUM_LIST.overload(f"ARRAY<{_type}> val1", _type)(sum_list)

# ---------------------------------------------------------------------------------------------- AVG

AVG = aggregate("AVG", "The mean of a column's values.")


def average(args: Sequence[ArgType], _literals: Sequence[Any], _properties: Properties) -> Aggregator:
    """The mean of a column's values; NULL does not count, the mean of nothing is 0."""
    type_ = sql_type(args[0])
    numbers = arithmetic(type_)

    def add(state: list[Any], value: Any) -> list[Any]:
        return state if value is None else [numbers.add(state[0], value), state[1] + 1]

    def undo(state: list[Any], value: Any) -> list[Any]:
        return state if value is None else [numbers.subtract(state[0], value), state[1] - 1]

    return Aggregator(
        initialize=lambda: [numbers.zero, 0],
        add=add,
        undo=undo,
        result=lambda state: float(state[0]) / state[1] if state[1] else 0.0,
        merge=lambda a, b: [numbers.add(a[0], b[0]), a[1] + b[1]],
        return_type=DOUBLE,
        state_type=StructType((Field("SUM", type_), Field("COUNT", BIGINT))),
    )


for _type in ("DOUBLE", "INT", "BIGINT"):
    AVG.overload(f"{_type} val1", "DOUBLE")(average)

# ---------------------------------------------------------------------------------------------- MIN, MAX


def _extreme(
    better: Callable[[Any, Any], bool],
    sign: str,
) -> Callable[[Sequence[ArgType], Sequence[Any], Properties], Aggregator]:
    """An aggregate that keeps the value that is ``better`` than the one it has."""

    def make(args: Sequence[ArgType], _literals: Sequence[Any], _properties: Properties) -> Aggregator:
        def pick(state: Any, value: Any) -> Any:
            if value is None or state is None:
                return state if value is None else value
            return value if better(value, state) else state

        type_ = sql_type(args[0])
        return Aggregator(
            initialize=lambda: None,
            add=pick,
            result=identity,
            merge=pick,
            return_type=type_,
            state_type=type_,
            inline=f"{{s}} if {{a}} is None or ({{s}} is not None and not {{a}} {sign} {{s}}) else {{a}}",
        )

    return make


MIN = aggregate("MIN", "The least value of a column.")
MAX = aggregate("MAX", "The greatest value of a column.")
_ORDERED = ("INT", "BIGINT", "DOUBLE", "DECIMAL", "DATE", "TIME", "TIMESTAMP", "VARCHAR", "BYTES")
for _type in _ORDERED:
    MIN.overload(f"{_type} val1", _type)(_extreme(operator.lt, "<"))
    MAX.overload(f"{_type} val1", _type)(_extreme(operator.gt, ">"))
