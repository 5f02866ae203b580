"""Table functions in a select list: found, checked, and made a step that gives one row per element."""

from __future__ import annotations

from collections.abc import Sequence

from ksqldb.engine import ast
from ksqldb.engine.analyse.rewrite import calls, walk
from ksqldb.engine.ast import Expression
from ksqldb.engine.errors import KsqlError
from ksqldb.engine.functions.registry import Registry
from ksqldb.engine.metastore import Column, Schema
from ksqldb.engine.parse import format_expression
from ksqldb.engine.plan.functions import table_variant
from ksqldb.engine.plan.scope import scope_of
from ksqldb.engine.plan.steps import FlatMapStep, Step


def table_calls(select: Sequence[ast.SelectItem], grouped: bool, functions: Registry) -> list[ast.FunctionCall]:
    """The calls of table functions, in order. KsqlError where one stands in a CASE, in another, or beside GROUP BY."""
    found: list[ast.FunctionCall] = []
    for item in select:
        if not isinstance(item, ast.SingleColumn):
            continue
        for node in walk(item.expression):
            if isinstance(node, ast.SearchedCase) and any(functions.table(c.name) is not None for c in calls(node)):
                raise KsqlError(f"Table functions cannot be used in CASE: {format_expression(node)}")
            if isinstance(node, ast.FunctionCall) and functions.table(node.name) is not None:
                for inner in (c for arg in node.args for c in calls(arg)):
                    if functions.table(inner.name) is not None:
                        raise KsqlError(f"Table functions cannot be nested: {node.name}({inner.name}())")
                if grouped:
                    raise KsqlError("Table functions cannot be used with aggregations.")
                found.append(node)
    return found


def flat_map(step: Step, found: Sequence[Expression], functions: Registry) -> FlatMapStep:
    """The step whose rows carry the calls' values as KSQL_SYNTH_0, ... behind their own columns."""
    if step.is_table:
        raise KsqlError("Table source is not supported with table functions")
    scope = scope_of(step, functions)
    plain = [call for call in found if isinstance(call, ast.FunctionCall)]
    made = [Column(f"KSQL_SYNTH_{i}", table_variant(call, scope).return_type) for i, call in enumerate(plain)]
    return FlatMapStep(step, tuple(plain), Schema((*step.schema.columns, *made)))
