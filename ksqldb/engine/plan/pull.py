"""Plans pull queries: over the rows a table's query keeps, or over a stream's topic from its beginning to its end."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ksqldb.engine import ast
from ksqldb.engine.analyse.catalog import Catalog
from ksqldb.engine.analyse.ddl import location
from ksqldb.engine.analyse.names import check_self_joins, query_sources
from ksqldb.engine.analyse.rewrite import calls, columns, unqualify, walk
from ksqldb.engine.ast import Expression
from ksqldb.engine.compile import infer_type
from ksqldb.engine.errors import KsqlError
from ksqldb.engine.functions.registry import Registry
from ksqldb.engine.metastore import WINDOW_BOUNDS, Column, Namespace, Schema, Source
from ksqldb.engine.metastore.model import ROWOFFSET, ROWPARTITION
from ksqldb.engine.parse import format_expression
from ksqldb.engine.plan.compiled import check_expression
from ksqldb.engine.plan.lookups import Lookup, find_lookup
from ksqldb.engine.plan.planner import QueryPlanner
from ksqldb.engine.plan.projection import transient_columns
from ksqldb.engine.plan.scope import StepScope, check_filter
from ksqldb.engine.plan.steps import QueryPlan, source_step
from ksqldb.engine.types import STRING

HINT = "\nAdd EMIT CHANGES if you intended to issue a push query."
SEE = " See https://cnfl.io/queries for more info."


@dataclass(frozen=True, slots=True)
class TablePull:
    """``items`` and ``where`` are over the table's rows; ``lookup`` holds the keys to read (None: all rows)."""

    source: Source
    query_id: str
    columns: Schema
    items: tuple[Expression, ...]
    where: Expression | None
    lookup: Lookup | None
    limit: int | None
    row_schema: Schema
    functions: Registry


@dataclass(frozen=True, slots=True)
class StreamPull:
    """A push query's plan that is read from the beginning to the present end."""

    plan: QueryPlan
    limit: int | None


def plan_pull(query: ast.Query, catalog: Catalog) -> TablePull | StreamPull:
    check_self_joins(query_sources(query, catalog))
    _refuse_clauses(query)
    if query.limit is not None:
        if not catalog.flag("ksql.query.pull.limit.clause.enabled"):
            raise KsqlError(
                "LIMIT clause in pull queries is currently disabled. You can enable them by setting "
                f"ksql.query.pull.limit.clause.enabled=true.{SEE}{HINT}"
            )
        if query.limit < 0:
            raise KsqlError(f"Pull queries don't support negative integers in the LIMIT clause.{SEE}{HINT}")
    planner = QueryPlanner(query, catalog, None)
    _refuse_columns(planner)
    source = planner.from_.source
    if not source.is_table:
        if not catalog.flag("ksql.query.pull.stream.enabled"):
            raise KsqlError(
                "Pull queries on streams are disabled. To create a push query on the stream, add EMIT CHANGES to the "
                "end. To enable pull queries on streams, set the ksql.query.pull.stream.enabled config to 'true'."
            )
        plan = QueryPlanner(replace(query, emit=ast.Refinement.CHANGES), catalog, None).plan()
        return StreamPull(plan, query.limit)
    return _plan_table(query, catalog, planner, source)


def _refuse_clauses(query: ast.Query) -> None:
    for present, name in (
        (bool(query.source.joins), "JOIN"),
        (query.window is not None, "WINDOW"),
        (bool(query.group_by), "GROUP BY"),
        (bool(query.partition_by), "PARTITION BY"),
        (query.having is not None, "HAVING"),
    ):
        if present:
            raise KsqlError(f"Pull queries don't support {name} clauses.{SEE}{HINT}")


def _refuse_columns(planner: QueryPlanner) -> None:
    clauses = planner.clauses
    selected = [i.expression for i in clauses.select if isinstance(i, ast.SingleColumn)]
    if planner.from_.source.is_table and any(
        planner.catalog.functions.table(call.name) for expr in selected for call in calls(expr)
    ):
        raise KsqlError("Table source is not supported with table functions")
    if any(planner.catalog.functions.aggregate(call.name) for expr in selected for call in calls(expr)):
        raise KsqlError(f"Pull queries don't support GROUP BY clauses.{SEE}{HINT}")
    for name, exprs in (("WHERE", [clauses.where] if clauses.where is not None else []), ("SELECT", selected)):
        used = {ref.name for expr in exprs for ref in columns(expr)}
        refused = [f"`{c}`" for c in (ROWPARTITION, ROWOFFSET) if c in used]
        if refused:
            raise KsqlError(f"Pull queries don't support the following columns in {name} clauses: {', '.join(refused)}")


def _marked(column: Column, expr: Expression) -> Column:
    """Window bounds count as key columns."""
    is_bound = isinstance(expr, ast.ColumnRef) and expr.name in WINDOW_BOUNDS
    return replace(column, namespace=Namespace.KEY) if is_bound else column


def _check_bounds(where: ast.Expression, source: Source) -> None:
    """WINDOWSTART and WINDOWEND are there in windowed tables only."""
    for ref in columns(where):
        if ref.name in WINDOW_BOUNDS and source.window is None:
            raise KsqlError(f"{location(ref)}WHERE column '{ref.name}' cannot be resolved.")


def _check_like(where: Expression, scope: StepScope) -> None:
    for node in walk(where):
        if isinstance(node, ast.Like):
            found = infer_type(node.operand, scope, scope.functions)
            if found != STRING:
                raise KsqlError(
                    f"The column type for Like condition must be VARCHAR. The column type is {found or 'null'}"
                )


def _plan_table(query: ast.Query, catalog: Catalog, planner: QueryPlanner, source: Source) -> TablePull:
    planner.check_clauses()
    writers = [
        q
        for q in catalog.queries.values()
        if q.sink.name == source.name and (q.materializes or q.id == source.query_id)
    ]
    if not writers:
        raise KsqlError(
            f"The `{source.name}` table isn't queryable. To derive a queryable table, you can do "
            f"'CREATE TABLE QUERYABLE_{source.name} AS SELECT * FROM {source.name}'.{SEE}{HINT}"
        )
    step = source_step(source, planner.from_.alias, ())
    scope = StepScope(step.schema, source.window is not None, catalog.functions)
    selected = planner.expand(step)
    out = transient_columns(selected, step.schema, scope)
    where = None
    if planner.clauses.where is not None:
        _check_bounds(planner.clauses.where, source)
        where = unqualify(planner.clauses.where, lambda ref: ref.name)
        text = format_expression(where)
        check_filter(where, scope, "WHERE", text)
        _check_like(where, scope)
        check_expression(where, "expression", step, catalog.functions)
    for item in selected:
        check_expression(item.expression, "expression", step, catalog.functions)
    lookup = find_lookup(where, source, catalog)
    return TablePull(
        source,
        writers[0].id,
        Schema(tuple(_marked(c, s.expression) for c, s in zip(out, selected, strict=True))),
        tuple(s.expression for s in selected),
        where,
        lookup,
        query.limit,
        step.schema,
        catalog.functions,
    )
