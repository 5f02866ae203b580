"""Records as the inlet hands them on, and those it refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

import msgspec

MAX_VALUE_BYTES = 256 * 1024


class Record(Protocol):
    """A record of Kafka (aiokafka's ``ConsumerRecord`` is one); ``timestamp`` is epoch ms."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


Decoder = Callable[[Record], Any]
"""Gives the value of a record, or raises ``BadRecord``, ``msgspec.DecodeError`` (its subclass ``ValidationError``
included) or ``ValueError``."""


class BadRecord(Exception):
    """A record that cannot be used; ``error_class`` is a short word to count by."""

    def __init__(self, error_class: str, reason: str) -> None:
        super().__init__(reason)
        self.error_class = error_class


class DeadLetter(msgspec.Struct, frozen=True):
    """A refused record with the reason."""

    record: Record
    error_class: str
    reason: str


def decode_records(
    records: Iterable[Record], decoder: Decoder, good: list[tuple[Record, Any]], dead: list[DeadLetter]
) -> None:
    """Sort records into decoded ones and refused ones."""
    for record in records:
        try:
            value = record.value
            if value is None:
                raise BadRecord("empty", "the record has no value")
            if len(value) > MAX_VALUE_BYTES:
                raise BadRecord(
                    "too_large", f"the value has {len(value):,} bytes; at most {MAX_VALUE_BYTES:,} are taken"
                )
            if not record.key:
                raise BadRecord("no_key", "the record has no key; the account id is expected")
            good.append((record, decoder(record)))
        except BadRecord as error:
            dead.append(DeadLetter(record, error.error_class, str(error)))
        except msgspec.ValidationError as error:
            dead.append(DeadLetter(record, "wrong_type", str(error)))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            dead.append(DeadLetter(record, "malformed", str(error)))
        except ValueError as error:
            dead.append(DeadLetter(record, "invalid", str(error)))


async def store_dead_letters(conn: Any, cluster_id: str, letters: Sequence[DeadLetter]) -> None:
    """Keep refused records with their coordinates, inside the batch's transaction."""
    await conn.executemany(
        'insert into ops.dead_letter (cluster_id, topic, partition, "offset", key, value, headers, error_class, reason)'
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
        ' on conflict (cluster_id, topic, partition, "offset") do nothing',
        [
            (
                cluster_id,
                letter.record.topic,
                letter.record.partition,
                letter.record.offset,
                letter.record.key,
                letter.record.value,
                msgspec.json.encode(list(letter.record.headers)).decode(),
                letter.error_class,
                _printable(letter.reason),
            )
            for letter in letters
        ],
    )


def _printable(text: str) -> str:
    """A reason may quote the record: control characters do not belong into a row that a terminal shows."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)[:500]
