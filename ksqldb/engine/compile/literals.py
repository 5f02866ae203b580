"""Literals as constants of generated code."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

from ksqldb.engine import ast
from ksqldb.engine.compile.casts import converter
from ksqldb.engine.compile.code import Code, Names
from ksqldb.engine.compile.rules import literal_type
from ksqldb.engine.errors import KsqlError
from ksqldb.engine.types import SqlType


def literal_code(literal: ast.Literal, names: Names) -> Code:
    """The literal itself; NULL has no type."""
    if isinstance(literal, ast.NullLiteral):
        return Code("None", None, safe=True, simple=True)
    value = _plain(literal.value)
    return constant_code(value, literal_type(literal), names)


def constant_code(value: Any, sql_type: SqlType | None, names: Names) -> Code:
    """A value known now."""
    written = isinstance(value, (bool, int, str)) or (isinstance(value, float) and math.isfinite(value))
    source = repr(value) if written and not _negative(value) else names.constant(value)
    return Code(source, sql_type, nullable=False, safe=True, simple=True)


def coerced_literal(literal: ast.Literal, target: SqlType, names: Names) -> Code | None:
    """The literal as a constant of another type; None where it cannot be converted."""
    value = coerced_value(literal, target)
    return constant_code(value, target, names) if value is not None else None


def coerced_value(literal: ast.Literal, target: SqlType | None) -> Any:
    """The literal's value as a ``target``, or None."""
    source = literal_type(literal)
    if isinstance(literal, ast.NullLiteral) or source is None or target is None:
        return None
    try:
        convert = converter(source, target)
        value = _plain(literal.value)
        return value if convert is None else convert(value)
    except (KsqlError, ValueError, ArithmeticError):
        return None


def _plain(value: Any) -> Any:
    """A decimal without an exponent above zero: 1E+3 has no scale in SQL."""
    return Decimal(format(value, "f")) if isinstance(value, Decimal) else value


def _negative(value: Any) -> bool:
    return not isinstance(value, (bool, str)) and (value < 0 or (value == 0 and math.copysign(1, value) < 0))
