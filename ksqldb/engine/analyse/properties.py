"""The WITH clause: which properties there are, their values and how they exclude one another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from ksqldb.engine import ast
from ksqldb.engine.ast import WindowKind
from ksqldb.engine.errors import KsqlError
from ksqldb.engine.metastore import FormatInfo, TimestampColumn, WindowInfo

FORMATS = frozenset({"JSON", "DELIMITED", "KAFKA", "NONE", "PROTOBUF_NOSR", "AVRO", "PROTOBUF", "JSON_SR"})
REGISTRY_FORMATS = frozenset({"AVRO", "PROTOBUF", "JSON_SR"})

_STRINGS = {
    "KAFKA_TOPIC", "KEY_FORMAT", "VALUE_FORMAT", "FORMAT", "TIMESTAMP", "TIMESTAMP_FORMAT", "WINDOW_TYPE",
    "WINDOW_SIZE", "VALUE_DELIMITER", "KEY_DELIMITER", "SOURCED_BY_CONNECTOR", "CLEANUP_POLICY",
    "KEY_SCHEMA_FULL_NAME", "VALUE_SCHEMA_FULL_NAME", "VALUE_AVRO_SCHEMA_FULL_NAME", "QUERY_ID",
    "KEY_PROTOBUF_NULLABLE_REPRESENTATION", "VALUE_PROTOBUF_NULLABLE_REPRESENTATION",
}  # fmt: skip
_NUMBERS = {"PARTITIONS", "REPLICAS", "RETENTION_MS", "KEY_SCHEMA_ID", "VALUE_SCHEMA_ID"}
_BOOLEANS = {"WRAP_SINGLE_VALUE"}
_SOURCE_ONLY = {"WINDOW_TYPE", "WINDOW_SIZE", "SOURCED_BY_CONNECTOR"}

_UNITS_MS = {
    "MILLISECOND": 1, "SECOND": 1000, "MINUTE": 60_000, "HOUR": 3_600_000, "DAY": 86_400_000,
}  # fmt: skip


class PropertyError(KsqlError):
    """A WITH clause that cannot be; found while the statement is prepared, before any name is looked up."""


@dataclass(frozen=True, slots=True)
class WithProperties:
    """The checked properties of a WITH clause."""

    values: Mapping[str, object]

    def text(self, name: str) -> str | None:
        value = self.values.get(name)
        return None if value is None else str(value)

    def number(self, name: str) -> int | None:
        value = self.values.get(name)
        return value if isinstance(value, int) else None

    @property
    def topic(self) -> str | None:
        return self.text("KAFKA_TOPIC")

    @property
    def key_format(self) -> str | None:
        return _upper(self.text("KEY_FORMAT") or self.text("FORMAT"))

    @property
    def value_format(self) -> str | None:
        return _upper(self.text("VALUE_FORMAT") or self.text("FORMAT"))

    @property
    def wrap_single_value(self) -> bool | None:
        value = self.values.get("WRAP_SINGLE_VALUE")
        return value if isinstance(value, bool) else None

    @property
    def timestamp(self) -> TimestampColumn | None:
        name = self.text("TIMESTAMP")
        return None if name is None else TimestampColumn(_identifier(name), self.text("TIMESTAMP_FORMAT"))

    @property
    def window(self) -> WindowInfo | None:
        kind = self.text("WINDOW_TYPE")
        if kind is None:
            return None
        size = self.text("WINDOW_SIZE")
        return WindowInfo(WindowKind[kind.upper()], None if size is None else duration_ms(size))

    def format_info(self, side: str, name: str) -> FormatInfo:
        """``side`` is KEY or VALUE; properties a format does not know are refused."""
        properties = {}
        delimiter = self.text(f"{side}_DELIMITER")
        if delimiter is not None:
            if name != "DELIMITED":
                raise KsqlError(f"{name} does not support the following configs: [delimiter]")
            properties["delimiter"] = delimiter
        nullable = self.text(f"{side}_PROTOBUF_NULLABLE_REPRESENTATION")
        if nullable is not None:
            if name not in ("PROTOBUF", "PROTOBUF_NOSR"):
                raise KsqlError(f"{name} does not support the following configs: [nullableRepresentation]")
            properties["nullableRepresentation"] = nullable.upper()
        return FormatInfo(name, tuple(properties.items()))


def _upper(text: str | None) -> str | None:
    return None if text is None else text.upper()


def _identifier(text: str) -> str:
    """A column named in a property: unquoted names are upper-cased as everywhere else."""
    if len(text) > 1 and text[0] == text[-1] and text[0] in '`"':
        return text[1:-1].replace(text[0] * 2, text[0])
    return text.upper()


def duration_ms(text: str) -> int:
    """``'30 SECONDS'`` -> 30000; raises PropertyError."""
    parts = text.split()
    if len(parts) != 2 or not parts[0].isdigit():
        raise PropertyError(
            f"Configuration WINDOW_SIZE is invalid: Invalid duration: '{text}'. "
            "Expected format: '<number> <time unit>', for example: '10 SECONDS'"
        )
    unit = parts[1].upper()
    scale = _UNITS_MS.get(unit) or _UNITS_MS.get(unit.removesuffix("S"))
    if scale is None:
        raise PropertyError(
            f"Configuration WINDOW_SIZE is invalid: Invalid duration: '{text}'. Unknown time unit: '{unit}'"
        )
    return int(parts[0]) * scale


def literal(expr: ast.Expression) -> object:
    match expr:
        case ast.StringLiteral() | ast.BooleanLiteral() | ast.IntegerLiteral():
            return expr.value
        case ast.DoubleLiteral() | ast.DecimalLiteral():
            return expr.value
        case ast.Unary(ast.UnaryOp.MINUS, ast.IntegerLiteral(value)):
            return -value
        case _:
            return None


def check(properties: ast.Properties, *, source: bool) -> WithProperties:
    """Check names and values. ``source``: CREATE of a source rather than CREATE ... AS SELECT."""
    known = _STRINGS | _NUMBERS | _BOOLEANS
    allowed = known if source else known - _SOURCE_ONLY
    unknown = [name for name, _ in properties if name.upper() not in allowed]
    if unknown:
        names = ", ".join(unknown)
        raise PropertyError(f"Invalid config variable(s) in the WITH clause: {names}")
    values: dict[str, object] = {}
    for name, expr in properties:
        values[name.upper()] = _typed(name.upper(), literal(expr))
    if source and values.get("KAFKA_TOPIC") is None:
        raise PropertyError('Missing required property "KAFKA_TOPIC" which has no default value.')
    for side in ("KEY", "VALUE"):
        if "FORMAT" in values and f"{side}_FORMAT" in values:
            raise KsqlError(
                f"Cannot supply both '{side}_FORMAT' and 'FORMAT' properties, as 'FORMAT' sets both key and value "
                "formats. Either use just 'FORMAT', or use 'KEY_FORMAT' and 'VALUE_FORMAT'."
            )
    for name in ("FORMAT", "KEY_FORMAT", "VALUE_FORMAT"):
        if name in values:
            known_format(str(values[name]))
    _check_window(values)
    for side in ("KEY", "VALUE"):
        if f"{side}_DELIMITER" in values:
            _check_delimiter(f"{side}_DELIMITER", str(values[f"{side}_DELIMITER"]))
    return WithProperties(values)


def known_format(name: str) -> str:
    upper = name.upper()
    if upper not in FORMATS:
        raise KsqlError(f"Unknown format: {upper}")
    return upper


def _typed(name: str, value: object) -> object:
    checks: list[tuple[set[str], Callable[[object], bool], str]] = [
        (_STRINGS, lambda v: isinstance(v, str), "STRING"),
        (_NUMBERS, lambda v: isinstance(v, int) and not isinstance(v, bool), "INT"),
        (_BOOLEANS, lambda v: isinstance(v, bool), "BOOLEAN"),
    ]
    for names, fits, kind in checks:
        if name in names and not fits(value):
            if kind == "INT" and isinstance(value, str) and value.lstrip("-").isdigit():
                return int(value)
            if kind == "BOOLEAN" and isinstance(value, str) and value.lower() in ("true", "false"):
                return value.lower() == "true"
            if kind == "STRING" and isinstance(value, int | float | Decimal | bool):
                return str(value).lower() if isinstance(value, bool) else str(value)
            raise PropertyError(f"Invalid value {value} for property {name}: Expected a {kind}")
    return value


def _check_window(values: Mapping[str, object]) -> None:
    kind = values.get("WINDOW_TYPE")
    size = values.get("WINDOW_SIZE")
    if kind is None:
        return
    name = str(kind).upper()
    if name not in WindowKind.__members__:
        raise PropertyError(
            f"Configuration WINDOW_TYPE is invalid: Invalid value {kind} for property WINDOW_TYPE: "
            "Should be one of: SESSION, HOPPING, TUMBLING"
        )
    if name == "SESSION" and size is not None:
        raise PropertyError("'WINDOW_SIZE' should not be set for SESSION windows.")
    if name != "SESSION" and size is None:
        raise PropertyError(
            f"{name} windows require 'WINDOW_SIZE' to be provided in the WITH clause. "
            "For example: 'WINDOW_SIZE'='10 SECONDS'"
        )
    if size is not None:
        duration_ms(str(size))


def _check_delimiter(name: str, value: str) -> None:
    hint = "\nExample valid value: ';'"
    if not value.strip():
        raise PropertyError(
            f"Configuration {name} is invalid: Delimiter cannot be empty, if you meant to have a tab or space for "
            f"delimiter, please use the special values 'TAB' or 'SPACE'{hint}"
        )
    if len(value) != 1 and value.upper() not in ("TAB", "SPACE"):
        raise PropertyError(
            f"Configuration {name} is invalid: Invalid delimiter value: '{value}'. Delimiter must be a single "
            f"character or TAB,SPACE{hint}"
        )
