"""Calls functions by name the way a compiled query does: resolve by types, convert nothing, mind NULL."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ksqldb.engine.functions import REGISTRY, ArgType, IntervalUnitType, LambdaArity, LambdaType
from ksqldb.engine.types import (
    BIGINT,
    BOOLEAN,
    BYTES,
    DOUBLE,
    INTEGER,
    STRING,
    ArrayType,
    DecimalType,
    MapType,
    SqlType,
)


class Unit(str):
    """A bare time unit."""


def type_of(value: Any) -> SqlType | None:
    """The type a literal of this Python value would have; None for NULL."""
    match value:
        case None:
            return None
        case bool():
            return BOOLEAN
        case int():
            return INTEGER if -(2**31) <= value < 2**31 else BIGINT
        case float():
            return DOUBLE
        case Decimal():
            exponent = value.as_tuple().exponent
            assert isinstance(exponent, int)
            return DecimalType(max(len(value.as_tuple().digits), -exponent), -exponent)
        case str():
            return STRING
        case bytes():
            return BYTES
        case list():
            inner = next((type_of(item) for item in value if item is not None), INTEGER)
            assert inner is not None
            return ArrayType(inner)
        case dict():
            inner = next((type_of(item) for item in value.values() if item is not None), INTEGER)
            assert inner is not None
            return MapType(STRING, inner)
    raise TypeError(f"no type for {value!r}")


def call(name: str, *args: Any, types: list[ArgType] | None = None) -> Any:
    """The value of ``name(args...)``; ``types`` where the values alone do not tell them."""
    guessed: list[ArgType] = []
    for arg in args:
        if isinstance(arg, Unit):
            guessed.append(IntervalUnitType())
        else:
            guessed.append(LambdaArity(arg.__code__.co_argcount) if callable(arg) else type_of(arg))
    declared = types if types is not None else guessed
    variant = REGISTRY.resolve_scalar(name, _with_lambda_types(name, declared))
    if not variant.handles_null and any(arg is None for arg in args):
        return None
    return variant.fn(*args)


def _with_lambda_types(name: str, types: list[ArgType]) -> list[ArgType]:
    """Lambdas get the types the function hands them, and return the type of their last parameter."""
    if not any(isinstance(type_, LambdaArity) for type_ in types):
        return types
    inputs = REGISTRY.lambda_inputs(name, types)
    done: list[ArgType] = []
    for type_, given in zip(types, inputs, strict=True):
        if not isinstance(type_, LambdaArity):
            done.append(type_)
            continue
        assert given is not None
        returns = BOOLEAN if name.upper() == "FILTER" else given[0]
        done.append(LambdaType(given, returns))
    return done
