"""The engine as its server sees it: execute statements, open queries, insert rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from ksqldb.engine.run.results import Column, EngineConfig, QueryHandle, QueryKind, Row

__all__ = ["Column", "Engine", "EngineConfig", "QueryHandle", "QueryKind", "Row"]

Entity = dict[str, object]


class Engine(Protocol):
    """All methods run on one event loop. User errors are KsqlError (``error_code`` gives the REST code)."""

    config: EngineConfig

    async def start(self) -> None:
        """Connect, read the command log, restore snapshots and resume the persistent queries."""

    async def stop(self) -> None:
        """End every query (push readers end cleanly), write snapshots, close connections."""

    async def execute(
        self, sql: str, properties: Mapping[str, object], session_variables: Mapping[str, str]
    ) -> list[Entity]:
        """The entities of POST /ksql, one a statement, in order.

        A body of several statements is validated whole before the first one runs.
        """

    async def query(
        self, sql: str, properties: Mapping[str, object], session_variables: Mapping[str, str]
    ) -> QueryHandle:
        """One SELECT or PRINT statement."""

    async def close_query(self, query_id: str) -> bool:
        """End a push query; False where there is none with that id."""

    async def insert(self, target: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Rows of /inserts-stream (JSON objects, column names in any case); KsqlError names what does not fit."""

    @property
    def cluster_id(self) -> str:
        """Kafka's cluster id, '' before start."""

    def status(self, command_id: str) -> dict[str, object] | None:
        """commandStatus of an earlier statement (GET /status/...), None if unknown."""

    def statuses(self) -> dict[str, str]:
        """commandId -> status (GET /status)."""

    def push_query_count(self) -> int: ...
