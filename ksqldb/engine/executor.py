"""Executes the statements of a request: all checked first, then carried out one by one and logged."""

from __future__ import annotations

import logging
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field

from aiokafka.errors import KafkaError

from ksqldb.engine import ast
from ksqldb.engine.analyse.catalog import Catalog
from ksqldb.engine.analyse.inserts import InsertedRow
from ksqldb.engine.analyse.names import query_sources
from ksqldb.engine.analyse.overrides import check_values, is_known, refuse_denied, wrong_value
from ksqldb.engine.entities import commands, listings, texts
from ksqldb.engine.entities.refusals import refused
from ksqldb.engine.entities.schemas import Entity
from ksqldb.engine.errors import KsqlError, NotSupported, ServerError, StatementError
from ksqldb.engine.inspector import Inspector, find_query, source_of, targets
from ksqldb.engine.kafka.queries import Queries
from ksqldb.engine.kafka.runtime import Runtime, now_ms
from ksqldb.engine.kafka.topics import DEFAULT_RETENTION_MS, Topics
from ksqldb.engine.metastore import Source
from ksqldb.engine.metastore.commandlog import Command, CommandLog
from ksqldb.engine.parse import parse
from ksqldb.engine.plan import statements as effects
from ksqldb.engine.recovery import recover
from ksqldb.engine.run.local import checked, wrap_errors
from ksqldb.engine.run.partitioner import partition_of

log = logging.getLogger(__name__)

_CHANGES = (
    ast.CreateSource, ast.CreateAsSelect, ast.InsertInto, ast.InsertValues, ast.DropSource, ast.AlterSource,
    ast.CreateType, ast.DropType,
)  # fmt: skip


@dataclass
class Request:
    """A body of statements; SET and DEFINE change it for the statements that follow."""

    sql: str
    properties: dict[str, object]
    variables: dict[str, str]
    entities: list[Entity] = field(default_factory=list)


class Executor:
    def __init__(
        self,
        catalog: Catalog,
        topics: Topics,
        runtime: Runtime,
        queries: Queries,
        command_log: CommandLog | None,
        host: str,
    ) -> None:
        self.catalog = catalog
        self.topics = topics
        self.runtime = runtime
        self.queries = queries
        self.command_log = command_log
        self.host = host
        self.sequence = 0
        self.statuses: dict[str, dict[str, object]] = {}
        self.inspector = Inspector(catalog, runtime, queries, host)

    def close(self) -> None:
        if self.command_log is not None:
            self.command_log.close()

    # ------------------------------------------------------------------------------------------ a request

    async def execute(self, request: Request) -> list[Entity]:
        check_values(request.properties)
        refuse_denied(request.properties, self.catalog.property("ksql.properties.overrides.denylist") or "")
        parsed = parse(request.sql, request.variables)
        _refuse_unknown(request.properties, parsed)
        await self.refresh_topics()
        await self._ask_retentions(parsed)
        try:
            self._validate(parsed, request)
        except _Stopped as stop:
            raise await self._worded(stop) from stop.error
        for one in parsed:
            try:
                await self._execute(one, request)
            except StatementError as error:
                error.entities = list(request.entities)
                raise
        return request.entities

    async def refresh_topics(self) -> None:
        """Take in what topics Kafka has now."""
        try:
            found = await self.topics.list()
        except KafkaError as error:
            raise ServerError(f"Kafka cannot be asked for its topics: {error}") from error
        self.catalog.topics.clear()
        self.catalog.topics.update({name: info.partitions for name, info in found.items()})
        self.inspector.replicas.clear()
        self.inspector.replicas.update({name: info.replicas for name, info in found.items()})

    def _validate(self, parsed: list[ast.ParsedStatement], request: Request) -> None:
        """Every statement on a copy, in order: if one fails none runs."""
        trial = self.catalog.copy()
        properties = dict(request.properties)
        number = self.sequence + 1
        for one in parsed:
            statement = one.statement
            match statement:
                case ast.SetProperty():
                    _check_set(statement, one.text)
                    properties[statement.name] = statement.value
                case ast.UnsetProperty():
                    properties.pop(statement.name, None)
                case ast.Query() | ast.PrintTopic():
                    if isinstance(statement, ast.Query):
                        with wrap_errors(one, trial):
                            query_sources(statement, trial)
                    raise _use_query_endpoint(one.text)
                case _ if isinstance(statement, _CHANGES):
                    seen = trial.with_properties(properties)
                    try:
                        checked(one, seen, number, seen.properties, now_ms())
                    except KsqlError as error:
                        raise _Stopped(error, one, seen) from error
                    number += 2
                case ast.QueryAction():
                    self._check_action(statement, one.text, trial)
                    if statement.action == "TERMINATE":
                        for query_id in targets(statement, trial):
                            effects.end(query_id, trial)
                    number += 2

    async def _ask_retentions(self, parsed: list[ast.ParsedStatement]) -> None:
        """How long the topics keep their records whose partition count a statement gives."""
        for one in parsed:
            if isinstance(one.statement, ast.CreateSource | ast.CreateAsSelect):
                given = dict(one.statement.properties)
                topic = given.get("KAFKA_TOPIC")
                name = topic.value if isinstance(topic, ast.StringLiteral) else one.statement.name
                if "PARTITIONS" in given and name in self.catalog.topics:
                    self.catalog.retentions[name] = await self.topics.retention_ms(name)

    async def _worded(self, stop: _Stopped) -> KsqlError:
        """The refusal of a statement in the server's words."""
        retention = DEFAULT_RETENTION_MS
        if isinstance(stop.parsed.statement, ast.CreateAsSelect):
            first = stop.catalog.metastore.source(stop.parsed.statement.query.source.first.name)
            if first is not None and first.topic in self.catalog.topics:
                retention = await self.topics.retention_ms(first.topic)
        return refused(stop.error, stop.parsed, stop.catalog, retention)

    def _find_push(self, query_id: str) -> str | None:
        return next((name for name in self.queries.handles if name.upper() == query_id.upper()), None)

    def _check_action(self, action: ast.QueryAction, text: str, catalog: Catalog) -> None:
        if action.query_id is None or find_query(action.query_id, catalog) is not None:
            return
        if self._find_push(action.query_id) is None:
            raise StatementError(f"Unknown queryId: {action.query_id}", text)

    # ------------------------------------------------------------------------------------------ one statement

    async def _execute(self, parsed: ast.ParsedStatement, request: Request) -> None:
        statement, text = parsed.statement, parsed.text
        match statement:
            case ast.SetProperty():
                request.properties[statement.name] = statement.value
            case ast.UnsetProperty():
                request.properties.pop(statement.name, None)
            case ast.Define():
                request.variables[statement.name] = statement.value
            case ast.Undefine():
                if request.variables.pop(statement.name, None) is None:
                    message = f"Cannot undefine variable '{statement.name}' which was never defined"
                    request.entities.append(listings.answer("warning_entity", text, message=message))
            case ast.QueryAction():
                request.entities.append(await self._act(statement, text))
            case ast.Show():
                request.entities.append(self.inspector.show(statement, text, request.properties, request.variables))
            case ast.Describe():
                request.entities.append(await self.inspector.describe(statement, text))
            case ast.Explain():
                number = self.sequence + 1
                request.entities.append(self.inspector.explain(statement, text, request.properties, number))
            case ast.AssertTopic():
                request.entities.append(await self.inspector.assert_topic(statement, text, self.refresh_topics))
            case _ if isinstance(statement, _CHANGES):
                entity = await self._change(parsed, request)
                if entity is not None:
                    request.entities.append(entity)
            case _:
                raise _unsupported(statement, text)

    async def _change(self, parsed: ast.ParsedStatement, request: Request) -> Entity | None:
        properties = {**self.catalog.properties, **{k: str(v) for k, v in request.properties.items()}}
        trial = self.catalog.copy().with_properties(request.properties)
        number = self.sequence + 1
        before = set(trial.topics)
        effect = checked(parsed, trial, number, properties, now_ms())
        if isinstance(effect, effects.Inserted):
            self.write_row(effect.row)
            await self.runtime.sink.flush()
            return None
        source = source_of(effect)
        retention = await self._retention(effect)
        shown = texts.stored_text(parsed, _without(trial, self.catalog), source, retention)
        if isinstance(effect, effects.Warned):
            return {"@type": "warning_entity", "statementText": parsed.text, "message": effect.message, "warnings": []}
        if isinstance(effect, effects.Started) and effect.replaces is not None:
            await self.runtime.replace_prepare(effect.replaces)
        await self._stated(self._make_topics(trial, before, source, retention, _replicas(parsed.statement)), parsed)
        self._adopt(trial)
        if not isinstance(effect, effects.Altered):
            self.inspector.remember(effect, shown)
        try:
            await self._carry_out(effect)
        except KsqlError:
            self._undo(effect)
            raise
        self._log(parsed.text, request.properties, source)
        made = effect.query if isinstance(effect, effects.Started | effects.Created) else None
        query_id = None if made is None else made.id
        if query_id is not None:
            self.inspector.overrides[query_id] = dict(request.properties)
        command = commands.command_id(parsed.statement)
        return self._answered(shown, command, commands.success_message(effect), query_id)

    def _answered(self, text: str, command: str, message: str, query_id: str | None = None) -> Entity:
        self.statuses[command] = commands.status(message, query_id)
        return commands.current_status(text, command, message, self.sequence, query_id)

    @staticmethod
    async def _stated(work: Coroutine[None, None, None], parsed: ast.ParsedStatement) -> None:
        """An error of Kafka's is the statement's."""
        try:
            await work
        except ServerError as error:
            stated = StatementError(error.message, parsed.text)
            stated.error_code = error.error_code
            raise stated from error

    def _adopt(self, trial: Catalog) -> None:
        self.catalog.metastore.__dict__.update(trial.metastore.__dict__)
        self.catalog.queries.clear()
        self.catalog.queries.update(trial.queries)
        self.catalog.topics.clear()
        self.catalog.topics.update(trial.topics)

    async def _retention(self, effect: effects.Effect) -> int:
        """A new sink keeps records as long as its first source's topic, unless the statement says otherwise."""
        if not isinstance(effect, effects.Started) or not effect.creates:
            return DEFAULT_RETENTION_MS
        given = dict(effect.query.sink.properties).get("RETENTION_MS")
        if given is not None:
            return int(given)
        return await self.topics.retention_ms(effect.query.plan.sources[0].topic)

    async def _make_topics(
        self, trial: Catalog, before: set[str], source: Source | None, retention_ms: int, replicas: int
    ) -> None:
        for name in set(trial.topics) - before:
            configs: dict[str, str] = {}
            if source is not None and source.topic == name:
                configs["cleanup.policy"] = texts.cleanup_policy(source)
                configs["retention.ms"] = str(retention_ms)
            await self.topics.create(name, trial.topics[name], configs, replicas)

    async def _carry_out(self, effect: effects.Effect) -> None:
        match effect:
            case effects.Started():
                await self.runtime.start_query(effect.query)
            case effects.Created(query=query) if query is not None:
                await self.runtime.start_query(query)
            case effects.Dropped():
                for query_id in effect.ended:
                    await self.runtime.end_query(query_id)
                if effect.delete_topic and effect.source is not None:
                    self.runtime.forget(effect.source.topic)
                    await self.topics.delete(effect.source.topic)

    def _undo(self, effect: effects.Effect) -> None:
        """A query that could not be started leaves nothing behind."""
        if isinstance(effect, effects.Started):
            effects.end(effect.query.id, self.catalog)
            if effect.creates:
                self.catalog.metastore.drop(effect.query.sink.name)

    def _log(self, text: str, properties: Mapping[str, object], source: Source | None) -> None:
        self.sequence += 2
        if self.command_log is None:
            return
        names = set() if source is None else {source.topic}
        counts = {name: self.catalog.topics[name] for name in names if name in self.catalog.topics}
        given = {name: str(value) for name, value in properties.items()}
        self.command_log.append(Command(self.sequence, text, given, counts))

    def write_row(self, row: InsertedRow) -> None:
        count = self.catalog.partitions(row.topic) or 1
        partition = self.sequence % count if row.key is None else partition_of(row.key, count)
        self.runtime.sink.append(row.topic, partition, [(row.key, row.value, row.timestamp)])

    async def recover(self) -> None:
        """Take up what the command log tells."""
        await self.refresh_topics()
        if self.command_log is not None:
            self.sequence = await recover(self.command_log, self.inspector, self.topics)

    # ------------------------------------------------------------------------------------------ queries

    async def _act(self, action: ast.QueryAction, text: str) -> Entity:
        self._check_action(action, text, self.catalog)
        named = targets(action, self.catalog)
        if not named and action.query_id is not None:
            push = self._find_push(action.query_id)
            assert push is not None
            if action.action == "TERMINATE":
                await self.queries.close(push)
                return listings.answer("terminate_query", text, queryId=push, wasTerminated=True)
        for query_id in named:
            match action.action:
                case "TERMINATE":
                    effects.end(query_id, self.catalog)
                    await self.runtime.end_query(query_id)
                case "PAUSE":
                    self.runtime.pause(query_id)
                case _:
                    await self.runtime.resume(query_id)
        self._log(text, {}, None)
        done = {"TERMINATE": "terminated", "PAUSE": "paused"}.get(action.action, "resumed")
        return self._answered(text, commands.command_id(action), f"Query {done}.")


class _Stopped(Exception):
    """A statement that is refused, with the catalog it was checked against."""

    def __init__(self, error: KsqlError, parsed: ast.ParsedStatement, catalog: Catalog) -> None:
        super().__init__(str(error))
        self.error = error
        self.parsed = parsed
        self.catalog = catalog


def _refuse_unknown(properties: Mapping[str, object], parsed: list[ast.ParsedStatement]) -> None:
    unknown = next((name for name in properties if not is_known(name)), None)
    if unknown is not None and parsed:
        text = f"Not recognizable as ksql, streams, consumer, or producer property: '{unknown}'"
        error = StatementError(text, parsed[0].text)
        error.error_code = ServerError.error_code
        raise error


def _check_set(statement: ast.SetProperty, text: str) -> None:
    if not is_known(statement.name, strict=True):
        raise StatementError(f"Unknown property: {statement.name}", text)
    problem = wrong_value(statement.name, statement.value)
    if problem is not None:
        raise StatementError(problem, text)


def _without(trial: Catalog, catalog: Catalog) -> Catalog:
    """The catalog as it was, with the topics the statement named (for the text of the statement)."""
    before = catalog.copy()
    before.topics = dict(trial.topics)
    return before


def _replicas(statement: ast.Statement) -> int:
    given = dict(getattr(statement, "properties", ())).get("REPLICAS")
    return given.value if isinstance(given, ast.IntegerLiteral) else 1


def _use_query_endpoint(text: str) -> StatementError:
    error = StatementError(
        "The following statement types should be issued to the websocket endpoint '/query':\n\t* PRINT\n\t* SELECT",
        text,
    )
    error.error_code = 40002
    return error


def _unsupported(statement: ast.Statement, text: str) -> NotSupported:
    return NotSupported(f"{type(statement).__name__} statements are not supported by this engine.", text)
