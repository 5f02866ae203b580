"""Turns the expressions of a step into one Python function over a batch of records.

Every generated function loops over a batch and unpacks each record into ``k``, ``v``, ``ts`` and ``w`` (tables: ``old``
too), the names under which slots find columns. An expression that may raise is guarded: a value becomes None, a
predicate false, and the error is reported.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ksqldb.engine.ast import Expression
from ksqldb.engine.compile import Code, ExpressionCompiler
from ksqldb.engine.parse import format_expression
from ksqldb.engine.plan.scope import StepScope
from ksqldb.engine.run.records import Report
from ksqldb.engine.types import SqlType

Function = Callable[..., Any]


class Source:
    """Collects lines of a function with its environment."""

    def __init__(self, report: Report) -> None:
        self.env: dict[str, object] = {"_report": report}
        self.lines: list[str] = []
        self.report = report

    def on_error(self, error: Exception) -> None:
        self.report("expression", str(error), None)

    def line(self, indent: int, text: str) -> None:
        self.lines.append("    " * indent + text)

    def function(self, name: str) -> Function:
        text = "\n".join(self.lines)
        exec(compile(text, f"<{name}>", "exec"), self.env)
        made = self.env[name]
        assert callable(made)
        return made


def compile_expression(source: Source, scope: StepScope, expr: Expression, target: SqlType | None = None) -> Code:
    """An expression's code; with ``target`` coerced to it."""
    compiler = ExpressionCompiler(scope, source.env, scope.functions, on_error=source.on_error)
    code = compiler.compile(expr)
    return code if target is None else compiler.coerce(code, target)


def values(
    source: Source,
    scope: StepScope,
    exprs: Sequence[Expression],
    indent: int,
    prefix: str,
    targets: Sequence[SqlType | None] | None = None,
) -> str:
    """Lines that compute a tuple of expressions, each guarded where it may raise; gives the tuple's own source."""
    parts = []
    for index, expr in enumerate(exprs):
        code = compile_expression(source, scope, expr, None if targets is None else targets[index])
        if code.safe:
            parts.append(code.source)
            continue
        name = f"{prefix}{index}"
        text = f"{prefix}text{index}"
        source.env[text] = format_expression(expr)
        source.line(indent, "try:")
        source.line(indent + 1, f"{name} = {code.source}")
        source.line(indent, "except Exception as _error:")
        source.line(indent + 1, f"{name} = None")
        source.line(indent + 1, f"_report({text}, str(_error), (k, v))")
        parts.append(name)
    return "(" + "".join(part + ", " for part in parts) + ")"


def predicate(source: Source, scope: StepScope, expr: Expression, indent: int, name: str) -> None:
    """Lines that leave the predicate's outcome in ``name``."""
    code = compile_expression(source, scope, expr)
    if code.safe:
        source.line(indent, f"{name} = {code.source}")
        return
    source.env[f"{name}text"] = format_expression(expr)
    source.line(indent, "try:")
    source.line(indent + 1, f"{name} = {code.source}")
    source.line(indent, "except Exception as _error:")
    source.line(indent + 1, f"{name} = False")
    source.line(indent + 1, f"_report({name}text, str(_error), (k, v))")
