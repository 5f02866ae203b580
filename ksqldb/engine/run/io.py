"""The ends of a query: bytes of a topic to records, and records to bytes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from ksqldb.engine.analyse.serdes import source_key_codec, source_value_codec
from ksqldb.engine.ast import WindowKind
from ksqldb.engine.errors import DecodeError, ServerError
from ksqldb.engine.formats.windowed import (
    add_session_window,
    add_time_window,
    split_session_window,
    split_time_window,
)
from ksqldb.engine.functions import REGISTRY
from ksqldb.engine.metastore import Namespace, Source, TimestampColumn
from ksqldb.engine.metastore.model import PSEUDO_COLUMNS, ROWOFFSET, ROWPARTITION, ROWTIME, WINDOWSTART
from ksqldb.engine.plan.steps import SourceStep
from ksqldb.engine.run.keys import REMEMBERED
from ksqldb.engine.run.records import Key, NullKey, Report, StreamRecord, Value
from ksqldb.engine.types import STRING, Base

Headers: TypeAlias = "Sequence[tuple[str, bytes | None]]"
_MAX_TIME = 2**63 - 1


@dataclass(frozen=True, slots=True)
class RawRecord:
    """A record as a topic holds it."""

    key: bytes | None
    value: bytes | None
    timestamp: int
    offset: int
    headers: Headers = ()


class RawLike(Protocol):
    """Anything with a record's parts, such as aiokafka's records."""

    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def headers(self) -> Headers: ...


class TimestampOf:
    """The record time that a TIMESTAMP column gives; raises ValueError for what is no time."""

    def __init__(self, column: TimestampColumn, key_at: int | None, value_at: int | None, is_number: bool) -> None:
        self.column = column
        self.key_at, self.value_at = key_at, value_at
        self.number_at = value_at if is_number else None
        self.parse = REGISTRY.resolve_scalar("PARSE_TIMESTAMP", [STRING, STRING]).fn

    def __call__(self, key: Key, value: Value) -> int:
        found: Any = None
        if self.key_at is not None:
            found = key[self.key_at]
        elif value is not None and self.value_at is not None:
            found = value[self.value_at]
        if found is None:
            raise ValueError(f"timestamp column {self.column.name} is null")
        ts = self._parsed(found) if isinstance(found, str) else int(found)
        if not 0 <= ts <= _MAX_TIME:
            raise ValueError(f"timestamp {ts} is negative")
        return ts

    def _parsed(self, text: str) -> int:
        try:
            return int(self.parse(text, self.column.format))
        except Exception as error:
            raise ValueError(f"timestamp '{text}' does not match {self.column.format}: {error}") from error


class SourceReader:
    """Decodes a source's records for one query (its ``extra`` columns appended, only ``wanted`` columns decoded)."""

    def __init__(
        self,
        step: SourceStep,
        wanted: Iterable[str] | None,
        report: Report,
        throw_on_invalid_timestamp: bool = False,
    ) -> None:
        source = step.source
        self.source = source
        self.report = report
        self.throws = throw_on_invalid_timestamp
        self.decode_key = source_key_codec(source).decode
        self.decode_value = source_value_codec(source, wanted).decode
        self.null_key = NullKey([None] * len(source.schema.key))
        self.window_kind = None if source.window is None else source.window.kind
        self.window_size = 0 if source.window is None else source.window.size_ms or 0
        self.layout = self._layout(source)
        self.extra = step.extra
        self.timestamp = self._timestamp(source)
        self.time_at = None if self.timestamp is None else self.timestamp.number_at
        timed = self.timestamp is None or self.time_at is not None
        self.plain = timed and not (self.layout or self.extra or self.window_kind)

    @staticmethod
    def _layout(source: Source) -> list[tuple[int, str | None] | None] | None:
        """None without header columns; else for each value column None, or (0, header key) for a header one."""
        if not source.schema.headers:
            return None
        rest = [c for c in source.schema if c.namespace is not Namespace.KEY]
        return [(0, c.header_key) if c.namespace is Namespace.HEADERS else None for c in rest]

    @staticmethod
    def _timestamp(source: Source) -> TimestampOf | None:
        if source.timestamp is None:
            return None
        key = [c.name for c in source.schema.key]
        value = [c for c in source.schema if c.namespace is not Namespace.KEY]
        name = source.timestamp.name
        at = next((index for index, column in enumerate(value) if column.name == name), None)
        is_number = at is not None and value[at].type.base is Base.BIGINT
        return TimestampOf(source.timestamp, key.index(name) if name in key else None, at, is_number)

    def read(self, raw: RawLike, partition: int) -> StreamRecord | None:
        """The record, None where it does not fit the source (reported)."""
        try:
            key, window = self.key_of(raw.key)
            value: Value = self.decode_value(raw.value)
        except DecodeError as error:
            self.report("deserialize", str(error), raw)
            return None
        if value is not None and self.layout is not None:
            value = self._with_headers(value, raw.headers)
        ts = raw.timestamp
        if self.timestamp is not None and value is not None:
            try:
                ts = self.timestamp(key, value)
            except ValueError as error:
                if self.throws:
                    raise ServerError(
                        f"Fatal user code error in TimestampExtractor callback for record: {error}"
                    ) from error
                self.report("timestamp", str(error), raw)
                return None
        if self.extra and value is not None:
            value += self._extra(ts, partition, raw.offset, window)
        return key, value, ts, window

    def read_batch(self, raws: Iterable[RawLike], partition: int) -> list[StreamRecord]:
        """All records of a partition that fit the source."""
        if self.plain:
            return self._read_plain(raws, partition)
        read = self.read
        return [record for raw in raws if (record := read(raw, partition)) is not None]

    def _read_plain(self, raws: Iterable[RawLike], partition: int) -> list[StreamRecord]:
        """Without windows, headers and pseudo columns: nothing but decoding, and the time from a BIGINT column."""
        decode_key, decode_value, null_key = self.decode_key, self.decode_value, self.null_key
        time_at = self.time_at
        out: list[StreamRecord] = []
        append = out.append
        for raw in raws:
            try:
                key, value, ts = decode_key(raw.key), decode_value(raw.value), raw.timestamp
            except DecodeError as error:
                self.report("deserialize", str(error), (raw.key, raw.value))
                continue
            if time_at is not None and value is not None:
                ts = value[time_at]
                if ts is None or ts < 0:
                    self.read(raw, partition)  # refuses it
                    continue
            append((null_key if key is None else key, value, ts, None))
        return out

    def key_of(self, data: bytes | None) -> tuple[Key, tuple[int, int] | None]:
        window = None
        if self.window_kind is not None and data is not None:
            if self.window_kind is WindowKind.SESSION:
                data, start, end = split_session_window(data)
            else:
                data, start = split_time_window(data)
                end = min(start + self.window_size, _MAX_TIME)
            window = (start, end)
        key = self.decode_key(data)
        return (self.null_key if key is None else key), window

    def _with_headers(self, value: tuple[Any, ...], headers: Headers) -> tuple[Any, ...]:
        assert self.layout is not None
        values = iter(value)
        out: list[Any] = []
        for place in self.layout:
            if place is None:
                out.append(next(values))
            elif place[1] is None:
                out.append([{"KEY": name, "VALUE": content} for name, content in headers])
            else:
                out.append(next((c for name, c in reversed(headers) if name == place[1]), None))
        return tuple(out)

    def _extra(self, ts: int, partition: int, offset: int, window: tuple[int, int] | None) -> tuple[Any, ...]:
        known: dict[str, Any] = {ROWTIME: ts, ROWPARTITION: partition, ROWOFFSET: offset}
        start, end = window or (None, None)
        return tuple(
            known[name] if name in PSEUDO_COLUMNS else (start if name == WINDOWSTART else end) for name in self.extra
        )


Encoded: TypeAlias = "tuple[bytes | None, bytes | None, int]"  # key, value, timestamp


class SinkWriter:
    """Encodes a query's records for its sink's topic; ``timestamp``: the column that gives the record time."""

    def __init__(self, sink: Source, timestamp: TimestampColumn | None, report: Report) -> None:
        self.encode_key = source_key_codec(sink).encode
        self.encode_value = source_value_codec(sink).encode
        self.known_keys: dict[Key, bytes | None] = {}
        self.window_kind = None if sink.window is None else sink.window.kind
        self.report = report
        self.timestamp = SourceReader._timestamp(sink) if timestamp is not None else None

    def write(self, record: StreamRecord) -> Encoded | None:
        """The record's bytes, None where a value does not fit (reported)."""
        for _, key, value, ts in self.write_batch([record]):
            return key, value, ts
        return None

    def write_batch(self, batch: Iterable[StreamRecord]) -> list[tuple[bytes | None, bytes | None, bytes | None, int]]:
        """For each record that fits: the key's bytes without its window (they choose the partition), the key, the
        value, the timestamp."""
        encode_value, window_kind = self.encode_value, self.window_kind
        session = window_kind is WindowKind.SESSION
        plain: bytes | None = None
        out = []
        last: object = None  # one record's windows come one after the other with one key
        for key, value, ts, window in batch:
            try:
                if key is not last:
                    plain = None if type(key) is NullKey else self._key_bytes(key)
                    last = key
                encoded = encode_value(value)
                if self.timestamp is not None and value is not None:
                    ts = self.timestamp(key, value)
            except Exception as error:
                self.report("serialize", str(error), (key, value))
                continue
            data = plain
            if window is not None and window_kind is not None:
                data = add_session_window(plain, *window) if session else add_time_window(plain, window[0])
            out.append((plain, data, encoded, ts))
        return out

    def _key_bytes(self, key: Key) -> bytes | None:
        """A key's bytes, remembered where the key can be a dict key."""
        known = self.known_keys
        try:
            made = known.get(key)
        except TypeError:
            return self.encode_key(key)
        if made is None:
            made = self.encode_key(key) if key else None
            if len(known) >= REMEMBERED:
                known.clear()
            known[key] = made
        return made
