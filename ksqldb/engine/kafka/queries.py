"""Transient queries: push, pull and PRINT, from a SELECT to a handle of rows."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import replace

from ksqldb.engine import ast
from ksqldb.engine.analyse.catalog import Catalog
from ksqldb.engine.entities.describe import QueryInfo
from ksqldb.engine.errors import KsqlError, ParseFailed, StatementError, told
from ksqldb.engine.kafka.handles import Handle, RowQueue
from ksqldb.engine.kafka.printing import open_print
from ksqldb.engine.kafka.runtime import Runtime
from ksqldb.engine.plan.compiled import checked_plan
from ksqldb.engine.plan.planner import QueryPlanner
from ksqldb.engine.plan.pull import StreamPull, TablePull, plan_pull
from ksqldb.engine.plan.steps import QueryPlan
from ksqldb.engine.run.local import wrap_errors
from ksqldb.engine.run.pull import pull_rows
from ksqldb.engine.run.result_rows import ResultRows, columns_of
from ksqldb.engine.run.results import QueryHandle, QueryKind, Row

_LISTED_AFTER_READER = 2.0  # seconds: SHOW QUERIES of a real server lists a query for a moment when its reader is gone


class Queries:
    """The open push queries and how each kind is opened."""

    def __init__(self, catalog: Catalog, runtime: Runtime) -> None:
        self.catalog = catalog
        self.runtime = runtime
        self.handles: dict[str, Handle] = {}
        self.infos: dict[str, QueryInfo] = {}

    async def stop(self) -> None:
        for handle in list(self.handles.values()):
            await handle.close()

    def push_count(self) -> int:
        return sum(handle.kind in ("push", "scalable_push") for handle in self.handles.values())

    async def close(self, query_id: str) -> bool:
        handle = self.handles.get(query_id)
        if handle is not None:
            await handle.close()
        return self.infos.pop(query_id, None) is not None or handle is not None

    async def open(self, parsed: ast.ParsedStatement, properties: Mapping[str, object]) -> QueryHandle:
        query = parsed.statement
        assert isinstance(query, ast.Query)
        seen = self.catalog.with_properties(properties)
        with wrap_errors(parsed, seen):
            if query.emit is not None:
                plan = checked_plan(QueryPlanner(query, seen, None).plan())
                return await self._push(parsed, plan, seen.properties)
            pull = _planned_pull(parsed, query, seen)
            if isinstance(pull, TablePull):
                return self._pull_table(pull)
            return await self._pull_stream(parsed, replace(pull, plan=checked_plan(pull.plan)), seen.properties)

    async def _push(self, parsed: ast.ParsedStatement, plan: QueryPlan, properties: Mapping[str, str]) -> QueryHandle:
        scalable = properties.get("ksql.query.push.v2.enabled", "").lower() == "true"
        prefix = "SCALABLE_PUSH_QUERY" if scalable else "transient"
        query_id = f"{prefix}_{plan.sources[0].name}_{random.getrandbits(63)}"
        queue = RowQueue(ResultRows(plan))
        running = await self.runtime.start_transient(
            query_id, plan, properties, queue.take, queue.is_full, queue.room.wait
        )
        running.on_failure = queue.end

        async def end(reader_left: bool) -> None:
            self.handles.pop(query_id, None)
            self.runtime.end_transient(running)
            listed = _LISTED_AFTER_READER if reader_left else 0
            asyncio.get_running_loop().call_later(listed, self.infos.pop, query_id, None)

        kind: QueryKind = "scalable_push" if scalable else "push"
        handle = Handle(query_id, kind, columns_of(plan.columns, mark_keys=False), queue, end)
        queue.on_limit = lambda: self.runtime.end_transient(running)
        self.handles[query_id] = handle
        self.infos[query_id] = QueryInfo(query_id, parsed.text, "PUSH", "RUNNING", plan)
        return handle

    def _pull_table(self, pull: TablePull) -> QueryHandle:
        persistent = self.runtime.queries.get(pull.query_id)
        view = None if persistent is None else persistent.running.topology.view
        if view is None:
            raise KsqlError(f"The `{pull.source.name}` table isn't queryable.")
        rows = pull_rows(pull, view, self.runtime.processing_log.reporter("pull"))
        queue = RowQueue()
        queue.rows = [Row(row) for row in rows]
        queue.end()
        query_id = f"query_{random.getrandbits(63)}"
        return Handle(query_id, "pull_table", columns_of(pull.columns, mark_keys=True), queue)

    async def _pull_stream(
        self, parsed: ast.ParsedStatement, pull: StreamPull, properties: Mapping[str, str]
    ) -> QueryHandle:
        """The query from the beginning until it has read up to where the topic ends now."""
        plan = pull.plan
        query_id = f"transient_{plan.sources[0].name}_{random.getrandbits(63)}"
        queue = RowQueue(ResultRows(plan))
        start = {**properties, "auto.offset.reset": "earliest"}
        running = await self.runtime.start_transient(query_id, plan, start, queue.take, queue.is_full, queue.room.wait)
        running.on_failure = queue.end
        ends = dict(running.ends)

        def done() -> bool:
            return all(running.positions[place] >= end for place, end in ends.items())

        def finish() -> None:
            if done():
                queue.end()
                self.runtime.end_transient(running)

        running.on_delivery = finish
        finish()

        async def end(_: bool) -> None:
            self.handles.pop(query_id, None)
            self.runtime.end_transient(running)

        handle = Handle(query_id, "pull_stream", columns_of(plan.columns, mark_keys=False), queue, end)
        self.handles[query_id] = handle
        return handle

    async def open_print(
        self, statement: ast.PrintTopic, properties: Mapping[str, object], tells_formats: bool
    ) -> QueryHandle:
        return await open_print(statement, self.catalog, self.runtime, properties, tells_formats)


def _planned_pull(parsed: ast.ParsedStatement, query: ast.Query, seen: Catalog) -> TablePull | StreamPull:
    """The plan; an error that blames a part of the statement is told with the whole behind it."""
    try:
        return plan_pull(query, seen)
    except ParseFailed:
        raise
    except StatementError as error:
        raise StatementError(f"{told(error)}\nStatement: {parsed.text}", parsed.text) from error
