"""Which keys a pull query's WHERE asks for, and the rules where table scans are switched off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ksqldb.engine import ast
from ksqldb.engine.analyse.catalog import Catalog
from ksqldb.engine.analyse.inserts import evaluate
from ksqldb.engine.analyse.rewrite import columns
from ksqldb.engine.ast import ComparisonOp, Expression, LogicalOp
from ksqldb.engine.errors import KsqlError
from ksqldb.engine.metastore import WINDOW_BOUNDS, Column, Source
from ksqldb.engine.parse import format_expression

_SEE = " See https://cnfl.io/queries for more info."
_HINT = "\nAdd EMIT CHANGES if you intended to issue a push query."
_REQUIRED = """
Pull queries require a WHERE clause that:
 - includes a key equality expression, e.g. `SELECT * FROM X WHERE <key-column> = Y;`.
 - in the case of a multi-column key, is a conjunction of equality expressions that cover all key columns.
 - to support range expressions, e.g.,  SELECT * FROM X WHERE <key-column> < Y;`, range scans need to be enabled by \
setting ksql.query.pull.range.scan.enabled=true
If more flexible queries are needed, , table scans can be enabled by setting ksql.query.pull.table.scan.enabled=true."""
_FLIPPED = {
    ComparisonOp.LESS: ComparisonOp.GREATER,
    ComparisonOp.GREATER: ComparisonOp.LESS,
    ComparisonOp.LESS_EQUAL: ComparisonOp.GREATER_EQUAL,
    ComparisonOp.GREATER_EQUAL: ComparisonOp.LESS_EQUAL,
}


@dataclass(frozen=True, slots=True)
class Lookup:
    """The key tuples to read."""

    keys: tuple[tuple[Any, ...], ...]


class _NeedsScan(Exception):
    """The WHERE cannot be answered by reading keys; the message says why."""


def find_lookup(where: Expression | None, source: Source, catalog: Catalog) -> Lookup | None:
    """The keys of a WHERE that names them all; None for a scan. KsqlError where scans are off and one is needed."""
    scans = catalog.flag("ksql.query.pull.table.scan.enabled")
    if where is None:
        if not scans:
            raise KsqlError(f"Missing WHERE clause.{_SEE}{_HINT}")
        return None
    _check_supported(where)
    keys: list[tuple[Any, ...]] = []
    ranges = catalog.flag("ksql.query.pull.range.scan.enabled")
    for disjunct in _disjuncts(where):
        try:
            found = _keys_of(disjunct, source, ranges and not scans)
        except _NeedsScan as reason:
            if not scans:
                raise KsqlError(f"{reason}{_SEE}{_HINT}") from None
            return None
        if found is None:
            return None
        keys += [key for key in found if key not in keys]
    return Lookup(tuple(keys))


def _check_supported(expr: Expression) -> None:
    match expr:
        case ast.Logical(_, left, right):
            _check_supported(left)
            _check_supported(right)
        case ast.IsNull():
            shown = format_expression(expr)
            raise KsqlError(f"Unsupported expression in WHERE clause: {shown}. {_SEE}{_HINT}{_REQUIRED}")


def _disjuncts(expr: Expression) -> Iterator[list[Expression]]:
    """Disjunctive normal form: lists of conjuncts. IN over a key counts as a disjunction of its items."""
    match expr:
        case ast.Logical(LogicalOp.OR, left, right):
            yield from _disjuncts(left)
            yield from _disjuncts(right)
        case ast.Logical(LogicalOp.AND, left, right):
            rights = list(_disjuncts(right))
            for first in _disjuncts(left):
                for second in rights:
                    yield first + second
        case _:
            yield [expr]


def _keys_of(conjuncts: list[Expression], source: Source, ranges: bool) -> list[tuple[Any, ...]] | None:
    """The keys of one conjunction; None where a range over the key is asked for and allowed."""
    columns_of = {c.name: c for c in source.schema.key}
    bound: dict[str, list[Any]] = {}
    ranged: set[str] = set()
    for conjunct in conjuncts:
        _bind(conjunct, columns_of, bound, ranged)
    if not bound and not ranged:
        text = " AND ".join(map(format_expression, conjuncts))
        raise _NeedsScan(f"WHERE clause missing key column for disjunct: {text}.")
    missing = [name for name in columns_of if name not in bound and name not in ranged]
    if missing:
        raise _NeedsScan(
            f"Multi-column sources must specify every key in the WHERE clause. Specified: {sorted([*bound, *ranged])} "
            f"Expected: [{', '.join(map(str, source.schema.key))}]."
        )
    if ranged:
        if not ranges or len(columns_of) > 1 or source.window is not None:
            raise _NeedsScan("Query requires table scan to be enabled.")
        return None
    made: list[tuple[Any, ...]] = [()]
    for name in columns_of:
        made = [(*key, value) for key in made for value in bound[name]]
    return made


def _bind(conjunct: Expression, keys: dict[str, Column], bound: dict[str, list[Any]], ranged: set[str]) -> None:
    match conjunct:
        case ast.Comparison(op, left, right):
            flipped = not isinstance(left, ast.ColumnRef)
            column, other = (right, left) if flipped else (left, right)
            if not isinstance(column, ast.ColumnRef):
                raise _NeedsScan("A comparison must be between a key column and a resolvable expression.")
            if column.name not in keys:
                if column.name in WINDOW_BOUNDS:
                    return
                return
            _once(column.name, bound, ranged)
            if any(True for _ in columns(other)):
                raise _NeedsScan("A comparison must be between a key column and a resolvable expression.")
            op = _FLIPPED.get(op, op) if flipped else op
            if op is ComparisonOp.EQUAL:
                bound[column.name] = [_value(other, keys[column.name])]
            elif op in _FLIPPED:
                ranged.add(column.name)
            else:
                listed = ", ".join(map(str, keys.values()))
                raise _NeedsScan(f"Bound on key columns '[{listed}]' must currently be '='.")
        case ast.InList(ast.ColumnRef(name), items, False) if name in keys:
            _once(name, bound, ranged)
            if any(True for item in items for _ in columns(item)):
                raise _NeedsScan("A comparison must be between a key column and a resolvable expression.")
            bound[name] = [_value(item, keys[name]) for item in items]
        case ast.Like():
            if isinstance(conjunct.operand, ast.ColumnRef) and conjunct.operand.name in keys:
                raise _NeedsScan("Like condition must be between strings")
            raise _NeedsScan("Like condition must be between strings")
        case _ if any(ref.name in keys for ref in columns(conjunct)):
            raise _NeedsScan("A comparison must be between a key column and a resolvable expression.")


def _once(name: str, bound: dict[str, list[Any]], ranged: set[str]) -> None:
    if name in bound or name in ranged:
        raise _NeedsScan(
            "A comparison condition on the key column cannot be combined with other comparisons such as an IN "
            "predicate."
        )


def _value(expr: Expression, column: Column) -> Any:
    try:
        return evaluate(expr, column.type, column.name)
    except KsqlError as error:
        raise KsqlError(
            f"{format_expression(expr)} can not be converted to the type of the key column: "
            f"{column.name} {column.type} KEY"
        ) from error
