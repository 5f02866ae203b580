"""Columns and types as entities show them."""

from __future__ import annotations

from ksqldb.engine.metastore import Column, Namespace, Schema
from ksqldb.engine.types import ArrayType, DecimalType, MapType, SqlType, StructType

Entity = dict[str, object]


def type_entity(sql_type: SqlType) -> Entity:
    shown: Entity = {"type": sql_type.base.value, "fields": None, "memberSchema": None}
    match sql_type:
        case DecimalType():
            shown["parameters"] = {"precision": sql_type.precision, "scale": sql_type.scale}
        case ArrayType():
            shown["memberSchema"] = type_entity(sql_type.element)
        case MapType():
            shown["memberSchema"] = type_entity(sql_type.value)
        case StructType():
            shown["fields"] = [{"name": f.name, "schema": type_entity(f.type)} for f in sql_type.fields]
    return shown


def value_entity(column: Column) -> Entity:
    """A column without what it is in its source."""
    return {"name": column.name, "schema": type_entity(column.type)}


def field_entity(column: Column) -> Entity:
    shown = value_entity(column)
    if column.namespace is Namespace.KEY:
        shown["type"] = "KEY"
    elif column.namespace is Namespace.HEADERS:
        shown["type"] = "HEADER"
        shown["headerKey"] = column.header_key
    return shown


def fields(schema: Schema) -> list[Entity]:
    return [field_entity(column) for column in schema]
