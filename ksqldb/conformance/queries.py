"""Runs the cases of query-validation: statements, inputs, and what the sink topics must then hold."""

from __future__ import annotations

import base64
import re
from typing import Any

from ksqldb.conformance import serde
from ksqldb.conformance.cases import Case
from ksqldb.conformance.compare import Mismatch, compare_value, wrapped_key, wrapped_value
from ksqldb.engine import ast
from ksqldb.engine.analyse.catalog import Catalog
from ksqldb.engine.analyse.ddl import resolve_type
from ksqldb.engine.errors import KsqlError, ParseFailed, ServerError, StatementError
from ksqldb.engine.functions import REGISTRY
from ksqldb.engine.functions.trial import with_trial_functions
from ksqldb.engine.metastore import Source
from ksqldb.engine.parse import parse
from ksqldb.engine.plan.internal_topics import internal_topics
from ksqldb.engine.run.io import RawRecord
from ksqldb.engine.run.local import LocalEngine
from ksqldb.engine.types import SqlType

_SERVICE = "some.ksql.service.id"  # of ksqlDB's own harness
# ksqlDB's harness runs on Kafka Streams before 3.5; a 0.29.0 server was seen with a later one.
HARNESS = {"ksql.streams.upgrade.from": "3.4"}
FUNCTIONS = with_trial_functions(REGISTRY)
_EXCEPTIONS: dict[str, tuple[type[KsqlError], ...]] = {
    "ParseFailedException": (ParseFailed,),
    "KsqlStatementException": (KsqlError,),
    "KsqlException": (KsqlError,),
    "KsqlFunctionException": (KsqlError,),
    "StreamsException": (ServerError,),
}


def run_case(case: Case) -> None:
    """Raises Mismatch (or an engine error that the case does not expect)."""
    expected = case.data.get("expectedException")
    properties = HARNESS | {name: property_text(value) for name, value in case.properties.items()}
    engine = LocalEngine(properties, functions=FUNCTIONS)
    make_topics(case, engine)
    if expected is None:
        _run(case, engine)
        return
    try:
        _run(case, engine, failing=True)
    except KsqlError as error:
        _check_error(error, expected)
        return
    raise Mismatch(f"expected {expected.get('type')}: {expected.get('message')}, but nothing failed")


def make_topics(case: Case, engine: LocalEngine) -> None:
    """Topics the case describes or expects exist before, with 4 partitions unless something says otherwise."""
    topics = engine.catalog.topics
    declared = {}
    for sql in case.statements:
        match = re.search(r"PARTITIONS\s*=\s*(\d+)", sql, re.IGNORECASE)
        name = re.search(r"KAFKA_TOPIC\s*=\s*'([^']*)'", sql, re.IGNORECASE)
        if match and name:
            declared[name.group(1)] = int(match.group(1))
    for output in case.data.get("outputs", ()):
        topics[output["topic"]] = declared.get(output["topic"], 4)
    for topic in case.data.get("topics", ()):
        topics[topic["name"]] = int(topic.get("partitions", 4))


def property_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _check_error(error: KsqlError, expected: dict[str, Any]) -> None:
    kind = str(expected.get("type", "")).rsplit(".", 1)[-1]
    classes = _EXCEPTIONS.get(kind, (KsqlError,))
    message = expected.get("message")
    texts = [str(error)]
    if isinstance(error, StatementError):
        texts += [error.unlogged, f"{error}\nStatement: {error.statement}"]
    if not isinstance(error, classes):
        raise Mismatch(f"expected {kind}, got {type(error).__name__}: {error}")
    if message is not None and not any(message in text for text in texts):
        raise Mismatch(f"expected an error with {message!r}, got {texts[0]!r}")


def _run(case: Case, engine: LocalEngine, failing: bool = False) -> None:
    statements = case.statements
    for index, sql in enumerate(statements):
        try:
            engine.execute("\n" * index + sql)
        except KsqlError as error:
            if failing and index < len(statements) - 1:
                raise Mismatch(f"statement {index + 1} of {len(statements)} failed, not the last: {error}") from error
            raise
    if not failing and not engine.catalog.queries:
        raise Mismatch("the statements start no query")
    put_inputs(case, engine)
    engine.run()
    check_outputs(case, engine)
    _check_post(case, engine.catalog)


def source_of(topic: str, catalog: Catalog) -> Source:
    found = [s for s in catalog.metastore.sources.values() if s.topic == topic]
    if not found:
        raise Mismatch(f"no source has the topic {topic}")
    return next((s for s in found if s.query_id is not None), found[0])


def put_inputs(case: Case, engine: LocalEngine) -> None:
    for record in case.data.get("inputs", ()):
        source = source_of(record["topic"], engine.catalog)
        headers = tuple((h["KEY"], _header(h["VALUE"])) for h in record.get("headers") or ())
        engine.put(
            record["topic"],
            RawRecord(
                serde.encode_key(source, record.get("key"), record.get("window")),
                serde.encode_value(source, record["value"]),
                int(record.get("timestamp", 0)),
                0,
                headers,
            ),
        )


def _header(value: str | None) -> bytes | None:
    return None if value is None else base64.b64decode(value)


def check_outputs(case: Case, engine: LocalEngine) -> None:
    outputs = case.data.get("outputs", ())
    if not outputs and not case.is_rest:
        _check_silence(engine)
    tolerance = None
    if case.properties.get("use.exact.numeric.comparison") in (False, "false"):
        tolerance = 1e-6
    for topic in dict.fromkeys(o["topic"] for o in outputs):
        expected = [o for o in outputs if o["topic"] == topic]
        actual = engine.topic(topic)
        source = source_of(topic, engine.catalog)
        for index, (want, got) in enumerate(zip(expected, actual, strict=False)):
            _check_record(want, got, source, f"{topic}[{index}]", tolerance)
        if len(expected) != len(actual):
            extra = actual[len(expected) :][:1]
            shown = [(serde.decode_key(source, r.key), serde.decode_value(source, r.value)) for r in extra]
            raise Mismatch(f"{topic}: expected {len(expected)} records, got {len(actual)}; first surplus: {shown}")


def _check_silence(engine: LocalEngine) -> None:
    """A case that expects no outputs wants its last query to give none."""
    query = list(engine.catalog.queries.values())[-1]
    if engine.topic(query.sink.topic):
        raise Mismatch(f"{query.sink.topic}: expected no records, got {len(engine.topic(query.sink.topic))}")


def _check_record(want: dict[str, Any], got: RawRecord, source: Source, place: str, tolerance: float | None) -> None:
    key, window = serde.decode_key(source, got.key)
    value = serde.decode_value(source, got.value)
    wanted_key = want.get("key")
    if source.key_format.name == "DELIMITED" and wanted_key is not None:
        wanted_key = serde.text_of(wanted_key)
    compare_value(wanted_key, key, source.schema.key, wrapped_key(source), f"{place} key", tolerance)
    wanted = want["value"]
    if source.value_format.name == "DELIMITED" and wanted is not None:
        wanted = serde.text_of(wanted)
    compare_value(wanted, value, source.schema.value, wrapped_value(source), f"{place} value", tolerance)
    given = want.get("window")
    wanted_window = None if given is None else (int(given["start"]), int(given["end"]), given["type"])
    if wanted_window is not None and wanted_window[2] == "TIME":
        wanted_window = (*wanted_window[:2], "time")
    if wanted_window != window:
        raise Mismatch(f"{place}: expected window {wanted_window}, got {window}")
    if "timestamp" in want and want["timestamp"] is not None and int(want["timestamp"]) != got.timestamp:
        raise Mismatch(f"{place}: expected timestamp {want['timestamp']}, got {got.timestamp}")
    if want.get("headers"):
        headers = [(h["KEY"], _header(h["VALUE"])) for h in want["headers"]]
        if headers != list(got.headers):
            raise Mismatch(f"{place}: expected headers {headers}, got {list(got.headers)}")


def _check_post(case: Case, catalog: Catalog) -> None:
    post = case.data.get("post") or {}
    for want in post.get("sources", ()):
        source = catalog.metastore.source(want["name"])
        if source is None:
            raise Mismatch(f"post: there is no source {want['name']}")
        _check_source(want, source, catalog)
    topics = post.get("topics") or {}
    created = [name for q in catalog.queries.values() for name in (q.sink.topic, *internal_topics(q, _SERVICE))]
    if "blacklist" in topics:
        banned = re.compile(topics["blacklist"])
        for name in created:
            if banned.fullmatch(name):
                raise Mismatch(f"post: topic {name} was created, which {topics['blacklist']} forbids")
    for want in topics.get("topics", ()):
        _check_topic(want, created, catalog)


def _check_topic(want: dict[str, Any], created: list[str], catalog: Catalog) -> None:
    name = want["name"]
    source = next((s for s in catalog.metastore.sources.values() if s.topic == name), None)
    if name not in created and source is None:
        raise Mismatch(f"post: there is no topic {name}, only {created}")
    if "partitions" in want and catalog.partitions(name) != int(want["partitions"]):
        raise Mismatch(f"post: topic {name} has {catalog.partitions(name)} partitions")
    if source is not None:
        _check_formats(want, source)


def _check_formats(want: dict[str, Any], source: Source) -> None:
    key = want.get("keyFormat")
    if key is not None:
        window = source.window
        actual = {
            "format": source.key_format.name,
            "windowType": None if window is None else window.kind.value,
            "windowSize": None if window is None else window.size_ms,
        }
        for name, value in key.items():
            if name in actual and actual[name] != value:
                raise Mismatch(f"post: {source.name} key {name}: expected {value}, got {actual[name]}")
    value_format = want.get("valueFormat")
    if value_format is not None:
        name = value_format["format"] if isinstance(value_format, dict) else value_format
        if name != source.value_format.name:
            raise Mismatch(f"post: {source.name} value format: expected {name}, got {source.value_format.name}")


def _check_source(want: dict[str, Any], source: Source, catalog: Catalog) -> None:
    if "type" in want and want["type"].lower() != source.type_name:
        raise Mismatch(f"post: {source.name} is a {source.type_name}, expected a {want['type']}")
    _check_formats(want, source)
    if "schema" in want:
        expected = _columns(want["schema"], catalog)
        actual = [(c.name, c.type, c.namespace.value == "KEY") for c in source.schema]
        if expected != actual:
            raise Mismatch(f"post: {source.name} schema: expected {want['schema']}, got {source.schema}")
    if "isSource" in want and (str(want["isSource"]).lower() == "true") != source.is_source:
        raise Mismatch(f"post: {source.name} isSource: expected {want['isSource']}, got {source.is_source}")
    for side, actual_features in (("keyFeatures", []), ("valueFeatures", _features(source))):
        if side in want and side == "valueFeatures" and list(want[side]) != actual_features:
            raise Mismatch(f"post: {source.name} {side}: expected {want[side]}, got {actual_features}")


def _features(source: Source) -> list[str]:
    if source.wrap_value is None:
        return []
    return ["WRAP_SINGLES" if source.wrap_value else "UNWRAP_SINGLES"]


def _columns(schema: str, catalog: Catalog) -> list[tuple[str, SqlType, bool]]:
    text = re.sub(r"PRIMARY KEY", "KEY", schema)
    statement = parse(f"CREATE STREAM X ({text}) WITH (KAFKA_TOPIC='x');")[0].statement
    assert isinstance(statement, ast.CreateSource)
    return [(c.name, resolve_type(c.type, catalog), c.kind is ast.ColumnKind.KEY) for c in statement.columns]
