"""Can the formats of a source hold its schema? Asked of the codecs themselves."""

from __future__ import annotations

from collections.abc import Sequence

from ksqldb.engine.errors import KsqlError
from ksqldb.engine.formats import Codec, key_codec, value_codec
from ksqldb.engine.metastore import Column, FormatInfo, Source
from ksqldb.engine.types import ArrayType, MapType, SqlType, StructType, quote


def contains_map(sql_type: SqlType) -> bool:
    match sql_type:
        case MapType():
            return True
        case ArrayType():
            return contains_map(sql_type.element)
        case StructType():
            return any(contains_map(f.type) for f in sql_type.fields)
        case _:
            return False


def _pairs(columns: Sequence[Column]) -> list[tuple[str, SqlType]]:
    return [(c.name, c.type) for c in columns]


def source_key_codec(source: Source) -> Codec:
    return build_key_codec(source.key_format, source.schema.key)


def source_value_codec(source: Source) -> Codec:
    return build_value_codec(source.value_format, source.schema.value, source.wrap_value)


def build_key_codec(info: FormatInfo, columns: Sequence[Column]) -> Codec:
    return key_codec(info.name, _pairs(columns), dict(info.properties))


def build_value_codec(info: FormatInfo, columns: Sequence[Column], wrap: bool | None) -> Codec:
    properties: dict[str, object] = dict(info.properties)
    if wrap is not None:
        properties["wrap_single"] = wrap
    return value_codec(info.name, _pairs(columns), properties)


def check_key(info: FormatInfo, columns: Sequence[Column]) -> None:
    for column in columns:
        if contains_map(column.type):
            raise KsqlError(
                "Map keys, including types that contain maps, are not supported as they may lead to unexpected "
                f"behavior due to inconsistent serialization. Key column name: {quote(column.name)}. "
                f"Column type: {column.type}. See https://github.com/confluentinc/ksql/issues/6621 for more."
            )
    try:
        build_key_codec(info, columns)
    except KsqlError as error:
        listed = ", ".join(map(str, columns))
        features = "UNWRAP_SINGLES" if len(columns) == 1 and info.name in ("JSON", "PROTOBUF_NOSR") else ""
        raise KsqlError(
            f"Key format does not support schema.\nformat: {info.name}\n"
            f"schema: Persistence{{columns=[{listed}], features=[{features}]}}\nreason: {error}"
        ) from error


def check_value(info: FormatInfo, columns: Sequence[Column], wrap: bool | None) -> None:
    try:
        build_value_codec(info, columns, wrap)
    except KsqlError as error:
        listed = ", ".join(map(str, columns))
        features = "" if wrap is None else ("WRAP_SINGLES" if wrap else "UNWRAP_SINGLES")
        raise KsqlError(
            f"Value format does not support schema.\nformat: {info.name}\n"
            f"schema: Persistence{{columns=[{listed}], features=[{features}]}}\nreason: {error}"
        ) from error


def check_formats(source: Source) -> None:
    check_key(source.key_format, source.schema.key)
    check_value(source.value_format, source.schema.value, source.wrap_value)
