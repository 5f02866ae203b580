"""``ROWTIME > '2020-05-26T10:00'``: texts beside a record's time or a window's bounds are read as times."""

from __future__ import annotations

from dataclasses import replace

from ksqldb.engine import ast
from ksqldb.engine.analyse.rewrite import rewrite
from ksqldb.engine.ast import Expression
from ksqldb.engine.metastore.model import ROWTIME, WINDOWEND, WINDOWSTART
from ksqldb.engine.values import parse_timestamp

_TIMES = frozenset({ROWTIME, WINDOWSTART, WINDOWEND})


def read_times(condition: Expression) -> Expression:
    """A WHERE condition with such texts as milliseconds. KsqlError where one is no time."""
    return rewrite(condition, _read_beside_time)


def _read_beside_time(expr: Expression) -> Expression | None:
    match expr:
        case ast.Between(operand=operand) if _is_time(operand):
            return replace(expr, low=_read(expr.low), high=_read(expr.high))
        case ast.Comparison(left=left, right=right) if _is_time(left):
            return replace(expr, right=_read(right))
        case ast.Comparison(left=left, right=right) if _is_time(right):
            return replace(expr, left=_read(left))
    return None


def _is_time(expr: Expression) -> bool:
    return isinstance(expr, ast.ColumnRef) and expr.name in _TIMES


def _read(expr: Expression) -> Expression:
    return rewrite(expr, _as_milliseconds)


def _as_milliseconds(expr: Expression) -> Expression | None:
    if isinstance(expr, ast.StringLiteral):
        return ast.IntegerLiteral(parse_timestamp(expr.value), at=expr.at)
    return None
