"""Functions that only ksqlDB's own functional tests use; ``with_trial_functions`` adds them for a conformance run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ksqldb.engine.errors import FunctionError
from ksqldb.engine.functions.aggregates.totals import sql_type
from ksqldb.engine.functions.aggregator import Aggregator
from ksqldb.engine.functions.registry import Aggregate, AggregatorFactory, Function, Properties, Registry
from ksqldb.engine.functions.signature import ArgType
from ksqldb.engine.types import BIGINT, INTEGER, ArrayType, DecimalType, Field, MapType, SqlType, StructType
from ksqldb.engine.values.text import nullable_text


def with_trial_functions(registry: Registry) -> Registry:
    """A copy of ``registry`` that has the functions of this module too."""
    extended = registry.copy()
    for function in [*_scalars(), *_tables()]:
        extended.add(function)
    for aggregate in _aggregates():
        extended.add(aggregate)
    return extended


# ---------------------------------------------------------------------------------------------- scalar


def _scalars() -> list[Function]:
    return [_bad_udf(), _test_udf(), _to_struct(), _when("WHENCONDITION", "BOOLEAN"), _when("WHENRESULT", "INT")]


def _function(name: str, kind: str = "SCALAR") -> Function:
    return Function(name.upper(), "OTHER", name, kind, spelled=name)


def _bad_udf() -> Function:
    function = _function("bad_udf")

    @function.overload("INT arg1", "VARCHAR")
    def blow_up(_arg: int) -> str:
        raise FunctionError("boom!")

    @function.overload("BOOLEAN arg", "INT")
    def might_throw(arg: bool) -> int:
        if arg:
            raise FunctionError("You asked me to throw...")
        return 0

    @function.overload("VARCHAR arg", "VARCHAR", typed=True)
    def every_other_null(_types: tuple[ArgType, ...]) -> Callable[[str], str | None]:
        calls = 0

        def call(arg: str) -> str | None:
            nonlocal calls
            calls += 1
            return None if calls % 2 else arg

        return call

    return function


def _test_udf() -> Function:
    function = _function("test_udf")

    def constant(text: str) -> Callable[..., str]:
        return lambda *_args: text

    for parameters, result in (
        ("INT arg1, VARCHAR arg2", "doStuffIntString"),
        ("BIGINT arg1, VARCHAR arg2", "doStuffLongString"),
        ("BIGINT arg1, BIGINT arg2, VARCHAR arg3", "doStuffLongLongString"),
        ("BIGINT... longs", "doStuffLongVarargs"),
    ):
        function.overload(parameters, "VARCHAR", null=True)(constant(result))
    function.overload("STRUCT<A VARCHAR> struct", "VARCHAR")(lambda struct: struct["A"])
    function.overload("", "STRUCT<A VARCHAR>")(lambda: {"A": "foo"})
    return function


def _to_struct() -> Function:
    function = _function("tostruct")
    function.overload("VARCHAR value", "STRUCT<A VARCHAR>")(lambda value: {"A": value})
    return function


def _when(name: str, type_: str) -> Function:
    function = _function(name)

    @function.overload(f"{type_} result, BOOLEAN shouldBeEvaluated", type_)
    def call(result: Any, expected: bool) -> Any:
        if not expected:
            raise FunctionError(f"{name} was evaluated, but must not be")
        return result

    return function


# ---------------------------------------------------------------------------------------------- aggregates


def _aggregates() -> list[Aggregate]:
    return [
        _totals("VAR_ARG", "BIGINT, VARCHAR...", ""),
        _totals("MULTI_ARG", "BIGINT, VARCHAR", "INT initArg1, VARCHAR... initArg2"),
        _totals("MID_VAR_ARG", "BIGINT, VARCHAR...", "INT initArg1, INT initArg2"),
        _totals("FOUR_ARG", "BIGINT, VARCHAR, VARCHAR, VARCHAR", "INT initArg1, VARCHAR... initArg2"),
        _totals("FIVE_ARG", "BIGINT, VARCHAR, VARCHAR, VARCHAR, INT", "INT initArg1, VARCHAR... initArg2"),
        _full_rows("GENERIC_VAR_ARG", "A, INT, B...", "ARRAY<A>"),
        _full_rows("OBJ_COL_ARG", "INT, ANY...", "ARRAY<INT>"),
        _test_udaf(),
    ]


def _weight(value: Any) -> int:
    """Numbers count as they are, texts by their length, NULL as nothing."""
    return 0 if value is None else len(value) if isinstance(value, str) else value


def _totals(name: str, parameters: str, literals: str) -> Aggregate:
    function = Aggregate(name, name, spelled=name)

    @function.overload(parameters, "BIGINT", literals=literals)
    def make(_args: Sequence[ArgType], given: Sequence[Any], _properties: Properties) -> Aggregator:
        start = sum(map(_weight, given))
        return Aggregator(
            initialize=lambda: start,
            add=lambda state, *values: state + sum(map(_weight, values)),
            result=lambda state: state,
            merge=lambda a, b: a + b,
            return_type=BIGINT,
            state_type=BIGINT,
        )

    return function


def _full_rows(name: str, parameters: str, returns: str) -> Aggregate:
    """Collects the first value of every row that has no NULL."""
    function = Aggregate(name, name, spelled=name)

    @function.overload(parameters, returns)
    def make(args: Sequence[ArgType], _literals: Sequence[Any], _properties: Properties) -> Aggregator:
        type_ = ArrayType(sql_type(args[0]))
        return Aggregator(
            initialize=list,
            add=lambda state, *values: state if None in values else [*state, values[0]],
            result=list,
            merge=lambda a, b: a + b,
            return_type=type_,
            state_type=type_,
        )

    return function


def _test_udaf() -> Aggregate:
    function = Aggregate("TEST_UDAF", "test_udaf", spelled="test_udaf")
    for type_, returns in (("BIGINT", BIGINT), ("INT", BIGINT)):
        function.overload(type_, "BIGINT")(_sum(0, returns, lambda value: value))
    function.overload("DOUBLE", "DOUBLE")(_sum_double)
    function.overload("VARCHAR", "BIGINT", literals="VARCHAR initialString")(_sum_lengths)
    function.overload("STRUCT<A INT, B INT>", "STRUCT<A INT, B INT>")(_sum_structs)
    return function


def _sum(start: float, returns: SqlType, of: Callable[[Any], Any]) -> AggregatorFactory:
    def make(_args: Sequence[ArgType], _literals: Sequence[Any], _properties: Properties) -> Aggregator:
        return Aggregator(
            initialize=lambda: start,
            add=lambda state, value: state + of(value),
            undo=lambda state, value: state - of(value),
            result=lambda state: state,
            merge=lambda a, b: a + b,
            return_type=returns,
            state_type=returns,
        )

    return make


def _sum_double(args: Sequence[ArgType], literals: Sequence[Any], properties: Properties) -> Aggregator:
    return _sum(0.0, sql_type(args[0]), float)(args, literals, properties)


def _sum_lengths(args: Sequence[ArgType], literals: Sequence[Any], properties: Properties) -> Aggregator:
    return _sum(len(literals[0]), BIGINT, len)(args, literals, properties)


def _sum_structs(_args: Sequence[ArgType], _literals: Sequence[Any], _properties: Properties) -> Aggregator:
    def add(a: dict[str, int], b: dict[str, int]) -> dict[str, int]:
        return {"A": a["A"] + b["A"], "B": a["B"] + b["B"]}

    type_ = StructType((Field("A", INTEGER), Field("B", INTEGER)))
    return Aggregator(lambda: {"A": 0, "B": 0}, add, dict, add, type_, type_)


# ---------------------------------------------------------------------------------------------- tables


def _tables() -> list[Function]:
    throwing = _function("throwing_udtf", "TABLE")

    @throwing.overload("BOOLEAN shouldThrow", "BOOLEAN")
    def might_throw(should_throw: bool) -> list[bool]:
        if should_throw:
            raise FunctionError("You asked me to throw...")
        return [should_throw]

    return [throwing, _test_udtf()]


def _test_udtf() -> Function:
    function = _function("test_udtf", "TABLE")
    plain = ("INT", "BIGINT", "DOUBLE", "BOOLEAN", "VARCHAR", "STRUCT<A VARCHAR>")
    for type_ in plain:
        function.overload(f"{type_} value", type_)(lambda value: [value])
    function.overload("DECIMAL value", lambda _args: DecimalType(30, 10))(lambda value: [value])
    elements = ("INT", "BIGINT", "DOUBLE", "BOOLEAN", "VARCHAR", "DECIMAL", "STRUCT<A VARCHAR>")
    arrays = ", ".join(f"ARRAY<{type_}> p{i}" for i, type_ in enumerate(elements))
    maps = ", ".join(f"MAP<VARCHAR, {type_}> p{i}" for i, type_ in enumerate(elements))
    function.overload(arrays, "VARCHAR", typed=True)(_texts_of(lambda array: array))
    function.overload(maps, "VARCHAR", typed=True)(_texts_of(lambda entries: entries.values()))
    return function


def _texts_of(elements: Callable[[Any], Any]) -> Callable[[tuple[ArgType, ...]], Callable[..., list[str]]]:
    """The texts of all elements of all arguments, one after the other."""

    def make(types: tuple[ArgType, ...]) -> Callable[..., list[str]]:
        texts = [nullable_text(_inner(type_)) for type_ in types]
        return lambda *args: [text(item) for text, arg in zip(texts, args, strict=True) for item in elements(arg)]

    return make


def _inner(type_: ArgType) -> SqlType:
    """The type of the elements of an array, or of the values of a map."""
    match type_:
        case ArrayType(element=element):
            return element
        case MapType(value=value):
            return value
    raise TypeError(f"not a container: {type_}")
