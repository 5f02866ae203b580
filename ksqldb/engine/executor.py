"""Executes the statements of a request: all checked first, then carried out one by one and logged."""

from __future__ import annotations

import asyncio
import logging
import random
import re
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field, replace

from aiokafka.errors import KafkaError

from ksqldb.engine import ast
from ksqldb.engine.analyse.catalog import Catalog
from ksqldb.engine.analyse.ddl import did_you_mean
from ksqldb.engine.analyse.inserts import InsertedRow
from ksqldb.engine.analyse.names import query_sources
from ksqldb.engine.entities import commands, describe, listings, texts
from ksqldb.engine.entities.describe import QueryInfo
from ksqldb.engine.entities.refusals import refused
from ksqldb.engine.entities.schemas import Entity
from ksqldb.engine.errors import KsqlError, NotSupported, ServerError, StatementError
from ksqldb.engine.kafka.queries import Queries
from ksqldb.engine.kafka.runtime import Runtime, now_ms
from ksqldb.engine.kafka.topics import DEFAULT_RETENTION_MS, Topics
from ksqldb.engine.metastore import Source
from ksqldb.engine.metastore.commandlog import Command, CommandLog
from ksqldb.engine.parse import parse
from ksqldb.engine.plan import statements as effects
from ksqldb.engine.plan.planner import QueryPlanner
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


_EXPLAIN = re.compile(r"^\s*EXPLAIN\s+", re.I)


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
        self.overrides: dict[str, dict[str, object]] = {}  # query id -> the properties its request came with
        self.texts: dict[str, str] = {}  # query id -> its statement as shown
        self.replicas: dict[str, int] = {}

    def close(self) -> None:
        if self.command_log is not None:
            self.command_log.close()

    # ------------------------------------------------------------------------------------------ a request

    async def execute(self, request: Request) -> list[Entity]:
        parsed = parse(request.sql, request.variables)
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
                error.entities = list(request.entities)  # type: ignore[attr-defined]
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
        self.replicas = {name: info.replicas for name, info in found.items()}

    def _validate(self, parsed: list[ast.ParsedStatement], request: Request) -> None:
        """Every statement on a copy, in order: if one fails none runs."""
        trial = self.catalog.copy()
        properties = dict(request.properties)
        number = self.sequence + 1
        for one in parsed:
            statement = one.statement
            match statement:
                case ast.SetProperty():
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
                        for query_id in self._targets(statement, trial):
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

    def _targets(self, action: ast.QueryAction, catalog: Catalog) -> list[str]:
        if action.query_id is None:
            return list(catalog.queries)
        found = self._find_query(action.query_id, catalog)
        return [] if found is None else [found]

    @staticmethod
    def _find_query(query_id: str, catalog: Catalog) -> str | None:
        if query_id in catalog.queries:
            return query_id
        return next((name for name in catalog.queries if name.upper() == query_id.upper()), None)

    def _find_push(self, query_id: str) -> str | None:
        return next((name for name in self.queries.handles if name.upper() == query_id.upper()), None)

    def _check_action(self, action: ast.QueryAction, text: str, catalog: Catalog) -> None:
        if action.query_id is None or self._find_query(action.query_id, catalog) is not None:
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
                request.entities.append(self._show(statement, text, request))
            case ast.Describe():
                request.entities.append(await self._describe(statement, text))
            case ast.Explain():
                request.entities.append(self._explain(statement, text, request))
            case ast.AssertTopic():
                request.entities.append(await self._assert_topic(statement, text))
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
        source = _source_of(effect)
        retention = await self._retention(effect)
        shown = texts.stored_text(parsed, _without(trial, self.catalog), source, retention)
        if isinstance(effect, effects.Warned):
            return {"@type": "warning_entity", "statementText": parsed.text, "message": effect.message, "warnings": []}
        if isinstance(effect, effects.Started) and effect.replaces is not None:
            await self.runtime.replace_prepare(effect.replaces)
        await self._stated(self._make_topics(trial, before, source, retention, _replicas(parsed.statement)), parsed)
        self._adopt(trial)
        if not isinstance(effect, effects.Altered):
            self._store_text(effect, shown)
        try:
            await self._carry_out(effect)
        except KsqlError:
            self._undo(effect)
            raise
        self._log(parsed.text, request.properties, source)
        query_id = effect.query.id if isinstance(effect, effects.Started) else None
        if query_id is not None:
            self.overrides[query_id] = dict(request.properties)
        entity = commands.current_status(
            shown,
            commands.command_id(parsed.statement),
            commands.success_message(effect),
            self.sequence,
            query_id,
        )
        self.statuses[str(entity["commandId"])] = dict(entity["commandStatus"])  # type: ignore[call-overload]
        return entity

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

    def _store_text(self, effect: effects.Effect, shown: str) -> None:
        source = _source_of(effect)
        if isinstance(effect, effects.Started):
            self.texts[effect.query.id] = shown
            if not effect.creates:
                return
        if source is not None and source.name in self.catalog.metastore.sources:
            self.catalog.metastore.put(replace(source, statement=shown))

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

    # ------------------------------------------------------------------------------------------ queries

    async def _act(self, action: ast.QueryAction, text: str) -> Entity:
        self._check_action(action, text, self.catalog)
        targets = self._targets(action, self.catalog)
        if not targets and action.query_id is not None:
            push = self._find_push(action.query_id)
            assert push is not None
            if action.action == "TERMINATE":
                await self.queries.close(push)
                return listings.answer("terminate_query", text, queryId=push, wasTerminated=True)
        for query_id in targets:
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
        command = commands.command_id(action)
        entity = commands.current_status(text, command, f"Query {done}.", self.sequence)
        self.statuses[command] = dict(entity["commandStatus"])  # type: ignore[call-overload]
        return entity

    def infos(self) -> dict[str, QueryInfo]:
        """Persistent queries, newest first, then push queries."""
        found = {
            query_id: QueryInfo(
                query_id,
                self.texts.get(query_id, persistent.query.statement),
                "PERSISTENT",
                persistent.state,
                persistent.query.plan,
                persistent.query.sink,
                persistent.error,
            )
            for query_id, persistent in reversed(self.runtime.queries.items())
            if not persistent.query.materializes
        }
        return found | self.queries.infos

    # ------------------------------------------------------------------------------------------ listings

    def _show(self, show: ast.Show, text: str, request: Request) -> Entity:
        what = ast.Listing
        sources = sorted(self.catalog.metastore.sources.values(), key=lambda s: s.name)
        match show.what:
            case what.TOPICS:
                found = [(name, count, self.replicas.get(name, 1)) for name, count in self.catalog.topics.items()]
                return listings.topics(text, found, show.all_topics, show.extended)
            case what.STREAMS | what.TABLES:
                chosen = [s for s in sources if s.is_table == (show.what is what.TABLES)]
                if show.extended:
                    return self._descriptions(text, chosen, extended=True)
                name = "tables" if show.what is what.TABLES else "streams"
                return listings.answer(name, text, **{name: [describe.source_entity(s) for s in chosen]})
            case what.QUERIES:
                infos = self.infos().values()
                if show.extended:
                    shown = [describe.query_description(q, self.host, {}, q.text) for q in infos]
                    return listings.answer("query_descriptions", text, queryDescriptions=shown)
                return listings.answer("queries", text, queries=[describe.query_entity(q) for q in infos])
            case what.TYPES:
                return listings.types(text, self.catalog.metastore.types)
            case what.VARIABLES:
                return listings.variables(text, request.variables)
            case what.PROPERTIES:
                return listings.properties(text, self.catalog.properties, request.properties)
            case what.FUNCTIONS:
                return listings.functions(text, self.catalog.functions)
            case _:
                raise _no_connect(text)

    def _descriptions(self, text: str, sources: list[Source], extended: bool) -> Entity:
        infos = self.infos()
        shown = [describe.source_description(s, self.catalog, infos, extended) for s in sources]
        return listings.answer("source_descriptions", text, sourceDescriptions=shown)

    async def _describe(self, statement: ast.Describe, text: str) -> Entity:
        match statement.what:
            case "SOURCE":
                source = self.catalog.metastore.source(statement.name)
                if source is None:
                    hint = did_you_mean(statement.name, self.catalog)
                    raise StatementError(f"Could not find STREAM/TABLE '{statement.name}' in the Metastore{hint}", text)
                offsets = await self.runtime.offset_summaries(source.name) if statement.extended else []
                shown = describe.source_description(source, self.catalog, self.infos(), statement.extended, offsets)
                return listings.answer("sourceDescription", text, sourceDescription=shown)
            case "STREAMS" | "TABLES":
                tables = statement.what == "TABLES"
                found = sorted(self.catalog.metastore.sources.values(), key=lambda s: s.name)
                return self._descriptions(text, [s for s in found if s.is_table == tables], statement.extended)
            case "FUNCTION":
                return listings.describe_function(text, self.catalog.functions, statement.name)
            case _:
                raise _no_connect(text)

    def _explain(self, explain: ast.Explain, text: str, request: Request) -> Entity:
        if explain.query_id is not None:
            query_id = self._find_query(explain.query_id, self.catalog)  # push queries are not known to EXPLAIN
            found = None if query_id is None else self.infos().get(query_id)
            if found is None:
                raise StatementError(f"Query with id:{explain.query_id} does not exist, use SHOW QUERIES to view the "
                                     "full set of queries.", text)  # fmt: skip
            properties = self.overrides.get(found.id, {})
            shown = describe.query_description(found, self.host, properties, found.text)
            return listings.answer("queryDescription", text, queryDescription=shown)
        assert explain.statement is not None
        parsed = ast.ParsedStatement(explain.statement, text)
        explained = _EXPLAIN.sub("", text)
        seen = self.catalog.copy().with_properties(request.properties)
        with wrap_errors(parsed, seen):
            info = self._explained(parsed, seen)
        shown = describe.query_description(info, self.host, request.properties, explained)
        return listings.answer("queryDescription", text, queryDescription=shown)

    def _explained(self, parsed: ast.ParsedStatement, seen: Catalog) -> QueryInfo:
        match parsed.statement:
            case ast.Query() as query:
                plan = QueryPlanner(query, seen, None).plan()
                query_id = f"transient_{plan.sources[0].name}_{random.getrandbits(63)}"
                return QueryInfo(query_id, parsed.text, "PUSH", "", plan)
            case ast.CreateAsSelect() | ast.InsertInto():
                effect = effects.apply(parsed, seen, self.sequence + 1, seen.properties)
                assert isinstance(effect, effects.Started)
                made = effect.query
                return QueryInfo(made.id, parsed.text, "PERSISTENT", "", made.plan, made.sink)
            case _:
                raise KsqlError("The provided statement does not run a ksql query")

    async def _assert_topic(self, statement: ast.AssertTopic, text: str) -> Entity:
        """Wait until the topic is as asserted, at most for the statement's TIMEOUT (a second without)."""
        loop = asyncio.get_running_loop()
        end = loop.time() + (1000 if statement.timeout is None else statement.timeout.ms) / 1000
        while (problem := self._topic_differs(statement)) is not None:
            if loop.time() >= end:
                raise AssertionFailed(problem)
            await asyncio.sleep(0.1)
            await self.refresh_topics()
        return listings.answer("assert_topic", text, topicName=statement.topic, exists=statement.exists)

    def _topic_differs(self, statement: ast.AssertTopic) -> str | None:
        name = statement.topic
        if (name in self.catalog.topics) != statement.exists:
            return f"Topic {name} {'does not exist' if statement.exists else 'exists'}"
        if not statement.exists:
            return None
        known = {"PARTITIONS": self.catalog.topics[name], "REPLICAS": self.replicas.get(name, 1)}
        for config, wanted in statement.properties:
            got = known.get(config)
            if isinstance(wanted, ast.IntegerLiteral) and wanted.value != got:
                difference = f"For config {config.lower()}, expected {wanted.value} got {got}"
                return f"Mismatched configuration for topic {name}: {difference}"
        return None

    # ------------------------------------------------------------------------------------------ recovery

    async def recover(self) -> None:
        """Replay the command log on the catalog, make missing topics again and start the queries that are left."""
        await self.refresh_topics()
        if self.command_log is None:
            return
        paused: set[str] = set()
        for command in self.command_log.read():
            self.sequence = command.sequence
            try:
                await self._replay(command, paused)
            except KsqlError as error:
                log.error("a statement of the command log no longer runs: %s: %s", command.statement, error)
        for query in list(self.catalog.queries.values()):
            try:
                await self.runtime.start_query(query, query.id in paused)
            except KsqlError as error:
                log.error("query %s could not be resumed: %s", query.id, error)

    async def _replay(self, command: Command, paused: set[str]) -> None:
        for name, count in command.topics.items():
            if name not in self.catalog.topics:
                await self.topics.create(name, count, {})
                self.catalog.topics[name] = count
        for parsed in parse(command.statement):
            statement = parsed.statement
            if isinstance(statement, ast.QueryAction):
                for query_id in self._targets(statement, self.catalog):
                    _replay_action(statement.action, query_id, self.catalog, paused)
                continue
            seen = self.catalog.with_properties(command.properties)
            before = self.catalog.copy()
            effect = effects.apply(parsed, seen, command.sequence - 1, seen.properties)
            if not isinstance(effect, effects.Altered):
                self._store_text(effect, texts.stored_text(parsed, before, _source_of(effect)))


class _Stopped(Exception):
    """A statement that is refused, with the catalog it was checked against."""

    def __init__(self, error: KsqlError, parsed: ast.ParsedStatement, catalog: Catalog) -> None:
        super().__init__(str(error))
        self.error = error
        self.parsed = parsed
        self.catalog = catalog


class AssertionFailed(KsqlError):
    error_code = 41700


def _replay_action(action: str, query_id: str, catalog: Catalog, paused: set[str]) -> None:
    if action == "TERMINATE":
        effects.end(query_id, catalog)
    elif action == "PAUSE":
        paused.add(query_id)
    else:
        paused.discard(query_id)


def _without(trial: Catalog, catalog: Catalog) -> Catalog:
    """The catalog as it was, with the topics the statement named (for the text of the statement)."""
    before = catalog.copy()
    before.topics = dict(trial.topics)
    return before


def _source_of(effect: effects.Effect) -> Source | None:
    match effect:
        case effects.Created(source=source) | effects.Altered(source=source):
            return source
        case effects.Started(query=query):
            return query.sink
        case _:
            return None


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


def _no_connect(text: str) -> StatementError:
    return NotSupported("Connectors are not supported by this engine: it has no Kafka Connect.", text)
