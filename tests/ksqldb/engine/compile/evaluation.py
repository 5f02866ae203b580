"""Evaluates expressions over one row of typed columns, as a projection would."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ksqldb.engine import ast
from ksqldb.engine.compile import ExpressionCompiler, Slot
from ksqldb.engine.errors import KsqlError
from ksqldb.engine.parse import parse_expression
from ksqldb.engine.types import SqlType


class Row:
    """A scope of named columns; ``r`` is the tuple of their values."""

    def __init__(self, columns: Mapping[str, SqlType]) -> None:
        self.slots = {name: Slot(f"r[{at}]", kind) for at, (name, kind) in enumerate(columns.items())}

    def resolve(self, ref: ast.ColumnRef) -> Slot:
        if ref.name not in self.slots:
            raise KsqlError(f"Unknown column {ref.name}.")
        return self.slots[ref.name]


class Failed:
    """The result of an expression whose evaluation raised: NULL in a projection."""

    def __init__(self, error: Exception) -> None:
        self.error = error


def evaluate(text: str, columns: Mapping[str, tuple[SqlType, Any]] | None = None) -> Any:
    """The value of an expression, or ``Failed``."""
    given = columns or {}
    env: dict[str, object] = {}
    compiler = ExpressionCompiler(Row({name: kind for name, (kind, _) in given.items()}), env)
    code = compiler.compile(parse_expression(text))
    function = eval(f"lambda r: {code.source}", env)
    try:
        return function(tuple(value for _, value in given.values()))
    except Exception as error:
        return Failed(error)


def value(text: str, columns: Mapping[str, tuple[SqlType, Any]] | None = None) -> Any:
    """The value of an expression with None for a failure, as a projection has it."""
    found = evaluate(text, columns)
    return None if isinstance(found, Failed) else found


def type_name(text: str, columns: Mapping[str, SqlType] | None = None) -> str:
    """The type an expression compiles to."""
    return str(ExpressionCompiler(Row(columns or {}), {}).compile(parse_expression(text)).type)
