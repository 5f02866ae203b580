"""Statements that only ask: SHOW, DESCRIBE, EXPLAIN and ASSERT TOPIC."""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from ksqldb.engine import ast
from ksqldb.engine.analyse.catalog import Catalog
from ksqldb.engine.analyse.ddl import did_you_mean
from ksqldb.engine.entities import describe as describing
from ksqldb.engine.entities import listings
from ksqldb.engine.entities.describe import QueryInfo
from ksqldb.engine.entities.schemas import Entity
from ksqldb.engine.errors import KsqlError, NotSupported, StatementError
from ksqldb.engine.kafka.queries import Queries
from ksqldb.engine.kafka.runtime import Runtime
from ksqldb.engine.metastore import Source
from ksqldb.engine.plan import statements as effects
from ksqldb.engine.plan.compiled import checked_plan
from ksqldb.engine.plan.planner import QueryPlanner
from ksqldb.engine.run.local import wrap_errors

_EXPLAIN = re.compile(r"^\s*EXPLAIN\s+", re.I)


class Inspector:
    """``texts``: query id -> its statement as shown; ``overrides``: query id -> the properties its request came with;
    ``replicas``: of the topics there are. Whoever changes something keeps them up to date."""

    def __init__(self, catalog: Catalog, runtime: Runtime, queries: Queries, host: str) -> None:
        self.catalog = catalog
        self.runtime = runtime
        self.queries = queries
        self.host = host
        self.texts: dict[str, str] = {}
        self.overrides: dict[str, dict[str, object]] = {}
        self.replicas: dict[str, int] = {}

    def infos(self) -> dict[str, QueryInfo]:
        """Persistent queries, newest first, then push queries."""
        found = {
            query_id: QueryInfo(
                query_id,
                self.texts.get(query_id, persistent.query.statement),
                "PERSISTENT",
                persistent.state,
                persistent.query.plan,
                None if persistent.query.materializes else persistent.query.sink,
                persistent.error,
            )
            for query_id, persistent in reversed(self.runtime.queries.items())
        }
        return found | self.queries.infos

    def remember(self, effect: effects.Effect, shown: str) -> None:
        """Keep a statement as it is shown, with the query and the source it made."""
        source = source_of(effect)
        if isinstance(effect, effects.Started):
            self.texts[effect.query.id] = shown
            if not effect.creates:
                return
        if source is not None and source.name in self.catalog.metastore.sources:
            self.catalog.metastore.put(replace(source, statement=shown))

    def show(self, show: ast.Show, text: str, properties: Mapping[str, object], variables: Mapping[str, str]) -> Entity:
        what = ast.Listing
        sources = sorted(self.catalog.metastore.sources.values(), key=lambda s: s.name)
        match show.what:
            case what.TOPICS:
                found = [(name, count, self.replicas.get(name, 1)) for name, count in self.catalog.topics.items()]
                return listings.topics(text, found, show.all_topics, self._groups() if show.extended else None)
            case what.STREAMS | what.TABLES:
                chosen = [s for s in sources if s.is_table == (show.what is what.TABLES)]
                if show.extended:
                    return self._descriptions(text, chosen, extended=True)
                name = "tables" if show.what is what.TABLES else "streams"
                return listings.answer(name, text, **{name: [describing.source_entity(s) for s in chosen]})
            case what.QUERIES:
                infos = self.infos().values()
                if show.extended:
                    shown = [describing.query_description(q, self.host, {}, q.text) for q in infos]
                    return listings.answer("query_descriptions", text, queryDescriptions=shown)
                return listings.answer("queries", text, queries=[describing.query_entity(q) for q in infos])
            case what.TYPES:
                return listings.types(text, self.catalog.metastore.types)
            case what.VARIABLES:
                return listings.variables(text, variables)
            case what.PROPERTIES:
                return listings.properties(text, self.catalog.properties, properties)
            case what.FUNCTIONS:
                return listings.functions(text, self.catalog.functions)
            case _:
                raise _no_connect(text)

    def _groups(self) -> Counter[str]:
        """How many running queries read each topic: each is a consumer group of its own."""
        running = [info for info in self.infos().values() if info.state == "RUNNING"]
        return Counter(topic for info in running for topic in {source.topic for source in info.plan.sources})

    def _descriptions(self, text: str, sources: list[Source], extended: bool) -> Entity:
        infos = self.infos()
        shown = [describing.source_description(s, self.catalog, infos, extended) for s in sources]
        return listings.answer("source_descriptions", text, sourceDescriptions=shown)

    async def describe(self, statement: ast.Describe, text: str) -> Entity:
        match statement.what:
            case "SOURCE":
                source = self.catalog.metastore.source(statement.name)
                if source is None:
                    hint = did_you_mean(statement.name, self.catalog)
                    raise StatementError(f"Could not find STREAM/TABLE '{statement.name}' in the Metastore{hint}", text)
                offsets = await self.runtime.offset_summaries(source.name) if statement.extended else []
                shown = describing.source_description(source, self.catalog, self.infos(), statement.extended, offsets)
                return listings.answer("sourceDescription", text, sourceDescription=shown)
            case "STREAMS" | "TABLES":
                tables = statement.what == "TABLES"
                found = sorted(self.catalog.metastore.sources.values(), key=lambda s: s.name)
                return self._descriptions(text, [s for s in found if s.is_table == tables], statement.extended)
            case "FUNCTION":
                return listings.describe_function(text, self.catalog.functions, statement.name)
            case _:
                raise _no_connect(text)

    def explain(self, explain: ast.Explain, text: str, properties: Mapping[str, object], number: int) -> Entity:
        """``number`` would name the query if it were started."""
        if explain.query_id is not None:
            query_id = find_query(explain.query_id, self.catalog)  # push queries are not known to EXPLAIN
            found = None if query_id is None else self.infos().get(query_id)
            if found is None:
                raise StatementError(f"Query with id:{explain.query_id} does not exist, use SHOW QUERIES to view the "
                                     "full set of queries.", text)  # fmt: skip
            given = self.overrides.get(found.id, {})
            shown = describing.query_description(found, self.host, given, found.text)
            return listings.answer("queryDescription", text, queryDescription=shown)
        assert explain.statement is not None
        parsed = ast.ParsedStatement(explain.statement, text)
        explained = _EXPLAIN.sub("", text)
        seen = self.catalog.copy().with_properties(properties)
        with wrap_errors(parsed, seen):
            info = _explained(parsed, seen, number)
        shown = describing.query_description(info, self.host, properties, explained)
        return listings.answer("queryDescription", text, queryDescription=shown)

    async def assert_topic(
        self, statement: ast.AssertTopic, text: str, refresh: Callable[[], Awaitable[None]]
    ) -> Entity:
        """Wait until the topic is as asserted, at most for the statement's TIMEOUT (a second without)."""
        loop = asyncio.get_running_loop()
        end = loop.time() + (1000 if statement.timeout is None else statement.timeout.ms) / 1000
        while (problem := self._topic_differs(statement)) is not None:
            if loop.time() >= end:
                raise AssertionFailed(problem)
            await asyncio.sleep(0.1)
            await refresh()
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


def find_query(query_id: str, catalog: Catalog) -> str | None:
    """A persistent query's id, whatever the case it was written in."""
    if query_id in catalog.queries:
        return query_id
    return next((name for name in catalog.queries if name.upper() == query_id.upper()), None)


def targets(action: ast.QueryAction, catalog: Catalog) -> list[str]:
    """The persistent queries that a TERMINATE, PAUSE or RESUME means."""
    if action.query_id is None:
        return list(catalog.queries)
    found = find_query(action.query_id, catalog)
    return [] if found is None else [found]


def source_of(effect: effects.Effect) -> Source | None:
    """The source that a statement made, changed or writes."""
    match effect:
        case effects.Created(source=source) | effects.Altered(source=source):
            return source
        case effects.Started(query=query):
            return query.sink
        case _:
            return None


def _explained(parsed: ast.ParsedStatement, seen: Catalog, number: int) -> QueryInfo:
    match parsed.statement:
        case ast.Query() as query:
            plan = checked_plan(QueryPlanner(query, seen, None).plan())
            query_id = f"transient_{plan.sources[0].name}_{random.getrandbits(63)}"
            return QueryInfo(query_id, parsed.text, "PUSH", "", plan)
        case ast.CreateAsSelect() | ast.InsertInto():
            effect = effects.apply(parsed, seen, number, seen.properties)
            assert isinstance(effect, effects.Started)
            made = effect.query
            return QueryInfo(made.id, parsed.text, "PERSISTENT", "", made.plan, made.sink)
        case _:
            raise KsqlError("The provided statement does not run a ksql query")


class AssertionFailed(KsqlError):
    error_code = 41700


def _no_connect(text: str) -> StatementError:
    return NotSupported("Connectors are not supported by this engine: it has no Kafka Connect.", text)
