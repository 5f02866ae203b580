"""The engine on a list of records, without Kafka: for rule tests, backtests and the conformance runner.

Every topic has one partition. Statements run first, then records are put, then ``run`` feeds every persistent query, in
the order they were made, with its sources' records one at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
from ksqldb.engine.plan.query import PersistentQuery
from ksqldb.engine.plan.sanitize import sanitized
from ksqldb.engine.plan.statements import Effect, Inserted, apply
from ksqldb.engine.plan.steps import SinkStep
from ksqldb.engine.run.io import Headers, RawRecord, SinkWriter, SourceReader
from ksqldb.engine.run.records import ProcessingError, Report
from ksqldb.engine.run.topology import Environment, Topology


@dataclass(frozen=True, slots=True)
class TopicRecord:
    topic: str
    record: RawRecord


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
    def __init__(
        self,
        properties: Mapping[str, str] | None = None,
        partitions: int = 4,
        functions: Registry = REGISTRY,
    ) -> None:
        self.properties = dict(properties or {})
        self.catalog = Catalog(functions=functions, properties=self.properties, default_partitions=partitions)
        self.records: list[TopicRecord] = []
        self.errors: list[ProcessingError] = []
        self.number = 0

    def execute(self, sql: str) -> list[Effect]:
        """Run statements; raises KsqlError for the first that cannot be."""
        return [self._execute(parsed) for parsed in parse(sql)]

    def _execute(self, parsed: ast.ParsedStatement) -> Effect:
        self.number += 1
        trial = self.catalog.copy()
        effect = checked(parsed, trial, self.number, self.properties)
        self.catalog = trial
        if isinstance(effect, Inserted):
            row = effect.row
            self.put(row.topic, RawRecord(row.key, row.value, row.timestamp, 0))
        return effect

    def put(self, topic: str, record: RawRecord) -> None:
        self.records.append(TopicRecord(topic, record))

    def topic(self, name: str) -> list[RawRecord]:
        return [r.record for r in self.records if r.topic == name]

    def run(self) -> None:
        """Feed every persistent query once with everything its sources hold."""
        given = {r.topic for r in self.records}
        for query in list(self.catalog.queries.values()):
            self._run_query(query, given)

    def _run_query(self, query: PersistentQuery, given: set[str]) -> None:
        output = query.plan.output
        if not isinstance(output, SinkStep):
            return
        reports = self._report_for(query)
        environment = Environment(reports, properties=query.properties)
        topology = Topology(query.plan, environment)
        throws = self.properties.get("ksql.timestamp.throw.on.invalid", "").lower() == "true"
        readers = [(SourceReader(e.step, e.wanted, reports, throws), e) for e in topology.entries]
        writer = SinkWriter(query.sink, output.timestamp, reports)
        names = list(dict.fromkeys(reader.source.topic for reader, _ in readers))
        fed = [r for r in self.records if r.topic in names and r.topic in given]
        for name in names:
            if name not in given:
                fed += [r for r in self.records if r.topic == name]
        offsets = dict.fromkeys(names, 0)
        for item in fed:
            raw = replace(item.record, offset=offsets[item.topic])
            offsets[item.topic] += 1
            for reader, entry in readers:
                if reader.source.topic != item.topic:
                    continue
                record = reader.read(raw, 0)
                if record is not None:
                    topology.push(entry, [record], 0)
            self._write(topology, writer, query.sink.topic, raw.headers)

    def _write(self, topology: Topology, writer: SinkWriter, topic: str, headers: Headers) -> None:
        """What the record at hand gave, with its headers."""
        for _, batch in topology.take():
            for record in batch:
                encoded = writer.write(record)
                if encoded is not None:
                    self.put(topic, RawRecord(*encoded, 0, headers))

    def _report_for(self, query: PersistentQuery) -> Report:
        def report(step: str, message: str, record: object) -> None:
            self.errors.append(ProcessingError(query.id, step, message, repr(record)))

        return report
