"""Streams and tables as values: their columns, topic, formats, windowing and timestamp."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum

from ksqldb.engine.ast import SourceKind, WindowKind
from ksqldb.engine.types import BIGINT, INTEGER, SqlType, quote

ROWTIME = "ROWTIME"
ROWPARTITION = "ROWPARTITION"
ROWOFFSET = "ROWOFFSET"
WINDOWSTART = "WINDOWSTART"
WINDOWEND = "WINDOWEND"

PSEUDO_COLUMNS: dict[str, SqlType] = {ROWTIME: BIGINT, ROWPARTITION: INTEGER, ROWOFFSET: BIGINT}
WINDOW_BOUNDS: dict[str, SqlType] = {WINDOWSTART: BIGINT, WINDOWEND: BIGINT}


def is_system_column(name: str) -> bool:
    return name in PSEUDO_COLUMNS or name in WINDOW_BOUNDS


class Namespace(Enum):
    KEY = "KEY"
    VALUE = "VALUE"
    HEADERS = "HEADERS"


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: SqlType
    namespace: Namespace = Namespace.VALUE
    header_key: str | None = None

    def __str__(self) -> str:
        text = f"{quote(self.name)} {self.type}"
        if self.namespace is Namespace.KEY:
            return text + " KEY"
        if self.namespace is Namespace.HEADERS:
            return text + (" HEADERS" if self.header_key is None else f" HEADER('{self.header_key}')")
        return text


@dataclass(frozen=True, slots=True)
class Schema:
    """Key columns, then value columns, then header columns; the order within each is the declared one."""

    columns: tuple[Column, ...]

    @staticmethod
    def of(key: Iterable[tuple[str, SqlType]], value: Iterable[tuple[str, SqlType]]) -> Schema:
        return Schema(
            tuple(Column(n, t, Namespace.KEY) for n, t in key) + tuple(Column(n, t) for n, t in value),
        )

    @property
    def key(self) -> tuple[Column, ...]:
        return tuple(c for c in self.columns if c.namespace is Namespace.KEY)

    @property
    def value(self) -> tuple[Column, ...]:
        return tuple(c for c in self.columns if c.namespace is Namespace.VALUE)

    @property
    def headers(self) -> tuple[Column, ...]:
        return tuple(c for c in self.columns if c.namespace is Namespace.HEADERS)

    def find(self, name: str) -> Column | None:
        return next((c for c in self.columns if c.name == name), None)

    def with_key_marker(self, kind: SourceKind) -> str:
        """As DESCRIBE and error texts print it; tables mark PRIMARY KEY only in DDL."""
        return ", ".join(map(str, self.columns))

    def __str__(self) -> str:
        return ", ".join(map(str, self.columns))

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)


@dataclass(frozen=True, slots=True)
class FormatInfo:
    """A format by upper-case name with its own properties (``delimiter``)."""

    name: str
    properties: tuple[tuple[str, str], ...] = ()

    def property(self, name: str) -> str | None:
        return dict(self.properties).get(name)


@dataclass(frozen=True, slots=True)
class WindowInfo:
    """How a source's key is windowed; ``size_ms`` is None for sessions, ``emit_final``: only closed windows come."""

    kind: WindowKind
    size_ms: int | None = None
    emit_final: bool = False


@dataclass(frozen=True, slots=True)
class TimestampColumn:
    name: str
    format: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A stream or table over a topic.

    ``wrap_value``: None = the format's default, else WRAP_SINGLE_VALUE as given. ``query_id`` names the query
    that writes it (CREATE ... AS). ``statement`` is its DDL text.
    """

    kind: SourceKind
    name: str
    schema: Schema
    topic: str
    key_format: FormatInfo
    value_format: FormatInfo
    window: WindowInfo | None = None
    timestamp: TimestampColumn | None = None
    wrap_value: bool | None = None
    unwrap_key: bool | None = None
    is_source: bool = False
    statement: str = ""
    query_id: str | None = None
    properties: tuple[tuple[str, str], ...] = field(default=(), compare=False)

    @property
    def is_table(self) -> bool:
        return self.kind is SourceKind.TABLE

    @property
    def type_name(self) -> str:
        return self.kind.value.lower()
