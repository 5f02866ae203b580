"""Reads a table's rows for a pull query."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ksqldb.engine.analyse.serdes import source_key_codec
from ksqldb.engine.plan.pull import TablePull
from ksqldb.engine.plan.scope import StepScope
from ksqldb.engine.run.codegen import Source, predicate, values
from ksqldb.engine.run.records import Report
from ksqldb.engine.run.tables import Row, Rows


def pull_function(pull: TablePull, report: Report) -> Callable[[Iterable[Row]], list[tuple[Any, ...]]]:
    """The WHERE and the projection as one function over rows."""
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
    """The rows of a pull query; those of a scan come partition by partition in the order of their keys' bytes."""
    if pull.limit == 0:
        return []
    if pull.lookup is not None:
        return pull_function(pull, report)(row for key in pull.lookup.keys for row in view.of_key(key))
    encode = source_key_codec(pull.source).encode

    def place(row: Row) -> tuple[bytes, tuple[int, int]]:
        return encode(row[0]) or b"", row[3] or (0, 0)

    return pull_function(pull, report)(row for rows in view.rows() for row in sorted(rows, key=place))
