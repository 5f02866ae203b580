"""Statements as the server shows them: reformatted, with the properties it filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ksqldb.engine import ast
from ksqldb.engine.analyse.catalog import Catalog
from ksqldb.engine.analyse.ddl import resolve_type
from ksqldb.engine.errors import KsqlError
from ksqldb.engine.kafka.topics import DEFAULT_RETENTION_MS
from ksqldb.engine.metastore import Source
from ksqldb.engine.parse import format_statement
from ksqldb.engine.plan.sanitize import sanitized


def stored_text(
    parsed: ast.ParsedStatement, catalog: Catalog, source: Source | None, retention_ms: int = DEFAULT_RETENTION_MS
) -> str:
    """The text of a statement as it is stored; INSERT INTO stays as written. ``retention_ms``: of a new sink."""
    statement = parsed.statement
    try:
        if isinstance(statement, ast.CreateAsSelect) and source is not None:
            spelled = sanitized(statement, catalog)
            assert isinstance(spelled, ast.CreateAsSelect)
            return format_statement(with_sink_topic(spelled, catalog, retention_ms))
        if isinstance(statement, ast.CreateSource) and source is not None:
            resolved = replace(statement, columns=tuple(_resolved(c, catalog) for c in statement.columns))
            return format_statement(filled_source(resolved, cleanup_policy(source)))
        if isinstance(statement, ast.DropSource) and statement.delete_topic:
            return format_statement(replace(statement, delete_topic=False))
    except KsqlError:
        return parsed.text
    return parsed.text


def _resolved(column: ast.ColumnDef, catalog: Catalog) -> ast.ColumnDef:
    """A column with its custom types spelled out."""
    return replace(column, type=replace(column.type, known=resolve_type(column.type, catalog)))


def filled_source(statement: ast.CreateSource, policy: str | None) -> ast.CreateSource:
    """A CREATE over a topic with the properties the server fills in; its clean-up policy comes last."""
    given = dict(statement.properties)
    if policy is not None:
        given.setdefault("CLEANUP_POLICY", ast.StringLiteral(policy))
    if "FORMAT" not in given:
        given.setdefault("KEY_FORMAT", ast.StringLiteral("KAFKA"))
    return replace(statement, properties=_sorted(given))


def with_sink_topic(statement: ast.CreateAsSelect, catalog: Catalog, retention_ms: int) -> ast.CreateAsSelect:
    """A CREATE AS SELECT with its topic's properties: the first source's partitions and retention, unless given."""
    given = dict(statement.properties)
    prefix = catalog.property("ksql.output.topic.name.prefix") or ""
    topic = given.setdefault("KAFKA_TOPIC", ast.StringLiteral(prefix + statement.name))
    first = catalog.metastore.source(statement.query.source.first.name)
    known = catalog.partitions(topic.value) if isinstance(topic, ast.StringLiteral) else None
    partitions = known or (None if first is None else catalog.partitions(first.topic)) or 1
    given.setdefault("CLEANUP_POLICY", ast.StringLiteral(cleanup_policy_of(statement)))
    given.setdefault("PARTITIONS", ast.IntegerLiteral(partitions))
    given.setdefault("REPLICAS", ast.IntegerLiteral(1))
    given.setdefault("RETENTION_MS", ast.IntegerLiteral(retention_ms))
    return replace(statement, properties=_sorted(given))


def _sorted(properties: Mapping[str, ast.Expression]) -> ast.Properties:
    return tuple(sorted(properties.items()))


def cleanup_policy(source: Source) -> str:
    if not source.is_table:
        return "delete"
    return "compact" if source.window is None else "compact,delete"


def cleanup_policy_of(statement: ast.CreateSource | ast.CreateAsSelect) -> str:
    """The policy of the topic that a statement would make."""
    if statement.kind is ast.SourceKind.STREAM:
        return "delete"
    if isinstance(statement, ast.CreateAsSelect):
        return "compact" if statement.query.window is None else "compact,delete"
    return "compact,delete" if "WINDOW_TYPE" in dict(statement.properties) else "compact"
