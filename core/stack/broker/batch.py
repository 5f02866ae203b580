"""The header of a record batch, magic 2 (Kafka documentation, "Record Batch"); what it holds stays opaque."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.util import calc_crc32c

from core.stack.broker.errors import Code, KafkaError

HEADER_SIZE = 61
_LENGTH_AT = 12  # batchLength counts from here
_CRC_FROM = 21  # the checksum covers everything after itself
_HEADER = struct.Struct(">qiibIhiqqqhii")
_PLACE = struct.Struct(">qii")
NO_PRODUCER = -1


@dataclass(frozen=True, slots=True)
class Batch:
    """Offsets are positions in the partition, timestamps ms since 1970; `size` is the whole batch in bytes."""

    base_offset: int
    size: int
    crc: int
    attributes: int
    last_delta: int
    max_timestamp: int
    producer_id: int
    producer_epoch: int
    base_sequence: int
    count: int

    @property
    def last_offset(self) -> int:
        return self.base_offset + self.last_delta

    @property
    def last_sequence(self) -> int:
        return (self.base_sequence + self.last_delta) & 0x7FFFFFFF  # wraps after 2^31 - 1


def parse(data: bytes | memoryview, at: int) -> Batch | None:
    """The batch that starts at byte `at`, or None where fewer bytes than its header are left.

    Raises KafkaError(CORRUPT_MESSAGE) for a header no producer writes.
    """
    if len(data) - at < HEADER_SIZE:
        return None
    (base, length, _epoch, magic, crc, attributes, last_delta, _first, newest, pid, epoch, sequence, count) = (
        _HEADER.unpack_from(data, at)
    )
    if magic != 2:
        raise KafkaError(
            Code.UNSUPPORTED_FOR_MESSAGE_FORMAT, f"record format {magic}; producers since Kafka 0.11 write format 2"
        )
    if length < HEADER_SIZE - _LENGTH_AT or last_delta < 0 or count < 0:
        raise KafkaError(Code.CORRUPT_MESSAGE, "impossible lengths in a batch header")
    return Batch(base, length + _LENGTH_AT, crc, attributes, last_delta, newest, pid, epoch, sequence, count)


def produced(data: memoryview) -> Iterator[tuple[Batch, memoryview]]:
    """The batches of one partition of a produce request, each checked whole.

    Raises KafkaError for a torn batch, a wrong checksum, or a record count that does not match the offsets.
    """
    at = 0
    while at < len(data):
        batch = parse(data, at)
        if batch is None or at + batch.size > len(data):
            raise KafkaError(Code.CORRUPT_MESSAGE, "the batch is shorter than its header says")
        body = data[at : at + batch.size]
        if not intact(body, batch):
            raise KafkaError(Code.CORRUPT_MESSAGE, "the checksum of the batch does not match")
        if batch.count != batch.last_delta + 1:
            raise KafkaError(Code.INVALID_RECORD, f"{batch.count} records for {batch.last_delta + 1} offsets")
        yield batch, body
        at += batch.size


def intact(body: bytes | memoryview, batch: Batch) -> bool:
    return bool(calc_crc32c(body[_CRC_FROM:]) == batch.crc)


def placed(body: memoryview, base_offset: int, leader_epoch: int) -> tuple[bytes, memoryview]:
    """The bytes to store: the batch moved to `base_offset`. The checksum leaves these fields out, so it stays right."""
    return _PLACE.pack(base_offset, len(body) - _LENGTH_AT, leader_epoch), body[16:]


def first_at_or_after(body: bytes, timestamp: int, from_offset: int) -> tuple[int, int] | None:
    """(offset, timestamp) of the first record at or after both; the only place that opens a batch. Timestamps in ms."""
    for record in DefaultRecordBatch(body):
        if record.timestamp >= timestamp and record.offset >= from_offset:
            return record.offset, record.timestamp
    return None
