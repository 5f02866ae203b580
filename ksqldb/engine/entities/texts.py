"""Statements as the server shows them: reformatted, with the properties it filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ksqldb.engine import ast
from ksqldb.engine.analyse.catalog import Catalog
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
            return format_statement(
                replace(spelled, properties=_filled(statement.properties, source, catalog, retention_ms))
            )
        if isinstance(statement, ast.CreateSource) and source is not None:
            given = dict(statement.properties)
            given.setdefault("CLEANUP_POLICY", ast.StringLiteral(cleanup_policy(source)))
            given.setdefault("KEY_FORMAT", ast.StringLiteral(source.key_format.name))
            if "FORMAT" in given:
                given.pop("KEY_FORMAT")
            return format_statement(replace(statement, properties=_sorted(given)))
        if isinstance(statement, ast.DropSource):
            return format_statement(replace(statement, delete_topic=False))
    except KsqlError:
        return parsed.text
    return parsed.text


def _filled(properties: ast.Properties, source: Source, catalog: Catalog, retention_ms: int) -> ast.Properties:
    given = dict(properties)
    given.setdefault("CLEANUP_POLICY", ast.StringLiteral(cleanup_policy(source)))
    given.setdefault("KAFKA_TOPIC", ast.StringLiteral(source.topic))
    given.setdefault("PARTITIONS", ast.IntegerLiteral(catalog.partitions(source.topic) or 1))
    given.setdefault("REPLICAS", ast.IntegerLiteral(1))
    given.setdefault("RETENTION_MS", ast.IntegerLiteral(retention_ms))
    return _sorted(given)


def _sorted(properties: Mapping[str, ast.Expression]) -> ast.Properties:
    return tuple(sorted(properties.items()))


def cleanup_policy(source: Source) -> str:
    if not source.is_table:
        return "delete"
    return "compact" if source.window is None else "compact,delete"
