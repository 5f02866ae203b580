"""A statement with its names spelled out, as ksqlDB stores and shows it."""

from __future__ import annotations

from dataclasses import replace

from ksqldb.engine import ast
from ksqldb.engine.analyse.catalog import Catalog
from ksqldb.engine.analyse.names import Names, query_sources
from ksqldb.engine.plan.planner import prepare


def sanitized(statement: ast.Statement, catalog: Catalog) -> ast.Statement:
    """Column references qualified, select items aliased, EMIT CHANGES where a persistent query leaves it out."""
    match statement:
        case ast.CreateAsSelect() | ast.InsertInto():
            query = _query(statement.query, catalog)
            if query.emit is None:
                query = replace(query, emit=ast.Refinement.CHANGES)
            return replace(statement, query=query)
        case ast.Query():
            return _query(statement, catalog)
        case _:
            return statement


def _query(query: ast.Query, catalog: Catalog) -> ast.Query:
    names = Names(query_sources(query, catalog), catalog)
    clauses = prepare(query, names)
    joins = tuple(replace(join, criteria=names.qualify(join.criteria)) for join in query.source.joins)
    return replace(
        query,
        select=clauses.select,
        source=replace(query.source, joins=joins),
        where=clauses.where,
        group_by=clauses.group_by,
        partition_by=clauses.partition_by,
        having=clauses.having,
    )
