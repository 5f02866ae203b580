"""The engine on a list of records, without Kafka: for rule tests, backtests and the conformance runner.

Every topic has one partition. Statements run first, then records are put, then ``run`` feeds every persistent query, in
the order they were made, with its sources' records one at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from ksqldb.engine import ast
from ksqldb.engine.analyse.catalog import Catalog
from ksqldb.engine.analyse.names import PreparationError, UnknownQualifier
from ksqldb.engine.analyse.properties import PropertyError
from ksqldb.engine.errors import KsqlError, ParseFailed, StatementError, told
from ksqldb.engine.functions import REGISTRY
from ksqldb.engine.functions.registry import Registry
from ksqldb.engine.parse import format_statement, parse
from ksqldb.engine.plan.compiled import checked_plan
from ksqldb.engine.plan.planner import QueryPlanner
from ksqldb.engine.plan.pull import StreamPull, plan_pull
from ksqldb.engine.plan.query import PersistentQuery
from ksqldb.engine.plan.sanitize import sanitized
from ksqldb.engine.plan.statements import Effect, Inserted, Started, apply
from ksqldb.engine.plan.steps import QueryPlan, SinkStep
from ksqldb.engine.run.io import Headers, RawRecord, SinkWriter, SourceReader
from ksqldb.engine.run.partitioner import partition_of
from ksqldb.engine.run.pull import pull_rows
from ksqldb.engine.run.records import Batch, ProcessingError, Report
from ksqldb.engine.run.result_rows import ResultRows, columns_of
from ksqldb.engine.run.results import Column, QueryKind, Row
from ksqldb.engine.run.tables import Rows
from ksqldb.engine.run.topology import Environment, Topology


@dataclass(frozen=True, slots=True)
class TopicRecord:
    topic: str
    record: RawRecord
    partition: int = 0


@dataclass(frozen=True, slots=True)
class Selected:
    """The answer to a SELECT; ``limit_reached`` where a push query ended by its LIMIT."""

    query_id: str
    kind: QueryKind
    columns: list[Column]
    rows: list[Row]
    limit_reached: bool = False


@contextmanager
def wrap_errors(parsed: ast.ParsedStatement, catalog: Catalog) -> Iterator[None]:
    """Errors become StatementErrors with ksqlDB's prefixes, and the statement behind the message."""
    try:
        yield
    except ParseFailed:
        raise
    except StatementError as error:
        if error.statement == parsed.text:
            raise
        raise StatementError(told(error), error.statement) from error
    except (PropertyError, UnknownQualifier) as error:
        raise ParseFailed(f"Failed to prepare statement: {error}", parsed.text, 0, 0) from error
    except PreparationError as error:
        raise StatementError(f"Exception while preparing statement: {error}", parsed.text) from error
    except KsqlError as error:
        if error.error_code != KsqlError.error_code:
            raise
        text = statement_text(parsed, catalog)
        raise StatementError(str(error), parsed.text, unlogged=f"{error}\nStatement: {text}") from error


def checked(
    parsed: ast.ParsedStatement, catalog: Catalog, number: int, properties: Mapping[str, str], now_ms: int = 0
) -> Effect:
    """Apply a statement, with errors as ``wrap_errors`` gives them."""
    with wrap_errors(parsed, catalog):
        return apply(parsed, catalog, number, properties, now_ms)


def statement_text(parsed: ast.ParsedStatement, catalog: Catalog) -> str:
    """A statement as ksqlDB shows it: references qualified and select items named, reformatted."""
    try:
        return format_statement(sanitized(parsed.statement, catalog))
    except KsqlError:
        return parsed.text


class LocalEngine:
    """``spread``: records go to the partitions of their keys; else every topic has partition 0 alone."""

    def __init__(
        self,
        properties: Mapping[str, str] | None = None,
        partitions: int = 4,
        functions: Registry = REGISTRY,
        spread: bool = False,
    ) -> None:
        self.properties = dict(properties or {})
        self.catalog = Catalog(functions=functions, properties=self.properties, default_partitions=partitions)
        self.records: list[TopicRecord] = []
        self.errors: list[ProcessingError] = []
        self.views: dict[str, Rows] = {}  # query id -> the rows it keeps
        self.number = 0
        self.spread = spread

    def execute(self, sql: str) -> list[Effect]:
        """Run statements; raises KsqlError for the first that cannot be."""
        return [self._execute(parsed) for parsed in parse(sql)]

    def _execute(self, parsed: ast.ParsedStatement) -> Effect:
        trial = self.catalog.copy()
        effect = checked(parsed, trial, self.number, self.properties)
        self.number += isinstance(effect, Started)
        self.catalog = trial
        if isinstance(effect, Inserted):
            row = effect.row
            self.put(row.topic, RawRecord(row.key, row.value, row.timestamp, 0))
        return effect

    def put(self, topic: str, record: RawRecord) -> None:
        """Append a record to a topic."""
        self._put(topic, record, record.key)

    def _put(self, topic: str, record: RawRecord, placing: bytes | None) -> None:
        count = self.catalog.partitions(topic) or 1
        partition = partition_of(placing, count) if self.spread and placing is not None else 0
        self.records.append(TopicRecord(topic, record, partition))

    def topic(self, name: str) -> list[RawRecord]:
        return [r.record for r in self.records if r.topic == name]

    def run(self) -> None:
        """Feed every persistent query once with everything its sources hold."""
        given = {r.topic for r in self.records}
        for query in list(self.catalog.queries.values()):
            self._run_query(query, given)

    def _run_query(self, query: PersistentQuery, given: set[str]) -> None:
        reports = self._report_for(query.id)
        topology = Topology(query.plan, self._environment(query.plan, query.properties, reports), True)
        if topology.view is not None:
            self.views[query.id] = topology.view
        output = query.plan.output
        writer = SinkWriter(query.sink, output.timestamp, reports) if isinstance(output, SinkStep) else None

        def write(records: Batch, headers: Headers) -> bool:
            if writer is not None:
                for plain, key, value, ts in writer.write_batch(records):
                    self._put(query.sink.topic, RawRecord(key, value, ts, 0, headers), plain)
            return True

        self._feed(topology, given, reports, write)

    def _environment(self, plan: QueryPlan, properties: Mapping[str, str], report: Report) -> Environment:
        count = max(self.catalog.partitions(s.topic) or 1 for s in plan.sources) if self.spread else None
        return Environment(report, partitions=count, properties=properties)

    def _feed(
        self, topology: Topology, given: set[str], report: Report, take: Callable[[Batch, Headers], bool]
    ) -> None:
        """Records of the topics that were ``given`` in their order, then those other queries wrote, topic by topic.
        ``take`` gets what each record gives and tells whether to go on."""
        throws = self.properties.get("ksql.timestamp.throw.on.invalid", "").lower() == "true"
        readers = [(SourceReader(e.step, e.wanted, report, throws), e) for e in topology.entries]
        names = list(dict.fromkeys(reader.source.topic for reader, _ in readers))
        fed = [r for r in self.records if r.topic in names and r.topic in given]
        for name in names:
            if name not in given:
                fed += [r for r in self.records if r.topic == name]
        offsets: Counter[tuple[str, int]] = Counter()
        for item in fed:
            place = (item.topic, item.partition)
            raw = replace(item.record, offset=offsets[place])
            offsets[place] += 1
            for reader, entry in readers:
                if reader.source.topic == item.topic:
                    record = reader.read(raw, item.partition)
                    if record is not None:
                        topology.push(entry, [record], item.partition)
            for _, batch in topology.take():
                if not take(batch, raw.headers):
                    return

    def select(self, sql: str) -> Selected:
        """One SELECT: a push query gets everything its sources hold, up to its LIMIT. ``run`` comes first."""
        (parsed,) = parse(sql)
        query = parsed.statement
        assert isinstance(query, ast.Query)
        with wrap_errors(parsed, self.catalog):
            if query.emit is not None:
                plan = checked_plan(QueryPlanner(query, self.catalog, None).plan())
                scalable = self.catalog.flag("ksql.query.push.v2.enabled")
                kind: QueryKind = "scalable_push" if scalable else "push"
                return self._select_rows(plan, kind)
            pull = plan_pull(query, self.catalog)
            if isinstance(pull, StreamPull):
                return self._select_rows(checked_plan(pull.plan), "pull_stream")
            rows = pull_rows(pull, self.views[pull.query_id], self._report_for("pull"))
            columns = columns_of(pull.columns, mark_keys=True)
            return Selected("query_1", "pull_table", columns, [Row(row) for row in rows])

    def _select_rows(self, plan: QueryPlan, kind: QueryKind) -> Selected:
        report = self._report_for("select")
        topology = Topology(plan, self._environment(plan, self.properties, report))
        rows = ResultRows(plan)

        def take(records: Batch, headers: Headers) -> bool:
            rows.add(records)
            return not rows.limit_reached

        if plan.limit != 0:
            self._feed(topology, {r.topic for r in self.records}, report, take)
        prefix = "SCALABLE_PUSH_QUERY" if kind == "scalable_push" else "transient"
        reached = rows.limit_reached or plan.limit == 0
        columns = columns_of(plan.columns, mark_keys=False)
        return Selected(f"{prefix}_{plan.sources[0].name}_1", kind, columns, rows.rows, reached)

    def _report_for(self, query_id: str) -> Report:
        def report(step: str, message: str, record: object) -> None:
            self.errors.append(ProcessingError(query_id, step, message, repr(record)))

        return report
