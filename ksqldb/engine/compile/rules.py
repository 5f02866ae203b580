"""The types of literals, arithmetic and comparisons."""

from __future__ import annotations

from decimal import Decimal

from ksqldb.engine import ast
from ksqldb.engine.errors import KsqlError, StatementError
from ksqldb.engine.parse import format_expression
from ksqldb.engine.types import (
    BIGINT,
    BOOLEAN,
    DOUBLE,
    INTEGER,
    STRING,
    Base,
    DecimalType,
    SqlType,
)
from ksqldb.engine.values import INT_MAX, INT_MIN

_NUMBER_ORDER = (Base.INTEGER, Base.BIGINT, Base.DECIMAL, Base.DOUBLE)
TIMES = frozenset({Base.DATE, Base.TIME, Base.TIMESTAMP})
_EQUALITY = frozenset(
    {
        ast.ComparisonOp.EQUAL,
        ast.ComparisonOp.NOT_EQUAL,
        ast.ComparisonOp.IS_DISTINCT_FROM,
        ast.ComparisonOp.IS_NOT_DISTINCT_FROM,
    }
)
_COMPARISON_NAMES = {
    ast.ComparisonOp.LESS: "LESS_THAN",
    ast.ComparisonOp.LESS_EQUAL: "LESS_THAN_OR_EQUAL",
    ast.ComparisonOp.GREATER: "GREATER_THAN",
    ast.ComparisonOp.GREATER_EQUAL: "GREATER_THAN_OR_EQUAL",
}
LITERALS = (
    ast.NullLiteral,
    ast.BooleanLiteral,
    ast.IntegerLiteral,
    ast.DecimalLiteral,
    ast.DoubleLiteral,
    ast.StringLiteral,
)


def literal_type(literal: ast.Literal) -> SqlType | None:
    """The type of a literal; None for NULL."""
    match literal:
        case ast.BooleanLiteral():
            return BOOLEAN
        case ast.IntegerLiteral(value=value):
            return INTEGER if INT_MIN <= value <= INT_MAX else BIGINT
        case ast.DecimalLiteral(value=decimal):
            return decimal_type_of(decimal)
        case ast.DoubleLiteral():
            return DOUBLE
        case ast.StringLiteral():
            return STRING
    return None


def decimal_type_of(value: Decimal) -> DecimalType:
    """The narrowest DECIMAL for a value with all its written digits: 2.50 is DECIMAL(3, 2), 0.05 DECIMAL(3, 2)."""
    _, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    scale = max(0, -exponent)
    return DecimalType(max(len(digits) + max(0, exponent), scale + 1), scale)


def as_decimal_type(number: SqlType) -> DecimalType:
    """The DECIMAL an exact number widens to."""
    if isinstance(number, DecimalType):
        return number
    return DecimalType(10, 0) if number.base is Base.INTEGER else DecimalType(19, 0)


def wider_decimal(one: SqlType, other: SqlType) -> DecimalType:
    """A DECIMAL that holds the values of both exact numbers."""
    a, b = as_decimal_type(one), as_decimal_type(other)
    scale = max(a.scale, b.scale)
    return DecimalType(max(a.precision - a.scale, b.precision - b.scale) + scale, scale)


def widens_to(source: Base, target: Base) -> bool:
    """Whether a number of family ``source`` becomes ``target`` without a cast."""
    return _NUMBER_ORDER.index(source) <= _NUMBER_ORDER.index(target)


def arithmetic_type(node: ast.Arithmetic, left: SqlType | None, right: SqlType | None) -> SqlType:
    """The type of ``left op right``; StatementError with ksqlDB's text where there is none."""
    try:
        return _arithmetic_type(node.op, left, right)
    except KsqlError as error:
        text = format_expression(node)
        raise StatementError(f"Error processing expression: {text}. {error}", text) from None


def _arithmetic_type(op: ast.ArithmeticOp, left: SqlType | None, right: SqlType | None) -> SqlType:
    if left is None or right is None:
        shown = [("null" if t is None else str(t)) for t in (left, right)]
        raise KsqlError(f"Arithmetic on types {shown[0]} and {shown[1]} are not supported.")
    if op is ast.ArithmeticOp.ADD and left.base is Base.STRING and right.base is Base.STRING:
        return STRING
    if not left.is_number or not right.is_number:
        raise KsqlError(f"Unsupported arithmetic types. {left.base.value} {right.base.value}")
    wider = right if widens_to(left.base, right.base) else left
    if wider.base is not Base.DECIMAL:
        return wider
    return decimal_result(op, as_decimal_type(left), as_decimal_type(right))


def decimal_result(op: ast.ArithmeticOp, a: DecimalType, b: DecimalType) -> DecimalType:
    """Precision and scale of decimal arithmetic."""
    if op in (ast.ArithmeticOp.ADD, ast.ArithmeticOp.SUBTRACT):
        scale = max(a.scale, b.scale)
        return DecimalType(scale + max(a.precision - a.scale, b.precision - b.scale) + 1, scale)
    if op is ast.ArithmeticOp.MULTIPLY:
        return DecimalType(a.precision + b.precision + 1, a.scale + b.scale)
    if op is ast.ArithmeticOp.DIVIDE:
        scale = max(6, a.scale + b.precision + 1)
        return DecimalType(a.precision - a.scale + b.scale + scale, scale)
    scale = max(a.scale, b.scale)
    return DecimalType(min(a.precision - a.scale, b.precision - b.scale) + scale, scale)


def check_comparison(node: ast.Comparison, left: SqlType | None, right: SqlType | None) -> None:
    """StatementError where two types cannot be compared, or KsqlError where one is the literal NULL."""
    if left is None or right is None:
        shown = [("NULL" if t is None else t.base.value) for t in (left, right)]
        raise KsqlError(
            f"Comparison with NULL not supported: {shown[0]} {node.op.value} {shown[1]}\n"
            "Use 'IS NULL' or 'IS NOT NULL' instead."
        )
    if not _comparable(left.base, right.base, node.op):
        raise StatementError(
            f"Cannot compare {format_expression(node.left)} ({left}) to {format_expression(node.right)} ({right}) "
            f"with {_COMPARISON_NAMES.get(node.op, node.op.name)}.",
            format_expression(node),
        )


def _comparable(left: Base, right: Base, op: ast.ComparisonOp) -> bool:
    if left in _NUMBER_ORDER:
        return right in _NUMBER_ORDER
    match left:
        case Base.STRING:
            return right is Base.STRING or right in TIMES
        case Base.DATE | Base.TIMESTAMP:
            return right in (Base.DATE, Base.TIMESTAMP, Base.STRING)
        case Base.TIME:
            return right in (Base.TIME, Base.STRING)
        case Base.BYTES:
            return right is Base.BYTES
    return left is right and op in _EQUALITY  # BOOLEAN, ARRAY, MAP, STRUCT
