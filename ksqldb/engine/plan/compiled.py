"""Whether a plan's expressions can be compiled and its windows kept: the last thing that is checked of a query."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ksqldb.engine.ast import Expression
from ksqldb.engine.compile import ExpressionCompiler
from ksqldb.engine.compile.java import refusal
from ksqldb.engine.errors import KsqlError, StatementError
from ksqldb.engine.functions.registry import Registry
from ksqldb.engine.metastore import PSEUDO_COLUMNS, WINDOW_BOUNDS, Column, Namespace, Schema
from ksqldb.engine.parse import format_expression
from ksqldb.engine.plan.scope import scope_of
from ksqldb.engine.plan.steps import (
    AggregateStep,
    FilterStep,
    FlatMapStep,
    JoinStep,
    QueryPlan,
    RekeyStep,
    SelectStep,
    SourceStep,
    Step,
)
from ksqldb.engine.plan.windowing import lengths


def checked_plan(plan: QueryPlan) -> QueryPlan:
    """The plan. StatementError with the server's words for the first expression that cannot be compiled, from the
    sources on; it names the expression and the columns that were there."""
    _check_steps(plan.output, plan.functions)
    return plan


def _check_steps(step: Step, functions: Registry) -> None:
    match step:
        case SourceStep():
            return
        case JoinStep():
            _check_steps(step.left, functions)
            _check_steps(step.right, functions)
            return
    _check_steps(step.input, functions)
    if isinstance(step, AggregateStep) and step.spec is not None:
        lengths(step.spec, step.emit_final)
    for stage, expr in _expressions(step):
        check_expression(expr, stage, step.input, functions)


def _expressions(step: Step) -> Iterator[tuple[str, Expression]]:
    """A step's expressions over its input, each with the stage the server names."""
    match step:
        case FilterStep():
            yield "Predicate", step.predicate
        case SelectStep():
            yield from (("Select", item) for item in step.items)
        case RekeyStep():
            yield from (("SelectKey", key) for key in step.key)
        case FlatMapStep():
            yield from (("Table function", arg) for call in step.calls for arg in call.args)
        case AggregateStep():
            yield from (("Select", expr) for expr in step.groups)
            yield from (("Select", arg) for args in step.arguments for arg in args)


def check_expression(expr: Expression, stage: str, step: Step, functions: Registry) -> None:
    """StatementError where an expression over a step cannot be compiled."""
    scope = scope_of(step, functions)
    try:
        ExpressionCompiler(scope, {}, functions).compile(expr)
    except KsqlError as error:
        text = format_expression(expr)
        seen = ", ".join(map(str, seen_columns(step)))
        reason = refusal(expr, scope) or str(error)
        raise StatementError(f"Invalid {stage}: {reason}. expression: {text}, schema:{seen}", text) from error


def seen_columns(step: Step) -> Iterable[Column]:
    """The columns an expression over a step can name, as the server lists them: keys, then all there are as values."""
    match step:
        case SourceStep() | JoinStep():
            values = [c for c in step.schema if c.name not in (PSEUDO_COLUMNS | WINDOW_BOUNDS)]
            pseudo = [Column(name, found) for name, found in PSEUDO_COLUMNS.items()]
            bounds = WINDOW_BOUNDS.items() if step.window is not None else ()
            return [*values, *pseudo, *_copies(step.schema), *(Column(name, found) for name, found in bounds)]
        case FlatMapStep():
            made = step.schema.value[len(step.input.schema.value) :]
            return [*seen_columns(step.input), *made]
        case RekeyStep():
            values = [c for c in seen_columns(step.input) if c.namespace is not Namespace.KEY]
            known = {c.name for c in values}
            return [*step.schema.key, *values, *(c for c in _copies(step.schema) if c.name not in known)]
        case AggregateStep():
            given = {c.name: replace(c, namespace=Namespace.VALUE) for c in seen_columns(step.input)}
            kept = [given[name] for name in step.required if name in given]
            bounds = WINDOW_BOUNDS.items() if step.window is not None else ()
            return [*step.schema.key, *kept, *step.schema.value, *(Column(name, found) for name, found in bounds)]
        case SelectStep():
            return step.schema
        case _:
            return seen_columns(step.input)


def _copies(schema: Schema) -> list[Column]:
    return [replace(column, namespace=Namespace.VALUE) for column in schema.key]
