"""SHOW ... and DESCRIBE of sources and queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ksqldb.engine.analyse.catalog import Catalog
from ksqldb.engine.entities.plans import execution_plan, topology_text
from ksqldb.engine.entities.schemas import Entity, field_entity, fields, value_entity
from ksqldb.engine.metastore import Source
from ksqldb.engine.plan.query import group_of
from ksqldb.engine.plan.steps import QueryPlan


@dataclass(frozen=True, slots=True)
class QueryInfo:
    """A running query as listings show it; ``paused`` queries keep the state RUNNING, as ksqlDB has it."""

    id: str
    text: str
    kind: str  # PERSISTENT or PUSH
    state: str  # RUNNING, PAUSED or ERROR; empty for a query that is only explained
    plan: QueryPlan
    sink: Source | None = None
    error: str = ""

    @property
    def shown_state(self) -> str:
        return "RUNNING" if self.state == "PAUSED" else self.state


def query_entity(query: QueryInfo) -> Entity:
    return {
        "queryString": query.text,
        "sinks": [] if query.sink is None else [query.sink.name],
        "sinkKafkaTopics": [] if query.sink is None else [query.sink.topic],
        "id": query.id,
        "statusCount": {query.state: 1},
        "queryType": query.kind,
        "state": query.shown_state,
    }


def source_entity(source: Source) -> Entity:
    return {
        "type": source.kind.value,
        "name": source.name,
        "topic": source.topic,
        "keyFormat": source.key_format.name,
        "valueFormat": source.value_format.name,
        "isWindowed": source.window is not None,
    }


def source_description(
    source: Source,
    catalog: Catalog,
    queries: Mapping[str, QueryInfo],
    extended: bool,
    offsets: Iterable[Entity] = (),
) -> Entity:
    store = catalog.metastore
    reading = sorted(store.readers.get(source.name, ()))
    readers = [queries[q] for q in reading if q in queries and queries[q].sink is not None]
    writers = [queries[q] for q in sorted(store.writers.get(source.name, ()), reverse=True) if q in queries]
    readers += [q for q in queries.values() if q.kind == "PUSH" and source.name in {s.name for s in q.plan.sources}]
    constraints = sorted({q.sink.name for q in readers if q.sink is not None and q.id.startswith(("CSAS", "CTAS"))})
    return {
        "name": source.name,
        "windowType": None if source.window is None else source.window.kind.value,
        "readQueries": [query_entity(q) for q in readers],
        "writeQueries": [query_entity(q) for q in writers],
        "fields": fields(source.schema),
        "type": source.kind.value,
        "timestamp": "" if source.timestamp is None else source.timestamp.name,
        "statistics": "",
        "errorStats": "",
        "extended": extended,
        "keyFormat": source.key_format.name,
        "valueFormat": source.value_format.name,
        "topic": source.topic,
        "partitions": catalog.partitions(source.topic) or 0,
        "replication": 1,
        "statement": source.statement,
        "queryOffsetSummaries": list(offsets),
        "sourceConstraints": constraints,
        "clusterStatistics": [],
        "clusterErrorStats": [],
    }


def query_description(query: QueryInfo, host: str, properties: Mapping[str, Any], text: str) -> Entity:
    """``text``: the statement that was explained."""
    window = query.plan.window
    shown = fields(query.plan.columns)
    if query.kind == "PUSH" and not query.state:  # the key comes once more, as of the source
        keys = query.plan.sources[0].schema.key
        shown = [field_entity(column) for column in keys] + [value_entity(column) for column in query.plan.columns]
    errors = [] if not query.error else [{"timestamp": 0, "errorMessage": query.error, "type": "SYSTEM"}]
    return {
        "id": query.id,
        "statementText": text,
        "windowType": None if window is None else window.kind.value,
        "fields": shown,
        "sources": [s.name for s in query.plan.sources],
        "sinks": [] if query.sink is None else [query.sink.name],
        "topology": topology_text(query.plan),
        "executionPlan": execution_plan(query.plan, query.id),
        "overriddenProperties": dict(properties),
        "ksqlHostQueryStatus": {host: query.state} if query.state else {},
        "queryType": query.kind,
        "queryErrors": errors,
        "tasksMetadata": [],
        "consumerGroupId": group_of(query.id) if query.id else None,
        "state": query.shown_state or None,
    }
