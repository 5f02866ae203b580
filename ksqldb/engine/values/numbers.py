"""Numbers as Java writes, reads and narrows them."""

from __future__ import annotations

import math
import re
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from functools import cache

from ksqldb.engine.errors import FunctionError

INT_MIN, INT_MAX = -(2**31), 2**31 - 1
LONG_MIN, LONG_MAX = -(2**63), 2**63 - 1

# Wide enough that no operation on two DECIMAL(38, s) rounds by itself.
WIDE = Context(prec=400, rounding=ROUND_HALF_UP, Emax=999999, Emin=-999999)

_DOUBLE = re.compile(r"[+-]?(?:NaN|Infinity|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fFdD]?)")


def wrap_int(value: int) -> int:
    """``(int) value`` of a long: the low 32 bits, signed."""
    return value if INT_MIN <= value <= INT_MAX else (value + 2**31) % 2**32 - 2**31


def wrap_long(value: int) -> int:
    """The low 64 bits of ``value``, signed, as Java's long arithmetic overflows."""
    return value if LONG_MIN <= value <= LONG_MAX else (value + 2**63) % 2**64 - 2**63


def double_to_int(value: float) -> int:
    """``(int) value``: towards zero, saturating, NaN is 0."""
    return _saturate(value, INT_MIN, INT_MAX)


def double_to_long(value: float) -> int:
    """``(long) value``: towards zero, saturating, NaN is 0."""
    return _saturate(value, LONG_MIN, LONG_MAX)


def _saturate(value: float, low: int, high: int) -> int:
    if value != value:
        return 0
    if value <= low:
        return low
    return high if value >= high else int(value)


def double_text(value: float) -> str:
    """``Double.toString``: plain from 10^-3 below 10^7, else one digit before the point and ``E``."""
    text = repr(value)
    if "e" not in text and "n" not in text:
        magnitude = abs(value)
        if 1e-3 <= magnitude < 1e7 or magnitude == 0.0:
            return text
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value != value:
        return "NaN"
    sign, digits, exponent = Decimal(text).as_tuple()
    assert isinstance(exponent, int)
    shown = "".join(map(str, digits)).rstrip("0")
    if len(shown) == 1:  # Java shows two digits and takes the nearest such text: 4.9E-324, not 5E-324
        shown = f"{abs(value):.1e}".replace(".", "")[:2].rstrip("0")
    return f"{'-' if sign else ''}{shown[0]}.{shown[1:] or '0'}E{len(digits) + exponent - 1}"


def parse_double(text: str) -> float:
    """``Double.parseDouble``: raises ValueError for what Java refuses."""
    stripped = text.strip()
    if not _DOUBLE.fullmatch(stripped):
        raise ValueError(f'For input string: "{text}"')
    return float(stripped.rstrip("fFdD") if stripped[-1] in "fFdD" else stripped)


def decimal_text(value: Decimal) -> str:
    """``BigDecimal.toPlainString``: never an exponent, trailing zeros kept."""
    return format(value, "f")


def decimal_of(value: int | float | str | Decimal) -> Decimal:
    """A decimal of a number or numeric text; a double counts by its shortest text, as ``BigDecimal.valueOf``."""
    if isinstance(value, Decimal):
        return value
    if isinstance(value, float):
        return Decimal(repr(value))
    try:
        return Decimal(value.strip()) if isinstance(value, str) else Decimal(value)
    except InvalidOperation:
        raise FunctionError(f"Character array is missing digits or is no number: {value}") from None


@cache
def _unit(scale: int) -> Decimal:
    return Decimal(1).scaleb(-scale)


def fit_decimal(value: Decimal, precision: int, scale: int) -> Decimal:
    """``value`` rounded HALF_UP to ``scale`` digits; FunctionError when it needs more than ``precision`` digits."""
    fitted = value.quantize(_unit(scale), ROUND_HALF_UP, WIDE)
    if fitted and fitted.adjusted() >= precision - scale:
        raise FunctionError(
            "Numeric field overflow: A field with precision "
            f"{precision} and scale {scale} must round to an absolute value less than 10^{precision - scale}. "
            f"Got {decimal_text(value)}"
        )
    return fitted
