"""What a server answers to statements, as text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ksqldb.client import Entity, clean
from ksqldb.prompt._text import cell, json_text, table


def entity_text(entity: Entity) -> str:
    """An entity for a reader; kinds without a form of their own are shown as JSON."""
    form = _FORMS.get(str(entity.get("@type")))
    text = form(entity) if form else json_text(entity)
    warnings = [f"warning: {clean(str(w.get('message', '')))}" for w in entity.get("warnings") or ()]
    return "\n".join([text, *warnings]) if warnings else text


def _listing(key: str, heads: tuple[str, ...], row: Callable[[Any], tuple[Any, ...]], none: str) -> Any:
    def form(entity: Entity) -> str:
        rows = [row(item) for item in entity.get(key) or ()]
        return table(heads, rows) if rows else none

    return form


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
            text += f"\n\n{title}\n{table(('Id', 'Type', 'Status', 'Sinks', 'SQL'), [_query(q) for q in source[key]])}"
    return text


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


_SOURCE_HEADS = ("Name", "Topic", "Key format", "Value format", "Windowed")
_FORMS: dict[str, Callable[[Entity], str]] = {
    "kafka_topics": _listing("topics", ("Topic", "Partitions", "Replicas"), _topic, "no topics"),
    "kafka_topics_extended": _listing(
        "topics",
        ("Topic", "Partitions", "Replicas", "Consumers", "Groups"),
        lambda t: (*_topic(t), t.get("consumerCount"), t.get("consumerGroupCount")),
        "no topics",
    ),
    "streams": _listing("streams", _SOURCE_HEADS, _source, "no streams"),
    "tables": _listing("tables", _SOURCE_HEADS, _source, "no tables"),
    "queries": _listing("queries", ("Id", "Type", "Status", "Sinks", "SQL"), _query, "no queries"),
    "properties": _listing(
        "properties", ("Property", "Level", "Value"), lambda p: (p.get("name"), p.get("level"), p.get("value")), "none"
    ),
    "variables": _listing(
        "variables", ("Variable", "Value"), lambda v: (v.get("name"), v.get("value")), "no variables"
    ),
    "function_names": _listing(
        "functions", ("Function", "Kind"), lambda f: (f.get("name"), str(f.get("type", "")).lower()), "no functions"
    ),
    "type_list": lambda entity: (
        table(("Type", "Definition"), [(name, _type(schema)) for name, schema in (entity.get("types") or {}).items()])
        if entity.get("types")
        else "no types"
    ),
    "sourceDescription": _described,
    "source_descriptions": lambda entity: "\n\n".join(
        _described({"sourceDescription": s}) for s in entity.get("sourceDescriptions") or ()
    ),
    "queryDescription": _explained,
    "describe_function": _function,
    "currentStatus": _status,
    "warning_entity": _message,
    "terminate_query": _terminated,
}
