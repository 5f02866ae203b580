"""SHOW TOPICS, TYPES, PROPERTIES, VARIABLES, FUNCTIONS and DESCRIBE FUNCTION."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ksqldb.engine.analyse.catalog import DEFAULTS
from ksqldb.engine.entities.schemas import Entity, type_entity
from ksqldb.engine.functions.describe import function_description, function_names
from ksqldb.engine.functions.registry import Registry
from ksqldb.engine.types import SqlType


def answer(kind: str, text: str, **content: object) -> Entity:
    """An entity with its statement and no warnings."""
    return {"@type": kind, "statementText": text, **content, "warnings": []}


def topics(
    text: str, found: Iterable[tuple[str, int, int]], all_topics: bool, groups: Mapping[str, int] | None
) -> Entity:
    """``found``: name, partitions, replicas; ``groups``: with EXTENDED, how many queries read a topic."""
    shown: list[Entity] = []
    for name, partitions, replicas in sorted(found):
        if not all_topics and (
            name.startswith(("_confluent", "__")) or (name.endswith("ksql_processing_log") and name[0] == "_")
        ):
            continue
        entry: Entity = {"name": name, "replicaInfo": [replicas] * partitions}
        if groups is not None:
            reading = groups.get(name, 0)
            entry |= {"consumerCount": reading * partitions, "consumerGroupCount": reading}
        shown.append(entry)
    return answer("kafka_topics" if groups is None else "kafka_topics_extended", text, topics=shown)


def types(text: str, known: Mapping[str, SqlType]) -> Entity:
    return answer("type_list", text, types={name: type_entity(known[name]) for name in sorted(known)})


def variables(text: str, known: Mapping[str, str]) -> Entity:
    return answer("variables", text, variables=[{"name": n, "value": v} for n, v in sorted(known.items())])


def properties(text: str, server: Mapping[str, str], session: Mapping[str, object]) -> Entity:
    merged = {
        "ksql.service.id": "default_",
        **DEFAULTS,
        **server,
        **{name: str(value) for name, value in session.items()},
    }
    shown = [
        {
            "name": name,
            "scope": "KSQL" if name.startswith("ksql.") else "CLIENT",
            "value": merged[name],
            "editable": not name.startswith("ksql.service"),
            "level": "QUERY" if name in session else "SERVER",
        }
        for name in sorted(merged)
    ]
    return answer("properties", text, properties=shown, overwrittenProperties=sorted(session), defaultProperties=[])


def functions(text: str, registry: Registry) -> Entity:
    return answer("function_names", text, functions=function_names(registry))


def describe_function(text: str, registry: Registry, name: str) -> Entity:
    return answer("describe_function", text, **function_description(registry, name))
