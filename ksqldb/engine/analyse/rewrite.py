"""Walking and rewriting expressions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any, cast

from ksqldb.engine import ast
from ksqldb.engine.ast import Expression

Plugin = Callable[[Expression], "Expression | None"]


_FIELDS: dict[str, tuple[str, ...]] = {}


def _child_fields(node: ast.Node) -> tuple[str, ...]:
    """The fields of a node that may hold operands."""
    kind = type(node).__name__
    found = _FIELDS.get(kind)
    if found is None:
        found = _FIELDS[kind] = tuple(f.name for f in fields(node) if f.name != "at")
    return found


def children(expr: Expression) -> Iterator[Expression]:
    """The direct operands of an expression, in source order."""
    for name in _child_fields(expr):
        yield from _expressions(getattr(expr, name))


def _expressions(value: object) -> Iterator[Expression]:
    if isinstance(value, ast.When):
        yield value.condition
        yield value.result
    elif isinstance(value, ast.Node) and not isinstance(value, ast.TypeRef):
        yield cast(Expression, value)
    elif isinstance(value, tuple):
        for item in value:
            yield from _expressions(item)


def walk(expr: Expression) -> Iterator[Expression]:
    """The expression and everything under it, parents first."""
    yield expr
    for child in children(expr):
        yield from walk(child)


def columns(expr: Expression) -> Iterator[ast.ColumnRef]:
    return (node for node in walk(expr) if isinstance(node, ast.ColumnRef))


def calls(expr: Expression) -> Iterator[ast.FunctionCall]:
    return (node for node in walk(expr) if isinstance(node, ast.FunctionCall))


def rewrite(expr: Expression, plugin: Plugin) -> Expression:
    """Replace the nodes for which the plugin gives another; what it leaves (None) is rebuilt from its operands."""
    replaced = plugin(expr)
    if replaced is not None:
        return replaced
    changes: dict[str, Any] = {}
    for name in _child_fields(expr):
        before = getattr(expr, name)
        after = _rewrite_value(before, plugin)
        if after is not before:
            changes[name] = after
    return cast(Expression, replace(cast(Any, expr), **changes)) if changes else expr


def _rewrite_value(value: object, plugin: Plugin) -> object:
    if isinstance(value, ast.When):
        condition, result = rewrite(value.condition, plugin), rewrite(value.result, plugin)
        if condition is value.condition and result is value.result:
            return value
        return replace(value, condition=condition, result=result)
    if isinstance(value, ast.Node) and not isinstance(value, ast.TypeRef):
        return rewrite(cast(Expression, value), plugin)
    if isinstance(value, tuple):
        items = tuple(_rewrite_value(item, plugin) for item in value)
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    return value


def unqualify(expr: Expression, name_of: Callable[[ast.ColumnRef], str]) -> Expression:
    """Every column reference by the one name ``name_of`` gives it."""

    def plugin(node: Expression) -> Expression | None:
        return ast.ColumnRef(name_of(node), at=node.at) if isinstance(node, ast.ColumnRef) else None

    return rewrite(expr, plugin)
