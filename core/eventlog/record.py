"""Values of the log: what is appended, the verdict on it, what is read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeAlias
from uuid import UUID

import msgspec

from schema import events
from schema.events import Event, Source


class Meta(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who caused an event and by what: correlation ties a whole story together, causation names the direct cause.

    A cause in the log is named by ``event_name``, a record of Kafka as ``topic/partition@offset``.
    """

    actor: str
    correlation_id: str | None = None
    causation_id: str | None = None
    command_id: UUID | None = None
    source: Source | None = None


class Item(msgspec.Struct, frozen=True, gc=False):
    """One append: events for one stream, accepted or refused as a whole.

    ``expected_version`` is the stream's version the writer has seen (0: the stream must be new), ``None`` accepts any.
    A ``command_id`` seen before is not obeyed again: the verdict is ``Duplicate`` with the positions of the first time.
    """

    stream: str
    events: Sequence[Event]
    meta: Meta
    expected_version: int | None = None
    command_id: UUID | None = None


class Appended(msgspec.Struct, frozen=True, gc=False):
    """Done: positions of the first and last event, and the stream's version now."""

    first_pos: int
    last_pos: int
    version: int


class Conflict(msgspec.Struct, frozen=True, gc=False):
    """Refused: the stream's version is not the expected one."""

    actual_version: int


class Duplicate(msgspec.Struct, frozen=True, gc=False):
    """Done before, at these positions."""

    first_pos: int
    last_pos: int


Verdict: TypeAlias = Appended | Conflict | Duplicate


def event_name(pos: int) -> str:
    """How an event at a position is named as a cause."""
    return f"event-{pos}"


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ENCODER = msgspec.json.Encoder()
_META = msgspec.json.Decoder(Meta)


def microseconds(at: datetime) -> int:
    """Since 1970."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def encode_meta(meta: Meta) -> str:
    return _ENCODER.encode(meta).decode()


class Recorded(msgspec.Struct, frozen=True, gc=False):
    """An event as it stands in the log. Payload, time and metadata are decoded when asked for: most readers skip some.

    Positions are gapless from 1 over the whole log; versions dense from 1 in a stream; ``at_us`` is when it was
    appended, in microseconds since 1970.
    """

    pos: int
    stream: str
    version: int
    type: str
    schema_version: int
    at_us: int
    data: str
    metadata: str

    @property
    def at(self) -> datetime:
        """When the event was appended, UTC."""
        return _EPOCH + timedelta(microseconds=self.at_us)

    @property
    def event(self) -> Event:
        """The event, brought to its newest version; raises ``schema.events.UnknownEvent``."""
        try:
            return events.decode(self.type, self.schema_version, self.data)
        except events.UnknownEvent as error:
            raise events.UnknownEvent(f"position {self.pos}: {error}") from error

    @property
    def meta(self) -> Meta:
        return _META.decode(self.metadata)

    @classmethod
    def of(cls, pos: int, stream: str, version: int, event: Event, at: datetime, meta: Meta) -> Recorded:
        """The row that ``event`` would be in the log."""
        name, schema_version, data = events.encode(event)
        return cls(pos, stream, version, name, schema_version, microseconds(at), data.decode(), encode_meta(meta))


def caused_by(cause: Recorded, actor: str) -> Meta:
    """The metadata of what ``actor`` does because of an event: of its story, with it as the direct cause."""
    told = cause.meta
    story = told.correlation_id or (str(told.command_id) if told.command_id else event_name(cause.pos))
    return Meta(actor=actor, correlation_id=story, causation_id=event_name(cause.pos))
