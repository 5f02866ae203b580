"""What a statement changes: checked against a catalog and applied to it, without any I/O.

The engine carries an effect out on Kafka; the conformance runner and the validation of a body of statements only need
the catalog.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ksqldb.engine import ast
from ksqldb.engine.analyse import ddl
from ksqldb.engine.analyse.catalog import Catalog
from ksqldb.engine.analyse.inserts import InsertedRow, insert_values
from ksqldb.engine.analyse.replace import check_replace_source
from ksqldb.engine.errors import KsqlError
from ksqldb.engine.metastore import Source
from ksqldb.engine.plan.query import PersistentQuery
from ksqldb.engine.plan.sinks import create_as, insert_into, source_table_query
from ksqldb.engine.plan.upgrades import check_upgrade


@dataclass(frozen=True, slots=True)
class Created:
    """A source over a topic; a CREATE SOURCE TABLE comes with the query that keeps it."""

    source: Source
    query: PersistentQuery | None = None
    replaced: bool = False


@dataclass(frozen=True, slots=True)
class Started:
    """A persistent query; ``replaces`` is the id of the one it takes over from. ``creates``: its sink is new."""

    query: PersistentQuery
    creates: bool
    replaces: str | None = None


@dataclass(frozen=True, slots=True)
class Altered:
    source: Source


@dataclass(frozen=True, slots=True)
class Dropped:
    """``source`` None: nothing of that name. ``ended``: queries that end with it."""

    source: Source | None
    name: str
    delete_topic: bool = False
    ended: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TypeCreated:
    name: str
    message: str


@dataclass(frozen=True, slots=True)
class TypeDropped:
    name: str
    message: str


@dataclass(frozen=True, slots=True)
class Warned:
    """IF NOT EXISTS of what exists."""

    message: str


@dataclass(frozen=True, slots=True)
class Inserted:
    row: InsertedRow


Effect = Created | Started | Altered | Dropped | TypeCreated | TypeDropped | Warned | Inserted


def apply(
    parsed: ast.ParsedStatement, catalog: Catalog, number: int, properties: Mapping[str, str], now_ms: int = 0
) -> Effect:
    """Check a statement that changes the catalog or writes rows, and apply it. ``number`` names new queries.

    Raises KsqlError; the catalog may then hold the topic of the failed statement, so give it a copy to try.
    """
    statement, text = parsed.statement, parsed.text
    match statement:
        case ast.CreateSource():
            return _create(statement, text, catalog, number, properties)
        case ast.CreateAsSelect():
            return _create_as(statement, text, catalog, number, properties)
        case ast.InsertInto():
            given = dict(statement.properties).get("QUERY_ID")
            query_id = given.value.upper() if isinstance(given, ast.StringLiteral) else f"INSERTQUERY_{number}"
            if query_id in catalog.queries:
                raise KsqlError(f"Query ID '{query_id}' already exists.")
            query = insert_into(statement, text, catalog, query_id, properties)
            start(query, catalog)
            return Started(query, creates=False)
        case ast.InsertValues():
            return Inserted(insert_values(statement, catalog, now_ms))
        case ast.AlterSource():
            source = ddl.alter_source(statement, text, catalog)
            catalog.metastore.put(source)
            return Altered(source)
        case ast.DropSource():
            return _drop(statement, catalog)
        case ast.CreateType():
            return _create_type(statement, catalog)
        case ast.DropType():
            return _drop_type(statement, catalog)
        case _:
            raise KsqlError(f"Cannot apply {type(statement).__name__}")


def start(query: PersistentQuery, catalog: Catalog) -> None:
    """Record a query as running."""
    catalog.queries[query.id] = query
    writes = None if query.materializes else query.sink.name
    catalog.metastore.link(query.id, query.source_names, writes)


def end(query_id: str, catalog: Catalog) -> None:
    """Record a query's end; its sink stays."""
    del catalog.queries[query_id]
    catalog.metastore.unlink(query_id)


def _create(
    statement: ast.CreateSource, text: str, catalog: Catalog, number: int, properties: Mapping[str, str]
) -> Effect:
    existing = catalog.metastore.source(statement.name)
    made = ddl.create_source(statement, text, catalog)
    if isinstance(made, str):
        return Warned(made)
    if existing is not None and statement.or_replace:
        check_replace_source(existing, made)
    catalog.metastore.put(made)
    query = None
    if made.is_source and made.is_table:
        query = source_table_query(made, f"CST_{made.name}_{number}", properties, catalog.functions)
        start(query, catalog)
    return Created(made, query, existing is not None)


def _create_as(
    statement: ast.CreateAsSelect, text: str, catalog: Catalog, number: int, properties: Mapping[str, str]
) -> Effect:
    existing = catalog.metastore.source(statement.name)
    prefix = "CTAS" if statement.kind is ast.SourceKind.TABLE else "CSAS"
    query_id = f"{prefix}_{statement.name.upper()}_{number}"
    replaces: str | None = None
    if existing is not None and statement.or_replace and existing.query_id in catalog.queries:
        replaces = existing.query_id
        query_id = existing.query_id
    made = create_as(statement, text, catalog, query_id, properties)
    if isinstance(made, str):
        return Warned(made)
    if existing is not None and statement.or_replace:
        check_replace_source(existing, made.sink)
        if replaces is not None:
            check_upgrade(catalog.queries[replaces].plan.output, made.plan.output)
            end(replaces, catalog)
    catalog.metastore.put(made.sink)
    catalog.metastore.made_from[made.sink.name] = made.source_names
    start(made, catalog)
    return Started(made, creates=True, replaces=replaces)


def _drop(statement: ast.DropSource, catalog: Catalog) -> Effect:
    source = ddl.drop_source(statement, catalog)
    if source is None:
        return Dropped(None, statement.name)
    store = catalog.metastore
    own = source.query_id
    ended = {q for q in (own,) if q is not None and q in catalog.queries}
    ended |= {q for q in store.readers.get(source.name, ()) if q in catalog.queries and catalog.queries[q].materializes}
    creators = {s.query_id for s in store.sources.values()}
    readers = sorted(q for q in store.readers.get(source.name, set()) - ended if q not in creators)
    writers = sorted(store.writers.get(source.name, set()) - ended)
    if readers or writers:
        raise KsqlError(
            f"Cannot drop {source.name}.\nThe following queries read from this source: [{', '.join(readers)}].\n"
            f"The following queries write into this source: [{', '.join(writers)}].\n"
            f"You need to terminate them before dropping {source.name}."
        )
    made = store.made_of(source.name)
    if made:
        raise KsqlError(
            f"Cannot drop {source.name}.\nThe following streams and/or tables read from this source: "
            f"[{', '.join(made)}].\nYou need to drop them before dropping {source.name}."
        )
    if statement.delete_topic:
        sharing = [s.name for s in store.sources.values() if s.topic == source.topic and s.name != source.name]
        if sharing:
            raise KsqlError(
                f"Refusing to delete topic. Found other data sources ({', '.join(sharing)}) using topic {source.topic}"
            )
    for query_id in ended:
        end(query_id, catalog)
    store.drop(source.name)
    if statement.delete_topic:
        catalog.topics.pop(source.topic, None)
    return Dropped(source, statement.name, statement.delete_topic, tuple(sorted(ended)))


def _create_type(statement: ast.CreateType, catalog: Catalog) -> Effect:
    sql_type = ddl.resolve_type(statement.type, catalog)
    types = catalog.metastore.types
    if statement.name in types:
        message = f"Cannot register custom type '{statement.name}' since it is already registered with type: " + str(
            types[statement.name]
        )
        if statement.if_not_exists:
            return TypeCreated(
                statement.name, f"{statement.name} is already registered with type {types[statement.name]}"
            )
        raise KsqlError(message)
    types[statement.name] = sql_type
    return TypeCreated(statement.name, f"Registered custom type with name '{statement.name}' and SQL type {sql_type}")


def _drop_type(statement: ast.DropType, catalog: Catalog) -> Effect:
    types = catalog.metastore.types
    if statement.name not in types:
        if statement.if_exists:
            return TypeDropped(statement.name, f"Type '{statement.name}' does not exist")
        raise KsqlError(f"Type {statement.name} does not exist.")
    del types[statement.name]
    return TypeDropped(statement.name, f"Dropped type '{statement.name}'")
