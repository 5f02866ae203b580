"""Mathematical functions."""

from __future__ import annotations

import math
import random as randomness
from collections.abc import Callable, Sequence
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_DOWN, ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from ksqldb.engine.functions.registry import Function, scalar
from ksqldb.engine.functions.signature import ArgType
from ksqldb.engine.types import DecimalType, SqlType
from ksqldb.engine.values import wrap_int, wrap_long
from ksqldb.engine.values.numbers import WIDE, double_to_long

_MATH = "MATHEMATICAL"


def same_type(args: Sequence[ArgType]) -> SqlType:
    """The return type of functions that keep their first argument's."""
    assert isinstance(args[0], SqlType)
    return args[0]


# ---------------------------------------------------------------------------------------------- one double to another


def _guarded(fn: Callable[..., float]) -> Callable[..., float]:
    """``fn`` of numbers taken as doubles, with Java's NaN and Infinity where Python raises."""

    def call(*values: float) -> float:
        try:
            return fn(*map(float, values))
        except ValueError:
            return math.nan
        except OverflowError:
            return math.inf

    return call


def _declare(name: str, description: str, parameters: str, fn: Callable[..., float]) -> Function:
    """A function to DOUBLE for INT, BIGINT and DOUBLE arguments; ``parameters`` has ``{}`` for the type."""
    function = scalar(name, _MATH, description)
    for type_ in ("INT", "BIGINT", "DOUBLE"):
        call = _guarded(fn)
        call.__doc__ = description
        function.overload(parameters.replace("{}", type_), "DOUBLE")(call)
    return function


def _ln(value: float) -> float:
    return math.log(value) if value else -math.inf


def _log(base: float, value: float) -> float:
    if base <= 0 or base == 1:
        return math.nan
    return _ln(value) / math.log(base)


def _power(base: float, exponent: float) -> float:
    if base == 0 and exponent < 0:
        odd = exponent.is_integer() and exponent % 2
        return math.copysign(math.inf, base) if odd else math.inf
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return -math.inf if base < 0 and exponent % 2 else math.inf


def _cbrt(value: float) -> float:
    """The double nearest to the cube root, as Java's is; a C library's may be its neighbour (that of 27 is not 3)."""
    near = math.cbrt(value)
    if not near or not math.isfinite(near):
        return near
    missing = Fraction(near) ** 3 - Fraction(value)  # exactly; a step of Newton's from here ends at the nearest
    return near - float(missing) / (3 * near * near)


def _cot(value: float) -> float:
    sine = math.sin(value)
    return math.cos(value) / sine if sine else math.copysign(math.inf, sine)


def _signed_overflow(fn: Callable[[float], float]) -> Callable[[float], float]:
    def call(value: float) -> float:
        try:
            return fn(value)
        except OverflowError:
            return math.copysign(math.inf, value)

    return call


ACOS = _declare("acos", "The inverse cosine of a value, in radians.", "{} value", math.acos)
ASIN = _declare("asin", "The inverse sine of a value, in radians.", "{} value", math.asin)
ATAN = _declare("atan", "The inverse tangent of a value, in radians.", "{} value", math.atan)
ATAN2 = _declare("atan2", "The angle of the point x, y to the x axis, in radians.", "{} y, {} x", math.atan2)
COS = _declare("cos", "The cosine of a value in radians.", "{} value", math.cos)
COSH = _declare("cosh", "The hyperbolic cosine of a value.", "{} value", math.cosh)
COT = _declare("cot", "The cotangent of a value in radians.", "{} value", _cot)
SIN = _declare("sin", "The sine of a value in radians.", "{} value", math.sin)
SINH = _declare("sinh", "The hyperbolic sine of a value.", "{} value", _signed_overflow(math.sinh))
TAN = _declare("tan", "The tangent of a value in radians.", "{} value", math.tan)
TANH = _declare("tanh", "The hyperbolic tangent of a value.", "{} value", math.tanh)
DEGREES = _declare("degrees", "Radians as degrees.", "{} value", math.degrees)
RADIANS = _declare("radians", "Degrees as radians.", "{} value", math.radians)
EXP = _declare("exp", "e to the power of a value.", "{} exponent", math.exp)
LN = _declare("ln", "The natural logarithm of a value.", "{} value", _ln)
CBRT = _declare("cbrt", "The cube root of a value.", "{} value", _cbrt)
SQRT = _declare("sqrt", "The square root of a value.", "{} value", math.sqrt)
POWER = _declare("power", "A value to the power of another.", "{} base, {} exponent", _power)
LOG = _declare("log", "The natural logarithm of a value, or its logarithm to a base.", "{} value", _ln)
for _type in ("INT", "BIGINT", "DOUBLE"):
    LOG.overload(f"{_type} base, {_type} value", "DOUBLE")(_guarded(_log))

PI = scalar("pi", _MATH, "The number pi.")
RANDOM = scalar("random", _MATH, "A random number from 0 up to, not including, 1.")


@PI.overload("", "DOUBLE")
def pi() -> float:
    """The double nearest to pi."""
    return math.pi


@RANDOM.overload("", "DOUBLE")
def random() -> float:
    """A random number from 0 up to, not including, 1."""
    return randomness.random()


# ---------------------------------------------------------------------------------------------- ABS, SIGN

ABS = scalar("Abs", _MATH, "A number without its sign.")
SIGN = scalar("sign", _MATH, "The sign of a number: -1, 0 or 1.")


@ABS.overload("INT val", "INT")
def abs_int(value: int) -> int:
    """A number without its sign; the least INT stays what it is."""
    return wrap_int(abs(value))


@ABS.overload("BIGINT val", "BIGINT")
def abs_long(value: int) -> int:
    """A number without its sign; the least BIGINT stays what it is."""
    return wrap_long(abs(value))


@ABS.overload("DOUBLE val", "DOUBLE")
def abs_double(value: float) -> float:
    """A number without its sign."""
    return abs(value)


@ABS.overload("DECIMAL val", same_type)
def abs_decimal(value: Decimal) -> Decimal:
    """A number without its sign."""
    return value.copy_abs()


def sign(value: float) -> int:
    """-1, 0 or 1."""
    return (value > 0) - (value < 0)


for _type in ("INT", "BIGINT", "DOUBLE"):
    SIGN.overload(f"{_type} value", "INT")(sign)

# ---------------------------------------------------------------------------------------------- CEIL, FLOOR

CEIL = scalar("Ceil", _MATH, "The least whole number that is not less than a number.")
FLOOR = scalar("Floor", _MATH, "The greatest whole number that is not greater than a number.")


def _whole(function: Function, of_double: Callable[[float], int], rounding: str) -> None:
    def same(value: int) -> int:
        return value

    def double(value: float) -> float:
        return math.copysign(float(of_double(value)), value) if math.isfinite(value) else value

    def decimal(value: Decimal) -> Decimal:
        return rounded(value, 0, rounding, _scale(value))

    for fn in (same, double, decimal):
        fn.__doc__ = function.description
    function.overload("INT val", "INT")(same)
    function.overload("BIGINT val", "BIGINT")(same)
    function.overload("DOUBLE val", "DOUBLE")(double)
    function.overload("DECIMAL val", same_type)(decimal)


def _scale(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    return -exponent


def rounded(value: Decimal, places: int, rounding: str, scale: int) -> Decimal:
    """``value`` rounded to ``places`` digits behind the point, written with ``scale`` digits."""
    return value.quantize(Decimal(1).scaleb(-places), rounding, WIDE).quantize(Decimal(1).scaleb(-scale), None, WIDE)


_whole(CEIL, math.ceil, ROUND_CEILING)
_whole(FLOOR, math.floor, ROUND_FLOOR)

# ---------------------------------------------------------------------------------------------- ROUND, TRUNC


def _half_up(value: float | Decimal) -> str:
    """Halves go up on the number line, as Math.round has it."""
    return ROUND_HALF_UP if value > 0 else ROUND_HALF_DOWN


def _towards_zero(_value: float | Decimal) -> str:
    return ROUND_DOWN


def _without_fraction(args: Sequence[ArgType]) -> SqlType:
    type_ = args[0]
    assert isinstance(type_, DecimalType)
    return DecimalType(type_.precision - type_.scale, 0)


def _nearest(value: float) -> int:
    if not math.isfinite(value):
        return double_to_long(value)
    low = math.floor(value)
    return double_to_long(float(low)) if value - low < 0.5 else min(low + 1, 2**63 - 1)


def _rounding(name: str, description: str, mode: Callable[[Any], str], whole: Callable[[float], int]) -> Function:
    function = scalar(name, _MATH, description)

    def integer(value: int) -> int:
        return value

    def double(value: float) -> int:
        return whole(value)

    def double_places(value: float, places: int) -> float:
        exact = Decimal(repr(value))
        return float(exact.quantize(Decimal(1).scaleb(-places), mode(value), WIDE))

    def decimal(value: Decimal) -> Decimal:
        return rounded(value, 0, mode(value), 0)

    def decimal_places(value: Decimal, places: int) -> Decimal:
        scale = _scale(value)
        return rounded(value, min(places, scale), mode(value), scale)

    for fn in (integer, double, decimal):
        fn.__doc__ = f"{description} To a whole number."
    for fn_places in (double_places, decimal_places):
        fn_places.__doc__ = (
            f"{description}\n\nval: The number.\ndecimalPlaces: Digits behind the point; negative: before it."
        )
    function.overload("BIGINT val", "BIGINT")(integer)
    function.overload("INT val", "BIGINT")(integer)
    function.overload("DOUBLE val", "BIGINT")(double)
    function.overload("DOUBLE val, INT decimalPlaces", "DOUBLE")(double_places)
    function.overload("DECIMAL val", _without_fraction)(decimal)
    function.overload("DECIMAL val, INT decimalPlaces", same_type)(decimal_places)
    return function


ROUND = _rounding("Round", "Rounds a number; halves go up, also below zero.", _half_up, _nearest)
TRUNC = _rounding("trunc", "Cuts a number after some digits.", _towards_zero, double_to_long)

# ---------------------------------------------------------------------------------------------- GREATEST, LEAST


def widest(args: Sequence[ArgType]) -> SqlType:
    """The decimal type that holds every value of several decimal types."""
    types = [arg for arg in args if isinstance(arg, DecimalType)]
    scale = max(type_.scale for type_ in types)
    return DecimalType(max(type_.precision - type_.scale for type_ in types) + scale, scale)


def _extreme(name: str, word: str, pick: Callable[..., Any]) -> Function:
    function = scalar(name, _MATH, f"The {word} of several values; NULL does not count.")

    def choose(*values: Any) -> Any:
        return pick((value for value in values if value is not None), default=None)

    def decimals(types: tuple[ArgType, ...]) -> Callable[..., Decimal | None]:
        wide = widest(types)
        assert isinstance(wide, DecimalType)
        exponent = Decimal(1).scaleb(-wide.scale)

        def choose_decimal(*values: Decimal | None) -> Decimal | None:
            found: Decimal | None = choose(*values)
            return None if found is None else found.quantize(exponent, None, WIDE)

        return choose_decimal

    choose.__doc__ = decimals.__doc__ = function.description
    for type_ in ("INT", "BIGINT", "DOUBLE", "VARCHAR", "BYTES", "DATE", "TIME", "TIMESTAMP"):
        function.overload(f"{type_} val, {type_}... vals", type_, null=True)(choose)
    function.overload("DECIMAL val, DECIMAL... vals", widest, null=True, typed=True)(decimals)
    return function


GREATEST = _extreme("greatest", "greatest", max)
LEAST = _extreme("least", "least", min)
