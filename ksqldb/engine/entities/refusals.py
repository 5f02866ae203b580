"""How the server words what it refuses: the message's prefix, and the statement that it shows with it.

A statement is checked in stages on a real server, and a refusal tells by its form at which one it was stopped: while
the text was read, while names were looked up, while the properties of its topic were filled in, or while planned.
"""

from __future__ import annotations

import re
from dataclasses import replace

from ksqldb.engine import ast
from ksqldb.engine.analyse.catalog import Catalog
from ksqldb.engine.entities.texts import cleanup_policy_of, filled_source, with_sink_topic
from ksqldb.engine.errors import KsqlError, ParseFailed, ServerError, StatementError
from ksqldb.engine.parse import format_statement
from ksqldb.engine.plan.sanitize import sanitized
from ksqldb.engine.types import quote

_PREPARE = "Failed to prepare statement: "
_SCHEMA = "Could not determine output schema for query due to error: "
_WHILE_PARSING = (
    "Cannot resolve unknown type",
    "Duplicate column names",
    "Invalid type for HEADER",
    "DECIMAL precision must be",
    "Cannot supply both",
    "TUMBLING windows require",
    "HOPPING windows require",
    "'WINDOW_SIZE' should not be set",
)
_BEFORE_TOPICS = ("Statement is missing the",)
_BEFORE_CLEANUP = ("Unknown format", "JSON does not support", "DELIMITED does not support", "KAFKA does not support")
_WITHOUT_STATEMENT = (
    "Query is not upgradeable",
    "Upgrades not yet supported",
    "Cannot insert values into an unknown stream/table",
)
_REGISTRY = re.compile(r"Cannot create a source with the '(\w+)' format")
_LIMIT = "AS SELECT statements don't support LIMIT clause."


def refused(error: KsqlError, parsed: ast.ParsedStatement, catalog: Catalog, retention_ms: int) -> KsqlError:
    """The error as the server words it. ``retention_ms`` is that of the topic a new sink would take it from."""
    statement = parsed.statement
    message = error.message
    if isinstance(error, ServerError):
        return _stated(message, parsed.text, error.error_code)
    if not isinstance(error, StatementError):
        return error
    if message.startswith(_WITHOUT_STATEMENT):
        return KsqlError(message)
    if isinstance(statement, ast.InsertValues):
        return _stated(message, masked(statement))
    if isinstance(error, ParseFailed) or _is_prepared(message):
        return error
    if found := _REGISTRY.match(message):
        return _no_registry(found[1], statement)
    match statement:
        case ast.CreateSource():
            return _source(message, error, parsed, statement)
        case ast.CreateAsSelect():
            return _sink(message, parsed, statement, catalog, retention_ms)
        case _:
            return error


def _no_registry(form: str, statement: ast.Statement) -> KsqlError:
    given = dict(getattr(statement, "properties", ())).get("KAFKA_TOPIC")
    topic = given.value if isinstance(given, ast.StringLiteral) else getattr(statement, "name", "")
    error = KsqlError(
        f"Cannot create topic '{topic}' with format {form} without configuring 'ksql.schema.registry.url'"
    )
    error.error_code = 42801
    return error


def _is_prepared(message: str) -> bool:
    return message.startswith(("Exception while preparing statement: ", _PREPARE))


def _stated(message: str, text: str, code: int = StatementError.error_code) -> StatementError:
    made = StatementError(message, text)
    made.error_code = code
    return made


def _source(message: str, error: StatementError, parsed: ast.ParsedStatement, statement: ast.CreateSource) -> KsqlError:
    if message.startswith(_WHILE_PARSING):
        return _stated(_PREPARE + message, parsed.text)
    if message.startswith(_BEFORE_TOPICS):
        return error
    if message.startswith("Topic '"):
        return KsqlError(message.partition(" For example: ")[0] + " For example: " + _example(statement))
    if message.startswith(_BEFORE_CLEANUP):
        return _stated(message, format_statement(filled_source(statement, None)))
    return _stated(message, format_statement(filled_source(statement, cleanup_policy_of(statement))))


def _example(statement: ast.CreateSource) -> str:
    """The statement with the PARTITIONS it lacks."""
    shown = filled_source(statement, None)
    properties = dict(shown.properties) | {"PARTITIONS": ast.IntegerLiteral(2)}
    return format_statement(replace(shown, properties=tuple(sorted(properties.items()))))


def _sink(
    message: str, parsed: ast.ParsedStatement, statement: ast.CreateAsSelect, catalog: Catalog, retention_ms: int
) -> KsqlError:
    if message.endswith(_LIMIT):
        return _stated(_PREPARE + message, parsed.text)
    if message.startswith("Key format does not support schema"):
        return KsqlError(message)
    try:
        spelled = sanitized(statement, catalog)
    except KsqlError:
        spelled = statement
    assert isinstance(spelled, ast.CreateAsSelect)
    text = format_statement(with_sink_topic(spelled, catalog, retention_ms))
    if message.startswith("Invalid result type"):
        message = f"{message}\nStatement: {text}"
    if message.startswith("Cannot upgrade data source"):
        return _stated(message, text)
    return _stated(_SCHEMA + message, text)


def masked(statement: ast.InsertValues) -> str:
    """INSERT VALUES without its values, which may be secrets."""
    columns = f" ({', '.join(map(quote, statement.columns))})" if statement.columns else ""
    values = ", ".join("'[value]'" for _ in statement.values)
    return f"INSERT INTO {quote(statement.target)}{columns} VALUES ({values});"
