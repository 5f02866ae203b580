"""Calls of functions as plans need them: typed variants, aggregators, literals that fit a column."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from ksqldb.engine import ast
from ksqldb.engine.ast import Expression
from ksqldb.engine.compile import infer_type
from ksqldb.engine.functions.aggregator import Aggregator, NotLiteral
from ksqldb.engine.functions.registry import TableVariant
from ksqldb.engine.parse import format_expression
from ksqldb.engine.plan.scope import StepScope
from ksqldb.engine.types import DecimalType, SqlType


def table_variant(call: ast.FunctionCall, scope: StepScope) -> TableVariant:
    return scope.functions.resolve_table(call.name, [infer_type(arg, scope, scope.functions) for arg in call.args])


def aggregator(call: ast.FunctionCall, scope: StepScope, properties: Mapping[str, str]) -> Aggregator:
    """The aggregator of a call whose arguments are over the rows that are grouped."""
    types = [infer_type(arg, scope, scope.functions) for arg in call.args]
    return scope.functions.resolve_aggregate(call.name, types, [_literal(arg) for arg in call.args], properties)


def _literal(expr: Expression) -> object:
    match expr:
        case (
            ast.BooleanLiteral()
            | ast.IntegerLiteral()
            | ast.StringLiteral()
            | ast.DoubleLiteral()
            | ast.DecimalLiteral()
        ):
            return expr.value
        case ast.NullLiteral():
            return None
        case ast.Unary(ast.UnaryOp.MINUS, ast.IntegerLiteral(value)):
            return -value
        case _:
            return NotLiteral(format_expression(expr))


def fit_literal(expr: Expression, target: SqlType) -> Expression:
    """A number literal written into a DECIMAL column takes the column's scale, where it fits."""
    if not isinstance(target, DecimalType):
        return expr
    match expr:
        case ast.IntegerLiteral(value):
            number = Decimal(value)
        case ast.DoubleLiteral(double):
            number = Decimal(repr(double))
        case ast.DecimalLiteral(decimal):
            number = decimal
        case _:
            return expr
    digits = number.as_tuple()
    scale = max(0, -int(digits.exponent))
    whole = max(0, len(digits.digits) - scale)
    if scale > target.scale or whole > target.precision - target.scale:
        return expr
    fitted = number.quantize(Decimal(1).scaleb(-target.scale))
    return ast.Cast(ast.DecimalLiteral(fitted, at=expr.at), ast.TypeRef(str(target), target))
