"""Reads a table's rows for a pull query."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ksqldb.engine.plan.pull import TablePull
from ksqldb.engine.plan.scope import StepScope
from ksqldb.engine.run.codegen import Source, predicate, values
from ksqldb.engine.run.records import Report
from ksqldb.engine.run.tables import Row, Rows


def pull_function(pull: TablePull, report: Report) -> Callable[[Iterable[Row]], list[tuple[Any, ...]]]:
    """The WHERE and the projection as one function over rows. KsqlError where an expression cannot be compiled."""
    scope = StepScope(pull.row_schema, pull.source.window is not None, pull.functions)
    source = Source(report)
    source.line(0, "def run(rows):")
    source.line(1, "out = []")
    source.line(1, "for k, v, ts, w in rows:")
    if pull.where is not None:
        predicate(source, scope, pull.where, 2, "_passes")
        source.line(2, "if not _passes: continue")
    made = values(source, scope, pull.items, 2, "_x")
    source.line(2, f"out.append({made})")
    if pull.limit is not None:
        source.line(2, f"if len(out) >= {pull.limit}: break")
    source.line(1, "return out")
    return source.function("run")


def pull_rows(pull: TablePull, view: Rows, report: Report) -> list[tuple[Any, ...]]:
    if pull.limit == 0:
        return []
    keys = None if pull.lookup is None else pull.lookup.keys
    rows = view.rows() if keys is None else (row for key in keys for row in view.of_key(key))
    return pull_function(pull, report)(rows)
