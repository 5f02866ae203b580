"""Declared parameter types of functions: ksqlDB's, with generics, decimals of any size, lambdas and time units.

A signature is written as ksqlDB prints it, for example ``"ARRAY<T> array, LAMBDA (T) => R lambda, INT... rest"``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ksqldb.engine.types import (
    BIGINT,
    BOOLEAN,
    BYTES,
    DATE,
    DOUBLE,
    INTEGER,
    STRING,
    TIME,
    TIMESTAMP,
    ArrayType,
    Base,
    DecimalType,
    Field,
    MapType,
    SqlType,
    StructType,
)


@dataclass(frozen=True, slots=True)
class LambdaType:
    """The type of a lambda argument; ``returns`` None while its body is not inferred yet."""

    inputs: tuple[SqlType, ...]
    returns: SqlType | None

    def __str__(self) -> str:
        return f"LAMBDA ({', '.join(map(str, self.inputs))}) => {self.returns}"


@dataclass(frozen=True, slots=True)
class LambdaArity:
    """A lambda argument of which only the number of parameters is known so far."""

    inputs: int

    def __str__(self) -> str:
        return "LAMBDA"


@dataclass(frozen=True, slots=True)
class IntervalUnitType:
    """The type of a bare time unit (``TIMESTAMPADD(SECONDS, ...)``)."""

    def __str__(self) -> str:
        return "INTERVALUNIT"


ArgType: TypeAlias = SqlType | LambdaType | LambdaArity | IntervalUnitType | None  # None: the literal NULL


@dataclass(frozen=True, slots=True)
class Exactly:
    """One of the plain types, and DECIMAL of any precision and scale."""

    base: Base

    def __str__(self) -> str:
        return {Base.STRING: "VARCHAR", Base.INTEGER: "INT"}.get(self.base, self.base.value)


@dataclass(frozen=True, slots=True)
class Generic:
    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Any_:
    """Accepts whatever there is (Java's ``Object``)."""

    def __str__(self) -> str:
        return "ANY"


@dataclass(frozen=True, slots=True)
class Unit:
    def __str__(self) -> str:
        return "INTERVALUNIT"


@dataclass(frozen=True, slots=True)
class ArrayOf:
    element: ParamType

    def __str__(self) -> str:
        return f"ARRAY<{self.element}>"


@dataclass(frozen=True, slots=True)
class MapOf:
    key: ParamType
    value: ParamType

    def __str__(self) -> str:
        return f"MAP<{self.key}, {self.value}>"


@dataclass(frozen=True, slots=True)
class StructOf:
    """A struct of exactly these fields; of any fields when there are none."""

    fields: tuple[tuple[str, ParamType], ...]

    def __str__(self) -> str:
        return "STRUCT<" + ", ".join(f"{name} {type_}" for name, type_ in self.fields) + ">"


@dataclass(frozen=True, slots=True)
class LambdaOf:
    inputs: tuple[ParamType, ...]
    returns: ParamType

    def __str__(self) -> str:
        return f"LAMBDA ({', '.join(map(str, self.inputs))}) => {self.returns}"


ParamType: TypeAlias = Exactly | Generic | Any_ | Unit | ArrayOf | MapOf | StructOf | LambdaOf


@dataclass(frozen=True, slots=True)
class Parameter:
    """One declared parameter; ``type`` of a variadic one is that of each of its arguments."""

    name: str
    type: ParamType
    variadic: bool = False
    description: str = ""

    @property
    def type_text(self) -> str:
        return f"{self.type}..." if self.variadic else str(self.type)


# ---------------------------------------------------------------------------------------------- reading

_TOKEN = re.compile(r"\s*(=>|\.\.\.|\w+|[<>(),])")
_PLAIN = {
    "BOOLEAN": Base.BOOLEAN,
    "INT": Base.INTEGER,
    "INTEGER": Base.INTEGER,
    "BIGINT": Base.BIGINT,
    "DOUBLE": Base.DOUBLE,
    "DECIMAL": Base.DECIMAL,
    "VARCHAR": Base.STRING,
    "STRING": Base.STRING,
    "BYTES": Base.BYTES,
    "DATE": Base.DATE,
    "TIME": Base.TIME,
    "TIMESTAMP": Base.TIMESTAMP,
}


class _Reader:
    """Reads a signature left to right."""

    def __init__(self, text: str) -> None:
        self.tokens = _TOKEN.findall(text)
        self.at = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def next(self, expected: str = "") -> str:
        token = self.peek()
        if not token or (expected and token != expected):
            raise ValueError(f"expected {expected or 'more'} at {self.tokens[self.at :]}")
        self.at += 1
        return token

    def type(self) -> ParamType:
        name = self.next()
        if name in _PLAIN:
            return Exactly(_PLAIN[name])
        match name:
            case "ARRAY":
                self.next("<")
                element = self.type()
                self.next(">")
                return ArrayOf(element)
            case "MAP":
                self.next("<")
                key = self.type()
                self.next(",")
                value = self.type()
                self.next(">")
                return MapOf(key, value)
            case "STRUCT":
                self.next("<")
                fields: list[tuple[str, ParamType]] = []
                while self.peek() != ">":
                    fields.append((self.next(), self.type()))
                    if self.peek() == ",":
                        self.next()
                self.next(">")
                return StructOf(tuple(fields))
            case "LAMBDA":
                self.next("(")
                inputs = [self.type()]
                while self.peek() == ",":
                    self.next()
                    inputs.append(self.type())
                self.next(")")
                self.next("=>")
                return LambdaOf(tuple(inputs), self.type())
            case "ANY":
                return Any_()
            case "INTERVALUNIT":
                return Unit()
        return Generic(name)

    def parameters(self) -> list[Parameter]:
        found: list[Parameter] = []
        while self.peek():
            type_ = self.type()
            variadic = self.peek() == "..."
            if variadic:
                self.next()
            name = self.next() if self.peek() not in ("", ",") else ""
            found.append(Parameter(name, type_, variadic))
            if self.peek():
                self.next(",")
        return found


def parameters_of(text: str) -> list[Parameter]:
    """The parameters a signature text declares; ValueError when it is malformed."""
    return _Reader(text).parameters()


def param_type_of(text: str) -> ParamType:
    """The declared type a text names."""
    return _Reader(text).type()


# ---------------------------------------------------------------------------------------------- generics


def has_generics(declared: ParamType) -> bool:
    match declared:
        case Generic():
            return True
        case ArrayOf(element=element):
            return has_generics(element)
        case MapOf(key=key, value=value):
            return has_generics(key) or has_generics(value)
        case StructOf(fields=fields):
            return any(has_generics(type_) for _, type_ in fields)
        case LambdaOf(inputs=inputs, returns=returns):
            return any(map(has_generics, inputs)) or has_generics(returns)
    return False


def bind_generics(declared: ParamType, actual: ArgType, bound: dict[str, SqlType]) -> bool:
    """Extends ``bound`` so that ``declared`` becomes ``actual``; False when it cannot. NULL binds nothing."""
    if actual is None:
        return True
    match declared:
        case Generic(name=name):
            if not isinstance(actual, SqlType):
                return False
            return bound.setdefault(name, actual) == actual
        case ArrayOf(element=element):
            return isinstance(actual, ArrayType) and bind_generics(element, actual.element, bound)
        case MapOf(key=key, value=value):
            return (
                isinstance(actual, MapType)
                and bind_generics(key, actual.key, bound)
                and bind_generics(value, actual.value, bound)
            )
        case LambdaOf(inputs=inputs, returns=returns):
            if isinstance(actual, LambdaArity):
                return actual.inputs == len(inputs)
            return (
                isinstance(actual, LambdaType)
                and len(actual.inputs) == len(inputs)
                and all(bind_generics(d, a, bound) for d, a in zip(inputs, actual.inputs, strict=True))
                and bind_generics(returns, actual.returns, bound)
            )
        case Exactly(base=base):
            return isinstance(actual, SqlType) and actual.base is base
    return accepts(declared, actual, casts=False)


def apply_generics(declared: ParamType, bound: dict[str, SqlType]) -> SqlType | None:
    """The SQL type ``declared`` stands for, None where a generic is unbound or the type is no SQL type."""
    match declared:
        case Generic(name=name):
            return bound.get(name)
        case ArrayOf(element=element):
            inner = apply_generics(element, bound)
            return None if inner is None else ArrayType(inner)
        case MapOf(key=key, value=value):
            key_type, value_type = apply_generics(key, bound), apply_generics(value, bound)
            return None if key_type is None or value_type is None else MapType(key_type, value_type)
        case StructOf(fields=fields):
            types = [(name, apply_generics(type_, bound)) for name, type_ in fields]
            return StructType(tuple(Field(name, type_) for name, type_ in types if type_ is not None))
        case Exactly(base=base):
            return _SIMPLE.get(base)
    return None


_SIMPLE = {type_.base: type_ for type_ in (BOOLEAN, INTEGER, BIGINT, DOUBLE, STRING, BYTES, DATE, TIME, TIMESTAMP)}

# ---------------------------------------------------------------------------------------------- acceptance

_NUMBER_ORDER = (Base.INTEGER, Base.BIGINT, Base.DECIMAL, Base.DOUBLE)
_TIMES = frozenset({Base.DATE, Base.TIME, Base.TIMESTAMP})


def can_cast(actual: Base, declared: Base) -> bool:
    """Whether ksqlDB converts a value silently: upwards among numbers, text to a time."""
    if actual is declared:
        return True
    if actual in _NUMBER_ORDER and declared in _NUMBER_ORDER:
        return _NUMBER_ORDER.index(actual) <= _NUMBER_ORDER.index(declared)
    return actual is Base.STRING and declared in _TIMES


def accepts(declared: ParamType, actual: ArgType, casts: bool) -> bool:
    """Whether an argument fits a parameter without generics."""
    if actual is None or isinstance(declared, Any_):
        return True
    match declared:
        case LambdaOf(inputs=inputs, returns=returns):
            if isinstance(actual, LambdaArity):
                return actual.inputs == len(inputs)
            return (
                isinstance(actual, LambdaType)
                and len(actual.inputs) == len(inputs)
                and all(accepts(d, a, casts) for d, a in zip(inputs, actual.inputs, strict=True))
                and accepts(returns, actual.returns, casts)
            )
        case Unit():
            return isinstance(actual, IntervalUnitType)
        case ArrayOf(element=element):
            return isinstance(actual, ArrayType) and accepts(element, actual.element, casts)
        case MapOf(key=key, value=value):
            return (
                isinstance(actual, MapType) and accepts(key, actual.key, casts) and accepts(value, actual.value, casts)
            )
        case StructOf(fields=fields):
            if not isinstance(actual, StructType):
                return False
            there = {field.name: field.type for field in actual.fields}
            if not there or not fields:
                return True
            return len(there) == len(fields) and all(
                name in there and accepts(type_, there[name], False) for name, type_ in fields
            )
        case Exactly(base=base):
            if not isinstance(actual, SqlType):
                return False
            return actual.base is base or (casts and can_cast(actual.base, base))
    return False


def cast_target(declared: ParamType, actual: ArgType) -> ArgType:
    """The type an accepted argument is converted to before the call: its own unless a silent cast is needed."""
    if isinstance(declared, Exactly) and isinstance(actual, SqlType) and actual.base is not declared.base:
        if declared.base is Base.DECIMAL:
            return {Base.INTEGER: DecimalType(10, 0), Base.BIGINT: DecimalType(19, 0)}.get(actual.base, actual)
        return _SIMPLE.get(declared.base, actual)
    return actual


def types_text(args: Sequence[ArgType]) -> str:
    """Argument types as error texts list them: ``(INTEGER, null)``."""
    return "(" + ", ".join("null" if arg is None else unescaped(arg) for arg in args) + ")"


def unescaped(type_: ArgType) -> str:
    """A type as text with the field names of structs bare."""
    match type_:
        case ArrayType(element=element):
            return f"ARRAY<{unescaped(element)}>"
        case MapType(key=key, value=value):
            return f"MAP<{unescaped(key)}, {unescaped(value)}>"
        case StructType(fields=fields):
            return "STRUCT<" + ", ".join(f"{f.name} {unescaped(f.type)}" for f in fields) + ">"
    return str(type_)
