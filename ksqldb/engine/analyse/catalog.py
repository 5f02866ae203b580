"""What statements are checked against: the metastore, the topics there are and the properties in force.

A catalog is copied to validate a body of statements whole before the first one runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ksqldb.engine.errors import KsqlError, ServerError
from ksqldb.engine.functions import REGISTRY
from ksqldb.engine.functions.registry import Registry
from ksqldb.engine.metastore import MetaStore

if TYPE_CHECKING:
    from ksqldb.engine.plan.query import PersistentQuery

DEFAULTS: Mapping[str, str] = {
    "ksql.persistence.default.format.key": "KAFKA",
    "ksql.output.topic.name.prefix": "",
    "ksql.query.pull.table.scan.enabled": "true",
    "ksql.query.pull.range.scan.enabled": "true",
    "ksql.query.pull.stream.enabled": "true",
    "ksql.query.pull.limit.clause.enabled": "true",
    "ksql.query.push.v2.enabled": "false",
    "ksql.suppress.enabled": "true",
    "ksql.headers.columns.enabled": "true",
    "ksql.lambdas.enabled": "true",
    "ksql.insert.into.values.enabled": "true",
}

DEFAULT_RETENTION_MS = 604_800_000


@dataclass
class Catalog:
    """``topics``: name -> partition count. ``default_partitions``: what a topic has that was not created with a
    count (None: it must exist). ``retentions``: ``retention.ms`` of the topics whose was asked for."""

    metastore: MetaStore = field(default_factory=MetaStore)
    functions: Registry = field(default=REGISTRY)
    topics: dict[str, int] = field(default_factory=dict)
    queries: dict[str, PersistentQuery] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
    default_partitions: int | None = None
    retentions: dict[str, int] = field(default_factory=dict)

    def copy(self) -> Catalog:
        return replace(self, metastore=self.metastore.copy(), topics=dict(self.topics), queries=dict(self.queries))

    def with_properties(self, extra: Mapping[str, object]) -> Catalog:
        """The same catalog (not a copy) seen with a request's own properties on top."""
        return replace(self, properties={**self.properties, **{k: str(v) for k, v in extra.items()}})

    def property(self, name: str) -> str | None:
        return self.properties.get(name, DEFAULTS.get(name))

    def flag(self, name: str) -> bool:
        return (self.property(name) or "").lower() == "true"

    def partitions(self, topic: str) -> int | None:
        return self.topics.get(topic, self.default_partitions)

    def ensure_topic(self, topic: str, partitions: int | None, kind: str) -> None:
        """Record the topic a CREATE names: it exists, or PARTITIONS says how to make it."""
        existing = self.partitions(topic)
        if topic in self.topics:
            if partitions is not None and partitions != existing:
                kept = self.retentions.get(topic, DEFAULT_RETENTION_MS)
                raise ServerError(
                    f"A Kafka topic with the name '{topic}' already exists, with different partition/replica/"
                    f"retention configuration than required. KSQL expects {partitions} partitions "
                    f"(topic has {existing}), "
                    f"1 replication factor (topic has 1), and {kept} retention (topic has {kept})."
                )
            return
        if partitions is None and existing is None:
            raise KsqlError(
                f"Topic '{topic}' does not exist. If you want to create a new topic for the stream/table please "
                "re-run the statement providing the required 'PARTITIONS' configuration in the WITH clause (and "
                f"optionally 'REPLICAS'). For example: CREATE {kind.upper()} foo (...) WITH (KAFKA_TOPIC='{topic}', "
                "PARTITIONS='?', REPLICAS='?', ...)"
            )
        self.topics[topic] = partitions if partitions is not None else existing or 1
