"""Serialisation of keys and values: ``value_codec`` and ``key_codec`` choose by a format's name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from ksqldb.engine.errors import KsqlError
from ksqldb.engine.formats.codec import Codec, Columns, Row
from ksqldb.engine.formats.delimited import DelimitedCodec, delimiter
from ksqldb.engine.formats.json_decode import JsonObjectDecoder, JsonValueDecoder
from ksqldb.engine.formats.json_encode import object_encoder, value_encoder
from ksqldb.engine.formats.kafka import KafkaCodec, NoneCodec
from ksqldb.engine.formats.protobuf import ProtobufCodec

__all__ = ["Codec", "Columns", "Row", "key_codec", "value_codec"]

_NO_PROPERTIES: Mapping[str, object] = MappingProxyType({})


class _JsonCodec:
    def __init__(self, columns: Columns, wrapped: bool, wanted: frozenset[str] | None) -> None:
        decoder = JsonObjectDecoder(columns, wanted) if wrapped else JsonValueDecoder(columns)
        self.decode = decoder.decode
        self.encode = object_encoder(columns) if wrapped else value_encoder(columns)


def value_codec(
    format_name: str,
    columns: Columns,
    properties: Mapping[str, object] = _NO_PROPERTIES,
    wanted: Iterable[str] | None = None,
) -> Codec:
    """The codec of a topic's values.

    ``properties`` are those of the WITH clause that concern it: VALUE_DELIMITER, WRAP_SINGLE_VALUE (a bool, for one
    column), VALUE_PROTOBUF_NULLABLE_REPRESENTATION. ``wanted`` names the columns a reader needs; without it all.
    KsqlError for a format the engine has not.
    """
    wrapped = len(columns) != 1 or bool(properties.get("WRAP_SINGLE_VALUE", True))
    return _codec(format_name, columns, properties, "VALUE", wrapped, None if wanted is None else frozenset(wanted))


def key_codec(format_name: str, columns: Columns, properties: Mapping[str, object] = _NO_PROPERTIES) -> Codec:
    """The codec of a topic's keys: a single column is written bare where the format can (KEY_DELIMITER counts)."""
    return _codec(format_name, columns, properties, "KEY", len(columns) != 1, None)


def _codec(
    format_name: str,
    columns: Columns,
    properties: Mapping[str, object],
    side: str,
    wrapped: bool,
    wanted: frozenset[str] | None,
) -> Codec:
    match format_name.upper():
        case "NONE":
            return NoneCodec()
        case "JSON":
            return _JsonCodec(columns, wrapped, wanted)
        case "DELIMITED":
            return DelimitedCodec(columns, delimiter(properties, side))
        case "KAFKA":
            return KafkaCodec(columns)
        case "PROTOBUF_NOSR":
            nulls = properties.get(f"{side}_PROTOBUF_NULLABLE_REPRESENTATION")
            return ProtobufCodec(columns, None if nulls is None else str(nulls).upper())
    raise KsqlError(f"Unknown format: {format_name.upper()}")
