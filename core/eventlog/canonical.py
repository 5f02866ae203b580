"""The canonical text of events (SQL function ``log.line``): what is read, sealed and archived, and how it is parsed."""

from __future__ import annotations

from core.eventlog.record import Recorded

FIELD, EVENT = "\x1f", "\x1e"
_FIELDS = 10


def parse(text: str, count: int) -> list[Recorded]:
    """The ``count`` events of a text; raises ``ValueError`` when it is not one."""
    fields = text.replace(EVENT, FIELD).split(FIELD) if text else []
    if len(fields) != _FIELDS * count:
        return _parse_by_lengths(text.encode(), count)
    return list(
        map(
            Recorded,
            map(int, fields[0::_FIELDS]),
            fields[2::_FIELDS],
            map(int, fields[3::_FIELDS]),
            fields[5::_FIELDS],
            map(int, fields[6::_FIELDS]),
            map(int, fields[7::_FIELDS]),
            fields[8::_FIELDS],
            fields[9::_FIELDS],
        )
    )


def _parse_by_lengths(text: bytes, count: int) -> list[Recorded]:
    """A stream or a type holds a separator: their lengths tell where they end."""
    found = []
    at = 0

    def until(separator: bytes) -> bytes:
        nonlocal at
        end = text.find(separator, at)
        if end < 0:
            end = len(text)
        field, at = text[at:end], end + 1
        return field

    def measured() -> str:
        nonlocal at
        size = int(until(b"\x1f"))
        field, at = text[at : at + size], at + size + 1
        return field.decode()

    for _ in range(count):
        pos, stream = int(until(b"\x1f")), measured()
        version, type_ = int(until(b"\x1f")), measured()
        schema_version, at_us = int(until(b"\x1f")), int(until(b"\x1f"))
        data, metadata = until(b"\x1f").decode(), until(b"\x1e").decode()
        found.append(Recorded(pos, stream, version, type_, schema_version, at_us, data, metadata))
    if at != len(text) + 1:
        raise ValueError(f"the text holds more than the {count} events it should")
    return found


def split(text: bytes, count: int) -> list[bytes]:
    """The texts of the single events; by their separators alone where they are not the ``count`` that should be."""
    lines = text.split(b"\x1e") if text else []
    if len(lines) == count:
        return lines
    try:
        events = _parse_by_lengths(text, count)
    except ValueError:
        return lines
    return [line(event) for event in events]


def line(event: Recorded) -> bytes:
    """The canonical text of an event."""
    fields = (
        event.pos,
        len(event.stream.encode()),
        event.stream,
        event.version,
        len(event.type.encode()),
        event.type,
        event.schema_version,
        event.at_us,
        event.data,
        event.metadata,
    )
    return FIELD.join(map(str, fields)).encode()
