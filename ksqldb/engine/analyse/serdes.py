"""Can the formats of a source hold its schema? Asked of the codecs themselves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ksqldb.engine.errors import KsqlError
from ksqldb.engine.formats import Codec, key_codec, value_codec
from ksqldb.engine.metastore import Column, FormatInfo, Source
from ksqldb.engine.types import ArrayType, Base, MapType, SqlType, StructType, quote

_STRUCTURED = frozenset({Base.ARRAY, Base.MAP, Base.STRUCT})
_UNSUPPORTED = {
    "DELIMITED": _STRUCTURED,
    "KAFKA": _STRUCTURED | {Base.BOOLEAN, Base.DECIMAL, Base.DATE, Base.TIME, Base.TIMESTAMP},
}


def kafka_can_hold(columns: Sequence[Column]) -> bool:
    return len(columns) == 1 and columns[0].type.base not in _UNSUPPORTED["KAFKA"]


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


def source_value_codec(source: Source, wanted: Iterable[str] | None = None) -> Codec:
    return build_value_codec(source.value_format, source.schema.value, source.wrap_value, wanted)


def build_key_codec(info: FormatInfo, columns: Sequence[Column]) -> Codec:
    if not columns:
        return key_codec("NONE", ())
    return key_codec(info.name, _pairs(columns), _properties(info, "KEY"))


def build_value_codec(
    info: FormatInfo, columns: Sequence[Column], wrap: bool | None, wanted: Iterable[str] | None = None
) -> Codec:
    properties = _properties(info, "VALUE")
    if wrap is not None:
        properties["WRAP_SINGLE_VALUE"] = wrap
    return value_codec(info.name, _pairs(columns), properties, wanted)


def _properties(info: FormatInfo, side: str) -> dict[str, object]:
    names = {"delimiter": f"{side}_DELIMITER", "nullableRepresentation": f"{side}_PROTOBUF_NULLABLE_REPRESENTATION"}
    return {names[name]: value for name, value in info.properties}


def _refuse(info: FormatInfo, columns: Sequence[Column]) -> None:
    """KsqlError with the reason why a format cannot hold columns."""
    listed = ", ".join(map(str, columns))
    if info.name == "NONE" and columns:
        raise KsqlError(f"The 'NONE' format can only be used when no columns are defined. Got: [{listed}]")
    if info.name == "KAFKA" and len(columns) > 1:
        raise KsqlError(f"The 'KAFKA' format only supports a single field. Got: [{listed}]")
    for column in columns:
        if column.type.base in _UNSUPPORTED.get(info.name, ()):
            place = "" if info.name == "KAFKA" else f", column: {quote(column.name)}"
            raise KsqlError(f"The '{info.name}' format does not support type '{column.type.base.value}'{place}")
        if info.name == "JSON" and _has_map_without_string_keys(column.type):
            raise KsqlError("JSON only supports MAP types with STRING keys")


def _has_map_without_string_keys(sql_type: SqlType) -> bool:
    match sql_type:
        case MapType():
            return sql_type.key.base is not Base.STRING or _has_map_without_string_keys(sql_type.value)
        case ArrayType():
            return _has_map_without_string_keys(sql_type.element)
        case StructType():
            return any(_has_map_without_string_keys(f.type) for f in sql_type.fields)
        case _:
            return False


def check_no_map(column: Column) -> None:
    """A map cannot be a key: its bytes have no fixed order."""
    if contains_map(column.type):
        raise KsqlError(
            "Map keys, including types that contain maps, are not supported as they may lead to unexpected "
            f"behavior due to inconsistent serialization. Key column name: {quote(column.name)}. "
            f"Column type: {column.type}. See https://github.com/confluentinc/ksql/issues/6621 for more."
        )


def check_key(info: FormatInfo, columns: Sequence[Column]) -> None:
    for column in columns:
        check_no_map(column)
    try:
        _refuse(info, columns)
    except KsqlError as error:
        listed = ", ".join(map(str, columns))
        features = "UNWRAP_SINGLES" if len(columns) == 1 and info.name in ("JSON", "PROTOBUF_NOSR") else ""
        raise KsqlError(
            f"Key format does not support schema.\nformat: {info.name}\n"
            f"schema: Persistence{{columns=[{listed}], features=[{features}]}}\nreason: {error}"
        ) from error


def check_value(info: FormatInfo, columns: Sequence[Column], wrap: bool | None) -> None:
    try:
        _refuse(info, columns)
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
