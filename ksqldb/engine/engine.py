"""The engine as its server sees it: execute statements, open queries, insert rows."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from ksqldb.engine import ast
from ksqldb.engine.analyse.catalog import Catalog
from ksqldb.engine.analyse.inserts import json_row, target_of_values
from ksqldb.engine.analyse.overrides import check_values
from ksqldb.engine.entities.schemas import Entity
from ksqldb.engine.errors import StatementError
from ksqldb.engine.executor import Executor, Request
from ksqldb.engine.kafka.processing_log import STREAM, TOPIC_SUFFIX
from ksqldb.engine.kafka.queries import Queries
from ksqldb.engine.kafka.runtime import Runtime, now_ms
from ksqldb.engine.kafka.snapshots import Snapshots
from ksqldb.engine.kafka.topics import Topics
from ksqldb.engine.metastore.commandlog import CommandLog
from ksqldb.engine.parse import parse
from ksqldb.engine.run.results import Column, EngineConfig, QueryHandle, QueryKind, Row

__all__ = ["NOT_A_QUERY", "Column", "Engine", "EngineConfig", "QueryHandle", "QueryKind", "Row"]

log = logging.getLogger(__name__)

NOT_A_QUERY = "Neither a query nor a print statement"


class Engine:
    """All methods run on one event loop. User errors are KsqlError (``error_code`` gives the REST code)."""

    def __init__(self, config: EngineConfig) -> None:
        self.config = config
        self.catalog = Catalog(properties=dict(config.properties))
        self.topics = Topics(config.bootstrap)
        folder = config.data_dir
        snapshots = None if folder is None else Snapshots(folder / "snapshots")
        command_log = None if folder is None else CommandLog(folder / "commands.jsonl")
        self.runtime = Runtime(config.bootstrap, snapshots, self._partitions)
        self.queries = Queries(self.catalog, self.runtime)
        self.executor = Executor(self.catalog, self.topics, self.runtime, self.queries, command_log, config.host)
        self.started = False

    def _partitions(self, topic: str) -> int:
        return self.catalog.partitions(topic) or 1

    async def connect(self) -> None:
        """Find Kafka. Raises aiokafka's KafkaError where it does not answer; may be called again then."""
        if not self.topics.cluster_id:
            await self.topics.start()

    async def start(self) -> None:
        """Connect, read the command log, restore snapshots and resume the persistent queries."""
        await self.connect()
        await self.runtime.start(self.topics.cluster_id)
        self.started = True
        await self._log_to_topic()
        await self.executor.recover()
        if self._log_topic and self.catalog.flag("ksql.logging.processing.stream.auto.create"):
            await self.execute(STREAM % self._log_topic.replace("'", "''"), {}, {})

    async def _log_to_topic(self) -> None:
        """Losses go to a topic too where the server's properties ask for it."""
        topic = self._log_topic
        if topic is None:
            return
        await self.topics.create(topic, 1, {})
        self.runtime.processing_log.write = lambda line: self.runtime.sink.append(topic, 0, [(None, line, now_ms())])

    @property
    def _log_topic(self) -> str | None:
        if not self.catalog.flag("ksql.logging.processing.topic.auto.create"):
            return None
        service = self.catalog.property("ksql.service.id") or "default_"
        return self.catalog.property("ksql.logging.processing.topic.name") or service + TOPIC_SUFFIX

    async def stop(self) -> None:
        """End every query (push readers end cleanly), write snapshots, close connections."""
        await self.queries.stop()
        if self.started:
            await self.runtime.stop()
            self.executor.close()
            await self.topics.stop()
            self.started = False

    async def execute(
        self, sql: str, properties: Mapping[str, object], session_variables: Mapping[str, str]
    ) -> list[Entity]:
        """The entities of POST /ksql, one a statement, in order.

        A body of several statements is validated whole before the first one runs.
        """
        return await self.executor.execute(Request(sql, dict(properties), dict(session_variables)))

    async def query(
        self,
        sql: str,
        properties: Mapping[str, object],
        session_variables: Mapping[str, str],
        tells_formats: bool = False,
    ) -> QueryHandle:
        """One SELECT or PRINT statement. ``tells_formats``: PRINT begins with the formats it guesses."""
        check_values(properties)
        statements = parse(sql, session_variables)
        if len(statements) != 1:
            raise StatementError(f"Expected exactly one KSQL statement; found {len(statements)} instead", sql)
        (parsed,) = statements
        await self.executor.refresh_topics()
        match parsed.statement:
            case ast.Query():
                return await self.queries.open(parsed, properties)
            case ast.PrintTopic() as statement:
                return await self.queries.open_print(statement, properties, tells_formats)
            case _:
                raise StatementError(NOT_A_QUERY, sql)

    async def close_query(self, query_id: str) -> bool:
        """End a push query; False where there is none with that id."""
        return await self.queries.close(query_id)

    async def insert(self, target: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Rows of /inserts-stream (JSON objects, column names in any case); KsqlError names what does not fit."""
        source = target_of_values(target, self.catalog)
        for row in rows:
            self.executor.write_row(json_row(source, row, now_ms()))
        await self.runtime.sink.flush()

    @property
    def cluster_id(self) -> str:
        """Kafka's cluster id, '' before start."""
        return self.topics.cluster_id

    def status(self, command_id: str) -> dict[str, object] | None:
        """commandStatus of an earlier statement (GET /status/...), None if unknown."""
        return self.executor.statuses.get(command_id)

    def statuses(self) -> dict[str, str]:
        """commandId -> status (GET /status)."""
        return {name: str(status["status"]) for name, status in self.executor.statuses.items()}

    def push_query_count(self) -> int:
        return self.queries.push_count()
