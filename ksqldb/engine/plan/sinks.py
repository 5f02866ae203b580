"""CREATE ... AS SELECT and INSERT INTO: the sink a query makes or the one it must fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ksqldb.engine import ast
from ksqldb.engine.analyse.catalog import Catalog
from ksqldb.engine.analyse.ddl import check_timestamp, did_you_mean, location, refuse_registry_formats
from ksqldb.engine.analyse.ddl import wrap_single_value as wrapping
from ksqldb.engine.analyse.names import PreparationError
from ksqldb.engine.analyse.properties import WithProperties, check, known_format
from ksqldb.engine.analyse.serdes import check_formats
from ksqldb.engine.ast import SourceKind
from ksqldb.engine.errors import KsqlError
from ksqldb.engine.functions.registry import Registry
from ksqldb.engine.metastore import FormatInfo, Schema, Source
from ksqldb.engine.plan.compiled import checked_plan
from ksqldb.engine.plan.planner import QueryPlanner
from ksqldb.engine.plan.query import PersistentQuery
from ksqldb.engine.plan.steps import QueryPlan, SinkStep, source_step
from ksqldb.engine.types import Base, DecimalType, SqlType, quote

_INHERITED = {"DELIMITED": ("delimiter",), "PROTOBUF_NOSR": ("nullableRepresentation",)}
_WIDENS = {Base.INTEGER: 0, Base.BIGINT: 1, Base.DECIMAL: 2, Base.DOUBLE: 3}


def create_as(
    statement: ast.CreateAsSelect, text: str, catalog: Catalog, query_id: str, properties: Mapping[str, str]
) -> PersistentQuery | str:
    """The query and its sink; or the warning of IF NOT EXISTS. Records the sink's topic in the catalog."""
    given = check(statement.properties, source=False)
    noun = statement.kind.value.lower()
    existing = catalog.metastore.source(statement.name)
    if existing is not None and statement.if_not_exists:
        return f"Cannot add {noun} {quote(statement.name)}: A {existing.type_name} with the same name already exists."
    if existing is not None and statement.or_replace and existing.is_source:
        raise KsqlError(f"Cannot add {noun} '{statement.name}': CREATE OR REPLACE is not supported on source {noun}s.")
    query = statement.query
    if query.limit is not None:
        raise KsqlError(f"CREATE {statement.kind.value} AS SELECT statements don't support LIMIT clause.")
    if query.emit is None:
        query = replace(query, emit=ast.Refinement.CHANGES)
    planner = QueryPlanner(query, catalog, statement.name)
    planner.timestamp = given.timestamp
    plan = planner.plan()
    kind = SourceKind.TABLE if plan.output.is_table else SourceKind.STREAM
    if existing is not None and not statement.or_replace:
        raise KsqlError(
            f"Cannot add {noun} '{statement.name}': A {existing.type_name} with the same name already exists"
        )
    key_format, value_format = _sink_formats(given, planner, plan, catalog)
    if kind is not statement.kind:
        raise KsqlError(
            f"Invalid result type. Your SELECT query produces a {kind.value}. "
            f"Please use CREATE {kind.value} AS SELECT statement instead."
        )
    topic = given.topic or (catalog.property("ksql.output.topic.name.prefix") or "") + statement.name
    schema = plan.columns
    check_timestamp(given.timestamp, schema)
    sink = Source(
        statement.kind,
        statement.name,
        schema,
        topic,
        key_format,
        value_format,
        plan.window,
        given.timestamp,
        wrapping(given, value_format, schema, catalog),
        statement=text,
        query_id=query_id,
        properties=tuple((k, str(v)) for k, v in given.values.items()),
    )
    check_formats(sink)
    checked_plan(plan)
    _record_topic(sink, given, planner, catalog)
    return PersistentQuery(query_id, _into(plan, sink), sink, text, properties)


def _into(plan: QueryPlan, sink: Source) -> QueryPlan:
    return replace(plan, output=SinkStep(plan.output, sink.topic, sink, sink.timestamp))


def _record_topic(sink: Source, given: WithProperties, planner: QueryPlanner, catalog: Catalog) -> None:
    partitions = given.number("PARTITIONS")
    if sink.topic not in catalog.topics and partitions is None:
        partitions = catalog.partitions(planner.from_.source.topic)
    catalog.ensure_topic(sink.topic, partitions, sink.type_name)


def _sink_formats(
    given: WithProperties, planner: QueryPlanner, plan: QueryPlan, catalog: Catalog
) -> tuple[FormatInfo, FormatInfo]:
    source = planner.from_.source
    partition_by = planner.clauses.partition_by
    keyless = len(partition_by) == 1 and isinstance(partition_by[0], ast.NullLiteral)
    explicit_key = given.key_format
    if keyless:
        if explicit_key not in (None, "NONE"):
            raise KsqlError("Key format specified for stream without key columns.")
        key_name = "NONE"
    else:
        key_name = explicit_key or source.key_format.name
        if explicit_key is None and key_name == "NONE" and plan.columns.key:
            key_name = catalog.property("ksql.persistence.default.format.key") or "KAFKA"
    key_name, value_name = known_format(key_name), known_format(given.value_format or source.value_format.name)
    refuse_registry_formats(key_name, value_name)
    return (
        _inherit(given.format_info("KEY", key_name), source.key_format),
        _inherit(given.format_info("VALUE", value_name), source.value_format),
    )


def _inherit(info: FormatInfo, source: FormatInfo) -> FormatInfo:
    """A sink in its source's format takes over the format's properties it does not set itself."""
    if info.name != source.name:
        return info
    merged = {k: v for k, v in source.properties if k in _INHERITED.get(info.name, ())}
    merged.update(info.properties)
    return FormatInfo(info.name, tuple(merged.items()))


def insert_into(
    statement: ast.InsertInto, text: str, catalog: Catalog, query_id: str, properties: Mapping[str, str]
) -> PersistentQuery:
    target = catalog.metastore.source(statement.target)
    if target is None:
        at = statement.at
        place = "" if at is None else f"Line: {at.line}, Col: {at.column + len('INSERT INTO') + 1}: "
        raise PreparationError(
            f"{place or location(statement)}Source {quote(statement.target)} does not exist."
            f"{did_you_mean(statement.target, catalog)}"
        )
    if target.is_table:
        raise PreparationError(f"INSERT INTO can only be used to insert into a stream. {target.name} is a table.")
    if target.schema.headers:
        raise KsqlError(f"Cannot insert into {target.name} because it has header columns")
    if target.is_source:
        raise KsqlError(f"Cannot insert into read-only {target.type_name}: {target.name}")
    query = statement.query
    if query.emit is None:
        query = replace(query, emit=ast.Refinement.CHANGES)
    if query.limit is not None:
        raise KsqlError("INSERT INTO statements don't support LIMIT clause.")
    planner = QueryPlanner(query, catalog, target.name, target.schema)
    plan = planner.plan()
    if plan.output.is_table:
        raise KsqlError("INSERT INTO can only be used to insert into a stream. The SELECT produces a table.")
    if (plan.window is None) != (target.window is None):
        raise KsqlError("Into can't change windowing")
    if not compatible(plan.columns, target.schema):
        raise KsqlError(
            "Incompatible schema between results and sink.\n"
            f"Result schema is {plan.columns}\nSink schema is {target.schema}"
        )
    return PersistentQuery(query_id, _into(checked_plan(plan), target), target, text, properties)


def compatible(result: Schema, sink: Schema) -> bool:
    """Same names and key columns in the same order, each type the sink's or silently widened to it."""
    return len(result.columns) == len(sink.columns) and all(
        r.name == s.name and r.namespace is s.namespace and widens(r.type, s.type)
        for r, s in zip(result.columns, sink.columns, strict=True)
    )


def widens(source: SqlType, target: SqlType) -> bool:
    """Whether a value of one type goes into another without a CAST."""
    if source == target:
        return True
    if source.base not in _WIDENS or target.base not in _WIDENS:
        return False
    if isinstance(target, DecimalType):
        digits = {Base.INTEGER: (10, 0), Base.BIGINT: (19, 0)}.get(source.base)
        if isinstance(source, DecimalType):
            digits = (source.precision, source.scale)
        if digits is None:
            return False
        return digits[1] <= target.scale and digits[0] - digits[1] <= target.precision - target.scale
    return _WIDENS[source.base] < _WIDENS[target.base]


def source_table_query(
    source: Source, query_id: str, properties: Mapping[str, str], functions: Registry
) -> PersistentQuery:
    """The query that keeps a CREATE SOURCE TABLE materialised."""
    step = source_step(source, source.name, ())
    plan = QueryPlan(step, (source,), source.schema, source.window, functions)
    return PersistentQuery(query_id, plan, source, source.statement, properties, materializes=True)
