"""What a reader of a query sees: its columns, its rows and a handle that ends it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from ksqldb.engine.types import SqlType

QueryKind = Literal["push", "scalable_push", "pull_table", "pull_stream", "print"]


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """Where the engine finds Kafka, where it keeps its command log and snapshots, and its server properties.

    ``data_dir`` None keeps nothing: a restart starts empty.
    """

    bootstrap: str
    data_dir: Path | None = None
    properties: Mapping[str, str] = field(default_factory=dict)
    host: str = "localhost:8088"


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: SqlType
    is_key: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One row in the order of its query's columns; a tombstone keeps the key columns and is null elsewhere."""

    values: tuple[object, ...]
    tombstone: bool = False


class QueryHandle(Protocol):
    """A running push, pull or print query.

    ``batches`` ends when the query is complete, its LIMIT is reached or it was closed; ``limit_reached`` tells which.
    It raises ServerError where the query failed while running. A print query has rows of one STRING: the lines.
    """

    query_id: str
    kind: QueryKind
    columns: list[Column]
    limit: int | None

    @property
    def limit_reached(self) -> bool: ...

    def batches(self) -> AsyncIterator[list[Row]]: ...

    async def close(self, reader_left: bool = False) -> None:
        """End the query; ``reader_left``: nobody asked for it, its reader went away."""
        ...
