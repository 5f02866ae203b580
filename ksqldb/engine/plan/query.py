"""Queries as the engine keeps them: their plan, what they read and write, and the statement that made them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ksqldb.engine.metastore import Source
from ksqldb.engine.plan.steps import QueryPlan


def group_of(query_id: str, service_id: str = "default_") -> str:
    """The consumer group in which a server reads for a query."""
    return f"_confluent-ksql-{service_id}query_{query_id}"


@dataclass(frozen=True, slots=True)
class PersistentQuery:
    """``sink`` is the source it writes; ``properties`` are those in force when it was made (offset reset ...).

    A source table's own query (CST) has no output topic: ``materializes`` names the table.
    """

    id: str
    plan: QueryPlan
    sink: Source
    statement: str
    properties: Mapping[str, str]
    materializes: bool = False

    @property
    def source_names(self) -> tuple[str, ...]:
        return tuple(source.name for source in self.plan.sources)
