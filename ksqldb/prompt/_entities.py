"""What a server answers to statements, as text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ksqldb.client import Entity, clean
from ksqldb.prompt._text import cell, json_text, table

_SOURCE_HEADS = ("Name", "Topic", "Key format", "Value format", "Windowed")
_QUERY_HEADS = ("Id", "Type", "Status", "Sinks", "SQL")
_OFFSET_HEADS = ("Group", "Topic", "Partition", "Start", "End", "Offset", "Lag")


@dataclass(frozen=True, slots=True)
class Listing:
    """How an entity that lists things is a table: its ``key``, the heads, a row of each thing, a word for none."""

    key: str
    heads: tuple[str, ...]
    row: Callable[[Any], tuple[Any, ...]]
    none: str

    def rows(self, entity: Entity) -> list[tuple[Any, ...]]:
        listed = entity.get(self.key) or ()
        return [self.row(item) for item in (listed.items() if isinstance(listed, dict) else listed)]


def listing(entity: Entity) -> Listing | None:
    """How the entity lists things, None where it tells of one."""
    return _LISTINGS.get(str(entity.get("@type")))


def entity_text(entity: Entity) -> str:
    """An entity for a reader; kinds without a form of their own are shown as JSON."""
    form = _FORMS.get(str(entity.get("@type")))
    if found := listing(entity):
        rows = found.rows(entity)
        text = table(found.heads, rows) if rows else found.none
    else:
        text = form(entity) if form else json_text(entity)
    warnings = [f"warning: {clean(str(w.get('message', '')))}" for w in entity.get("warnings") or ()]
    return "\n".join([text, *warnings]) if warnings else text


def _source(item: dict[str, Any]) -> tuple[Any, ...]:
    windowed = "yes" if item.get("isWindowed") else ""
    return item.get("name"), item.get("topic"), item.get("keyFormat"), item.get("valueFormat"), windowed


def _topic(item: dict[str, Any]) -> tuple[Any, ...]:
    replicas = item.get("replicaInfo") or []
    return item.get("name"), len(replicas), max(replicas, default=0)


def _query(item: dict[str, Any]) -> tuple[Any, ...]:
    status = ", ".join(f"{name}:{count}" for name, count in (item.get("statusCount") or {}).items())
    sql = " ".join(str(item.get("queryString", "")).split())
    return item.get("id"), item.get("queryType"), status, ", ".join(item.get("sinks") or ()), sql[:100]


def _described(entity: Entity) -> str:
    source = entity.get("sourceDescription") or {}
    facts = [
        ("Name", source.get("name")),
        ("Type", source.get("type")),
        ("Topic", source.get("topic")),
        ("Key format", source.get("keyFormat")),
        ("Value format", source.get("valueFormat")),
    ]
    if source.get("windowType"):
        facts.append(("Window", source["windowType"]))
    if source.get("timestamp"):
        facts.append(("Timestamp", source["timestamp"]))
    if source.get("extended"):
        facts += [("Partitions", source.get("partitions")), ("Statement", source.get("statement"))]
    head = "\n".join(f"{name:<13}: {cell(value)}" for name, value in facts)
    fields = [(f.get("name"), _type(f.get("schema") or {}), f.get("type") or "") for f in source.get("fields") or ()]
    text = f"{head}\n\n{table(('Field', 'Type', ''), fields)}"
    for title, key in (("Queries that read it", "readQueries"), ("Queries that write it", "writeQueries")):
        if source.get(key):
            text += f"\n\n{title}\n{table(_QUERY_HEADS, [_query(q) for q in source[key]])}"
    read = [row for summary in source.get("queryOffsetSummaries") or () for row in _offsets(summary)]
    if read:
        text += f"\n\nHow far they have read\n{table(_OFFSET_HEADS, read)}"
    return text


def _offsets(summary: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Where a consumer group stands in each partition it reads, and how far behind the end."""
    for topic in summary.get("topicSummaries") or ():
        for place in topic.get("offsets") or ():
            end, at = place.get("logEndOffset") or 0, place.get("consumerOffset") or 0
            name, start = topic.get("kafkaTopic"), place.get("logStartOffset")
            yield summary.get("groupId"), name, place.get("partition"), start, end, at, max(end - at, 0)


def _type(schema: dict[str, Any]) -> str:
    kind = str(schema.get("type"))
    if kind == "ARRAY":
        return f"ARRAY<{_type(schema.get('memberSchema') or {})}>"
    if kind == "MAP":
        return f"MAP<STRING, {_type(schema.get('memberSchema') or {})}>"
    if kind == "STRUCT":
        fields = (f"{f.get('name')} {_type(f.get('schema') or {})}" for f in schema.get("fields") or ())
        return f"STRUCT<{', '.join(fields)}>"
    if kind == "DECIMAL":
        parameters = schema.get("parameters") or {}
        return f"DECIMAL({parameters.get('precision')}, {parameters.get('scale')})"
    return kind


def _explained(entity: Entity) -> str:
    query = entity.get("queryDescription") or {}
    facts = [
        ("Id", query.get("id")),
        ("Type", query.get("queryType")),
        ("State", query.get("state")),
        ("Sources", ", ".join(query.get("sources") or ())),
        ("Sinks", ", ".join(query.get("sinks") or ())),
    ]
    lines = [f"{name:<8}: {cell(value)}" for name, value in facts if value]
    for title, key in (("Statement", "statementText"), ("Plan", "executionPlan"), ("Topology", "topology")):
        if query.get(key):
            lines += ["", title, clean(str(query[key]))]
    return "\n".join(lines)


def _function(entity: Entity) -> str:
    kind = str(entity.get("type", "")).lower()
    lines = [clean(f"{entity.get('name')} ({kind}) {entity.get('description', '')}")]
    for variant in entity.get("functions") or ():
        arguments = ", ".join(
            f"{a.get('name') or ''} {a.get('type')}{'...' if a.get('isVariadic') else ''}".strip()
            for a in variant.get("arguments") or ()
        )
        text = f"  ({arguments}) -> {variant.get('returnType')}"
        lines.append(clean(text + (f"   {variant['description']}" if variant.get("description") else "")))
    return "\n".join(lines)


def _status(entity: Entity) -> str:
    return clean(str((entity.get("commandStatus") or {}).get("message", "")))


def _message(entity: Entity) -> str:
    return clean(str(entity.get("message", "")))


def _terminated(entity: Entity) -> str:
    done = "terminated" if entity.get("wasTerminated") else "was not running"
    return f"{clean(str(entity.get('queryId')))} {done}"


_LISTINGS = {
    "kafka_topics": Listing("topics", ("Topic", "Partitions", "Replicas"), _topic, "no topics"),
    "kafka_topics_extended": Listing(
        "topics",
        ("Topic", "Partitions", "Replicas", "Consumers", "Groups"),
        lambda t: (*_topic(t), t.get("consumerCount"), t.get("consumerGroupCount")),
        "no topics",
    ),
    "streams": Listing("streams", _SOURCE_HEADS, _source, "no streams"),
    "tables": Listing("tables", _SOURCE_HEADS, _source, "no tables"),
    "queries": Listing("queries", _QUERY_HEADS, _query, "no queries"),
    "properties": Listing(
        "properties", ("Property", "Level", "Value"), lambda p: (p.get("name"), p.get("level"), p.get("value")), "none"
    ),
    "variables": Listing("variables", ("Variable", "Value"), lambda v: (v.get("name"), v.get("value")), "no variables"),
    "function_names": Listing(
        "functions", ("Function", "Kind"), lambda f: (f.get("name"), str(f.get("type", "")).lower()), "no functions"
    ),
    "type_list": Listing("types", ("Type", "Definition"), lambda t: (t[0], _type(t[1])), "no types"),
}
_FORMS: dict[str, Callable[[Entity], str]] = {
    "sourceDescription": _described,
    "source_descriptions": lambda entity: "\n\n".join(
        _described({"sourceDescription": s}) for s in entity.get("sourceDescriptions") or ()
    ),
    "queryDescription": _explained,
    "query_descriptions": lambda entity: (
        "\n\n".join(_explained({"queryDescription": q}) for q in entity.get("queryDescriptions") or ()) or "no queries"
    ),
    "describe_function": _function,
    "currentStatus": _status,
    "warning_entity": _message,
    "terminate_query": _terminated,
}
