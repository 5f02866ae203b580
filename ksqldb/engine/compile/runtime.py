"""What generated code calls. A None where Java would throw a NullPointerException raises: the item becomes NULL."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from functools import lru_cache
from typing import Any, TypeVar

from ksqldb.engine.errors import KsqlError
from ksqldb.engine.values import wrap_int, wrap_long

T = TypeVar("T")
OnError = Callable[[Exception], None]

_EXACT = [Inexact, DivisionByZero, InvalidOperation, Overflow]
_WIDE = Context(prec=1000, Emax=999999, Emin=-999999, traps=_EXACT)


def ignore_error(error: Exception) -> None:
    """The default for errors of inner expressions, which only make that expression NULL."""


def require(value: T | None) -> T:
    """The value of a condition that must not be NULL."""
    if value is None:
        raise KsqlError("NULL where a boolean is needed")
    return value


def guarded(on_error: OnError) -> Callable[[Callable[[], T]], T | None]:
    """A function that calls another and gives None where that fails."""

    def guard(evaluate: Callable[[], T]) -> T | None:
        try:
            return evaluate()
        except Exception as error:
            on_error(error)
            return None

    return guard


def null_on_error(convert: Callable[[Any], T], on_error: OnError) -> Callable[[Any], T | None]:
    """``convert`` for values that may be None, with None where it fails."""

    def converted(value: Any) -> T | None:
        if value is None:
            return None
        try:
            return convert(value)
        except Exception as error:
            on_error(error)
            return None

    return converted


# ---------------------------------------------------------------------------------------------- arithmetic


def divide_int(a: int, b: int) -> int:
    """Java's ``int / int``: towards zero; ZeroDivisionError."""
    quotient = abs(a) // abs(b)
    return wrap_int(quotient if (a < 0) == (b < 0) else -quotient)


def divide_long(a: int, b: int) -> int:
    """Java's ``long / long``."""
    quotient = abs(a) // abs(b)
    return wrap_long(quotient if (a < 0) == (b < 0) else -quotient)


def remainder_int(a: int, b: int) -> int:
    """Java's ``%`` of whole numbers: the sign of the dividend."""
    rest = abs(a) % abs(b)
    return -rest if a < 0 else rest


def divide_double(a: float, b: float) -> float:
    """IEEE division: a zero divisor gives an infinity or NaN."""
    try:
        return a / b
    except ZeroDivisionError:
        if a == 0 or a != a:
            return math.nan
        return math.copysign(math.inf, a) * math.copysign(1.0, b)


def remainder_double(a: float, b: float) -> float:
    """Java's ``%`` of doubles."""
    try:
        return math.fmod(a, b)
    except ValueError:
        return math.nan


def exact_context(precision: int) -> Context:
    """Decimal arithmetic that raises rather than rounds, as ``MathContext(precision, UNNECESSARY)``."""
    return Context(prec=precision, Emax=999999, Emin=-999999, traps=_EXACT)


def decimal_divider(precision: int, scale: int) -> Callable[[Decimal, Decimal], Decimal]:
    """Division that raises where the quotient has more digits than the result's type."""
    divide = exact_context(precision).divide
    unit = Decimal(1).scaleb(-scale)

    def divided(a: Decimal, b: Decimal) -> Decimal:
        return _WIDE.quantize(divide(a, b), unit)

    return divided


negate_decimal = _WIDE.minus


def decimal_of_double(value: float) -> Decimal:
    """``BigDecimal.valueOf``: by the shortest text; raises for infinities and NaN."""
    if not math.isfinite(value):
        raise KsqlError(f"{value} is no decimal number")
    return Decimal(repr(value))


# ---------------------------------------------------------------------------------------------- predicates


def is_in(value: object, candidates: Sequence[object]) -> bool:
    """``value IN (...)``; NULL matches nothing."""
    return value is not None and value in candidates


_ANY_CHARACTER = "[^\n\r\u0085\u2028\u2029]"  # wildcards do not reach over the end of a line


@lru_cache(1024)
def like_matcher(pattern: str, escape: str | None) -> Callable[[str], bool]:
    """Tests a text against a LIKE pattern: ``%`` any text, ``_`` any character, both within a line. Raises for None."""
    parts: list[str] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        if char == escape:
            at += 1
            if at == len(pattern):
                raise KsqlError("LIKE pattern must not end with escape character")
            parts.append(re.escape(pattern[at]))
        elif char == "%":
            parts.append(_ANY_CHARACTER + "*")
        elif char == "_":
            parts.append(_ANY_CHARACTER)
        else:
            parts.append(re.escape(char))
        at += 1
    fullmatch = re.compile("".join(parts)).fullmatch
    return lambda text: fullmatch(text) is not None


def like(text: str, pattern: str, escape: str | None) -> bool:
    """LIKE with a pattern known only now."""
    return like_matcher(pattern, escape)(text)


# ---------------------------------------------------------------------------------------------- elements


def element_at(values: Sequence[T] | None, index: int) -> T | None:
    """``array[index]``: from 1, negative from the end; NULL outside."""
    if values is None:
        return None
    at = index - 1 if index > 0 else len(values) + index
    return values[at] if index != 0 and 0 <= at < len(values) else None


def value_of(entries: Mapping[Any, T] | None, key: Any) -> T | None:
    """``map[key]``; NULL for an unknown key."""
    return None if entries is None else entries.get(key)
