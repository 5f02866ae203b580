"""CREATE, ALTER and DROP of sources and types."""

from __future__ import annotations

from dataclasses import replace

from ksqldb.engine import ast
from ksqldb.engine.analyse.catalog import Catalog
from ksqldb.engine.analyse.properties import REGISTRY_FORMATS, WithProperties, check, known_format
from ksqldb.engine.analyse.serdes import check_formats
from ksqldb.engine.ast import ColumnKind, SourceKind, TypeRef
from ksqldb.engine.errors import KsqlError, ParseFailed
from ksqldb.engine.metastore import Column, FormatInfo, Namespace, Schema, Source, TimestampColumn, is_system_column
from ksqldb.engine.types import BIGINT, BYTES, STRING, TIMESTAMP, ArrayType, Field, MapType, SqlType, StructType, quote

_HEADERS_TYPE = ArrayType(StructType((Field("KEY", STRING), Field("VALUE", BYTES))))


def resolve_type(ref: TypeRef, catalog: Catalog) -> SqlType:
    """A type as written, with custom types looked up; KsqlError where one is unknown."""
    if ref.known is not None:
        return ref.known
    shape = ref.shape
    if shape is None:
        raise KsqlError(f"Cannot resolve unknown type: {ref.text}")
    args = [resolve_type(arg, catalog) for arg in shape.args]
    match shape.name:
        case "ARRAY":
            return ArrayType(args[0])
        case "MAP":
            return MapType(args[0], args[1])
        case "STRUCT":
            return StructType(tuple(Field(n, t) for n, t in zip(shape.field_names, args, strict=True)))
        case name:
            known = catalog.metastore.types.get(name)
            if known is None:
                raise KsqlError(f"Cannot resolve unknown type: {name}")
            return known


def location(node: ast.Node) -> str:
    """``Line: 2, Col: 13: `` as ksqlDB starts messages about a place; empty where it is unknown."""
    return "" if node.at is None else f"Line: {node.at.line}, Col: {node.at.column}: "


def _column(definition: ast.ColumnDef, catalog: Catalog) -> Column:
    sql_type = resolve_type(definition.type, catalog)
    match definition.kind:
        case ColumnKind.KEY | ColumnKind.PRIMARY_KEY:
            return Column(definition.name, sql_type, Namespace.KEY)
        case ColumnKind.HEADERS:
            if sql_type != _HEADERS_TYPE:
                raise KsqlError(f"Invalid type for HEADERS column: expected {_HEADERS_TYPE}, got {sql_type}")
            return Column(definition.name, sql_type, Namespace.HEADERS)
        case ColumnKind.HEADER:
            if sql_type != BYTES:
                key = definition.header_key
                raise KsqlError(f"Invalid type for HEADER('{key}') column: expected BYTES, got {sql_type}")
            return Column(definition.name, sql_type, Namespace.HEADERS, definition.header_key)
        case _:
            return Column(definition.name, sql_type)


def source_schema(kind: SourceKind, definitions: tuple[ast.ColumnDef, ...], text: str, catalog: Catalog) -> Schema:
    wrong = ColumnKind.KEY if kind is SourceKind.TABLE else ColumnKind.PRIMARY_KEY
    right = ColumnKind.PRIMARY_KEY if kind is SourceKind.TABLE else ColumnKind.KEY
    for definition in definitions:
        if definition.kind is wrong:
            at = definition.at or ast.Position(0, 0)
            raise ParseFailed(
                f"{location(definition)}Column {quote(definition.name)} is a '{wrong.value}' column: "
                f"please use '{right.value}' for {kind.value.lower()}s.\nTables have PRIMARY KEYs, which are unique "
                "and NON NULL.\nStreams have KEYs, which have no uniqueness or NON NULL constraints.",
                quote(definition.name),
                at.line,
                at.column,
            )
    columns = [_column(definition, catalog) for definition in definitions]
    seen: set[str] = set()
    for column in columns:
        if column.name in seen:
            raise KsqlError(f"Duplicate column names: {quote(column.name)}")
        seen.add(column.name)
    header_keys: set[str | None] = set()
    for column in columns:
        if column.namespace is not Namespace.HEADERS:
            continue
        if None in header_keys:
            raise KsqlError("Schema already contains a HEADERS column.")
        if column.header_key is not None and column.header_key in header_keys:
            raise KsqlError(f"Schema already contains a HEADER('{column.header_key}') column.")
        header_keys.add(column.header_key)
    order = {Namespace.KEY: 0, Namespace.VALUE: 1, Namespace.HEADERS: 1}
    return Schema(tuple(sorted(columns, key=lambda c: order[c.namespace])))


def check_timestamp(timestamp: TimestampColumn | None, schema: Schema) -> None:
    if timestamp is None:
        return
    column = schema.find(timestamp.name)
    if column is None:
        raise KsqlError(f"The TIMESTAMP column set in the WITH clause does not exist in the schema: '{timestamp.name}'")
    if column.type == STRING:
        if timestamp.format is None:
            raise KsqlError("A String timestamp field has been specified without also specifying the timestamp_format")
        return
    if timestamp.format is not None:
        raise KsqlError(
            "'TIMESTAMP_FORMAT' set in the WITH clause can only be used when the timestamp column in of type STRING."
        )
    if column.type not in (BIGINT, TIMESTAMP):
        raise KsqlError(
            f"Timestamp column, {quote(column.name)}, should be LONG(INT64), TIMESTAMP, "
            "or a String with a timestamp_format specified."
        )


def source_formats(properties: WithProperties, catalog: Catalog, schema: Schema) -> tuple[FormatInfo, FormatInfo]:
    key_name = properties.key_format
    if key_name is None:
        default = known_format(catalog.property("ksql.persistence.default.format.key") or "KAFKA")
        key_name = default if schema.key else "NONE"
        key_name = default if properties.text("KEY_DELIMITER") is not None else key_name
    value_name = properties.value_format or catalog.property("ksql.persistence.default.format.value")
    if value_name is None:
        raise KsqlError(
            "Statement is missing the 'VALUE_FORMAT' property from the WITH clause. Either provide one or set a "
            "default via the 'ksql.persistence.default.format.value' config."
        )
    key, value = known_format(key_name), known_format(value_name)
    refuse_registry_formats(key, value)
    return properties.format_info("KEY", key), properties.format_info("VALUE", value)


def refuse_registry_formats(*names: str) -> None:
    for name in names:
        if name in REGISTRY_FORMATS:
            raise KsqlError(
                f"Cannot create a source with the '{name}' format: Schema registry is not configured. "
                "KSQL is not configured to use a schema registry. To enable it, please set "
                "ksql.schema.registry.url"
            )


def create_source(statement: ast.CreateSource, text: str, catalog: Catalog) -> Source | str:
    """The source a CREATE describes, its topic recorded in the catalog; or the warning of IF NOT EXISTS."""
    properties = check(statement.properties, source=True)
    kind = statement.kind
    noun = kind.value.lower()
    schema = source_schema(kind, statement.columns, text, catalog)
    if schema.headers and not catalog.flag("ksql.headers.columns.enabled"):
        raise KsqlError(f"Cannot create {noun.capitalize()} because schema with headers columns is disabled.")
    key_format, value_format = source_formats(properties, catalog, schema)
    if not schema.columns:
        raise KsqlError("No columns supplied.")
    existing = catalog.metastore.source(statement.name)
    if statement.or_replace and (statement.is_source or (existing is not None and existing.is_source)):
        raise KsqlError(f"Cannot add {noun} '{statement.name}': CREATE OR REPLACE is not supported on source {noun}s.")
    if existing is not None and statement.if_not_exists:
        return f"Cannot add {noun} {quote(statement.name)}: A {existing.type_name} with the same name already exists."
    for column in schema.columns:
        if is_system_column(column.name):
            raise KsqlError(f"'{column.name}' is a reserved column name. You cannot use it as a name for a column.")
    topic = properties.topic
    assert topic is not None  # check() demands it
    catalog.ensure_topic(topic, properties.number("PARTITIONS"), noun)
    if existing is not None and not statement.or_replace:
        raise KsqlError(
            f"Cannot add {noun} '{statement.name}': A {existing.type_name} with the same name already exists"
        )
    if kind is SourceKind.TABLE and not schema.key:
        raise KsqlError("Tables require a PRIMARY KEY. Please define the PRIMARY KEY.")
    window = properties.window
    if window is not None and not schema.key:
        raise KsqlError("Windowed sources require a key column.")
    check_timestamp(properties.timestamp, schema)
    source = Source(
        kind,
        statement.name,
        schema,
        topic,
        key_format,
        value_format,
        window,
        properties.timestamp,
        wrap_single_value(properties, value_format, schema, catalog),
        is_source=statement.is_source,
        statement=text,
    )
    check_formats(source)
    return source


def wrap_single_value(
    properties: WithProperties, value_format: FormatInfo, schema: Schema, catalog: Catalog
) -> bool | None:
    """WRAP_SINGLE_VALUE as given, or the server's default for one-column values; None = the format's own way."""
    explicit = properties.wrap_single_value
    if explicit is None:
        default = catalog.property("ksql.persistence.wrap.single.values")
        if default is None or len(schema.value) != 1 or value_format.name not in ("JSON", "PROTOBUF_NOSR"):
            return None
        return default.lower() == "true"
    if value_format.name in ("KAFKA", "DELIMITED", "NONE") and explicit:
        raise KsqlError(
            f"Format '{value_format.name}' does not support 'WRAP_SINGLE_VALUE' set to '{str(explicit).lower()}'."
        )
    if len(schema.value) != 1:
        raise KsqlError("'WRAP_SINGLE_VALUE' is only valid for single-field value schemas")
    return explicit


def alter_source(statement: ast.AlterSource, text: str, catalog: Catalog) -> Source:
    source = catalog.metastore.source(statement.name)
    noun = statement.kind.value.lower()
    if source is None:
        raise KsqlError(f"Source {statement.name} does not exist.")
    if source.kind is not statement.kind:
        raise KsqlError(
            f"Incompatible data source type is {source.kind.value}, but statement was ALTER {statement.kind.value}"
        )
    if source.is_source:
        raise KsqlError(
            f"Cannot alter {noun} '{statement.name}': ALTER operations are not supported on source {noun}s."
        )
    if source.query_id is not None:
        raise KsqlError("ALTER command is not supported for CREATE ... AS statements.")
    added = tuple(_column(definition, catalog) for definition in statement.columns)
    for column in added:
        if source.schema.find(column.name) is not None:
            raise KsqlError(
                f"Cannot add column {quote(column.name)} to schema. A column with the same name already exists."
            )
    schema = Schema(source.schema.columns + added)
    altered = replace(source, schema=schema, statement=f"{source.statement}\n{text}")
    check_formats(altered)
    return altered


def drop_source(statement: ast.DropSource, catalog: Catalog, ended: frozenset[str] = frozenset()) -> Source | None:
    """The source to drop; None where IF EXISTS names none. ``ended``: queries that end with it."""
    source = catalog.metastore.source(statement.name)
    noun = statement.kind.value.capitalize()
    if source is None:
        if statement.if_exists:
            return None
        raise KsqlError(f"{noun} {statement.name} does not exist.{did_you_mean(statement.name, catalog)}")
    if source.kind is not statement.kind:
        raise KsqlError(
            f"Incompatible data source type is {source.type_name}, "
            f"but statement was DROP {statement.kind.value.lower()}"
        )
    if statement.delete_topic and source.is_source:
        raise KsqlError(f"Cannot delete topic for read-only source: {source.name}")
    return source


def did_you_mean(name: str, catalog: Catalog) -> str:
    similar = catalog.metastore.similar(name)
    if not similar:
        return ""
    if len(similar) == 1:
        return f'\nDid you mean "{similar[0]}"? Hint: wrap the source name in double quotes to make it case-sensitive.'
    names = " or ".join([", ".join(f'"{n}"' for n in similar[:-1]), f'"{similar[-1]}"'])
    return f"\nDid you mean {names}? Hint: wrap the source name in double quotes to make it case-sensitive."
