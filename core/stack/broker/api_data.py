"""The way of records: Produce, Fetch, ListOffsets, DeleteRecords."""

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import dataclass

from core.stack.broker.broker import Broker
from core.stack.broker.errors import Code, KafkaError
from core.stack.broker.log import LEADER_EPOCH
from core.stack.broker.request import Request, no_throttle
from core.stack.broker.wire import Malformed, Writer

log = logging.getLogger(__name__)

_LATEST, _EARLIEST, _MAX_TIMESTAMP = -1, -2, -3
_CLIENT_MAX_WAIT = 60_000  # ms; a longer poll only hides that a client is gone


def produce(broker: Broker, request: Request, out: Writer) -> None:
    body, version = request.body, request.version
    if version < 3:
        raise Malformed("record formats before Kafka 0.11")
    if body.string_or_none() is not None:
        raise Malformed("a transactional produce request; the embedded broker has no transactions")
    request.wants_answer = body.i16() != 0
    body.i32()  # timeout: there are no replicas to wait for

    def partition(topic: str) -> tuple[int, int, KafkaError | None]:
        index, records = body.i32(), body.blob_or_none()
        try:
            target = broker.topics.partition(topic, index)
            return index, target.append(records if records is not None else memoryview(b"")), None
        except KafkaError as error:
            log.warning("produce to %s-%d refused: %s", topic, index, error.message)
            return index, -1, error

    def topic() -> tuple[str, list[tuple[int, int, KafkaError | None]]]:
        name = body.string()
        return name, body.array(lambda: partition(name))

    def write_partition(result: tuple[int, int, KafkaError | None]) -> None:
        index, offset, error = result
        out.i32(index)
        out.i16(error.code if error else Code.NONE)
        out.i64(offset)
        out.i64(-1)  # log append time: records keep the producer's
        if version >= 5:
            out.i64(0)
        if version >= 8:
            out.array([], out.i32)
            out.string(error.message if error else None)

    def write_topic(result: tuple[str, list[tuple[int, int, KafkaError | None]]]) -> None:
        out.string(result[0])
        out.array(result[1], write_partition)

    out.array(body.array(topic), write_topic)
    no_throttle(request, out)


@dataclass(frozen=True, slots=True)
class _Wanted:
    topic: str
    partition: int
    offset: int
    max_bytes: int


@dataclass(frozen=True, slots=True)
class _Got:
    partition: int
    code: Code
    next_offset: int = -1
    start_offset: int = -1
    records: bytes = b""


@dataclass(frozen=True, slots=True)
class _Fetch:
    max_wait: int
    min_bytes: int
    max_bytes: int
    topics: list[tuple[str, list[_Wanted]]]


def fetch(broker: Broker, request: Request, out: Writer) -> Awaitable[None] | None:
    wanted = _read_fetch(request)
    got, ready = _collect(broker, wanted)
    if ready or wanted.max_wait <= 0:
        _write_fetch(request, out, got)
        return None
    return _fetch_later(broker, request, out, wanted)


async def _fetch_later(broker: Broker, request: Request, out: Writer, wanted: _Fetch) -> None:
    """Answer when enough has been appended, or when the client's patience ends."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + min(wanted.max_wait, _CLIENT_MAX_WAIT) / 1000
    appended = asyncio.Event()
    logs = [broker.topics.partition(want.topic, want.partition) for _, wants in wanted.topics for want in wants]
    for partition in logs:
        partition.on_append(appended.set)
    try:
        ready = False
        while not ready:
            try:
                async with asyncio.timeout_at(deadline):
                    await appended.wait()
            except TimeoutError:
                break
            appended.clear()
            got, ready = _collect(broker, wanted)
        if not ready:
            got, _ = _collect(broker, wanted)
    finally:
        for partition in logs:
            partition.off_append(appended.set)
    _write_fetch(request, out, got)


def _read_fetch(request: Request) -> _Fetch:
    body, version = request.body, request.version
    body.i32()  # replica id: only clients come here
    max_wait, min_bytes, max_bytes = body.i32(), body.i32(), body.i32()
    body.i8()  # isolation level: without transactions both are the same
    if version >= 7:
        body.i32()  # session id, epoch: sessions are never granted, so every fetch names all it wants
        body.i32()

    def partition(topic: str) -> _Wanted:
        index = body.i32()
        if version >= 9:
            body.i32()  # current leader epoch
        offset = body.i64()
        if version >= 5:
            body.i64()  # log start offset of a follower
        return _Wanted(topic, index, offset, body.i32())

    def topic() -> tuple[str, list[_Wanted]]:
        name = body.string()
        return name, body.array(lambda: partition(name))

    return _Fetch(max_wait, min_bytes, max_bytes, body.array(topic))


def _collect(broker: Broker, wanted: _Fetch) -> tuple[list[tuple[str, list[_Got]]], bool]:
    """What there is now, and whether it is enough to answer: `min_bytes`, or anything to complain about."""
    total, refused = 0, not wanted.topics
    topics = []
    for name, wants in wanted.topics:
        partitions = []
        for want in wants:
            try:
                source = broker.topics.partition(name, want.partition)
                room = min(want.max_bytes, wanted.max_bytes - total)
                records = source.read(want.offset, max(room, 0), at_least_one=total == 0)
                total += len(records)
                partitions.append(_Got(want.partition, Code.NONE, source.next_offset, source.start_offset, records))
            except KafkaError as error:
                refused = True
                partitions.append(_Got(want.partition, error.code))
        topics.append((name, partitions))
    return topics, refused or total >= wanted.min_bytes


def _write_fetch(request: Request, out: Writer, topics: list[tuple[str, list[_Got]]]) -> None:
    version = request.version

    def write_partition(got: _Got) -> None:
        out.i32(got.partition)
        out.i16(got.code)
        out.i64(got.next_offset)
        out.i64(got.next_offset)  # last stable offset
        if version >= 5:
            out.i64(got.start_offset)
        out.null_array()  # aborted transactions
        if version >= 11:
            out.i32(-1)  # preferred read replica
        out.blob(got.records)

    def write_topic(result: tuple[str, list[_Got]]) -> None:
        out.string(result[0])
        out.array(result[1], write_partition)

    no_throttle(request, out)
    if version >= 7:
        out.i16(Code.NONE)
        out.i32(0)  # no session
    out.array(topics, write_topic)


def list_offsets(broker: Broker, request: Request, out: Writer) -> None:
    body, version = request.body, request.version
    body.i32()
    if version >= 2:
        body.i8()

    def partition(topic: str) -> tuple[int, Code, int, int]:
        index = body.i32()
        if version >= 4:
            body.i32()
        wanted = body.i64()
        body.tags()
        try:
            return index, Code.NONE, *_offset_at(broker, topic, index, wanted)
        except KafkaError as error:
            return index, error.code, -1, -1

    def topic() -> tuple[str, list[tuple[int, Code, int, int]]]:
        name = body.string()
        partitions = body.array(lambda: partition(name))
        body.tags()
        return name, partitions

    def write_partition(result: tuple[int, Code, int, int]) -> None:
        index, code, timestamp, offset = result
        out.i32(index)
        out.i16(code)
        out.i64(timestamp)
        out.i64(offset)
        if version >= 4:
            out.i32(LEADER_EPOCH if offset >= 0 else -1)
        out.tags()

    def write_topic(result: tuple[str, list[tuple[int, Code, int, int]]]) -> None:
        out.string(result[0])
        out.array(result[1], write_partition)
        out.tags()

    no_throttle(request, out, since=2)
    out.array(body.array(topic), write_topic)
    out.tags()


def _offset_at(broker: Broker, topic: str, index: int, wanted: int) -> tuple[int, int]:
    """(timestamp, offset); -1, -1 where no record is that new."""
    source = broker.topics.partition(topic, index)
    if wanted == _LATEST:
        return -1, source.next_offset
    if wanted == _EARLIEST:
        return -1, source.start_offset
    found = source.newest() if wanted == _MAX_TIMESTAMP else source.offset_for_time(wanted)
    return (found[1], found[0]) if found else (-1, -1)


def delete_records(broker: Broker, request: Request, out: Writer) -> None:
    body = request.body

    def partition(topic: str) -> tuple[int, int, Code]:
        index, offset = body.i32(), body.i64()
        try:
            return index, broker.topics.partition(topic, index).delete_before(offset), Code.NONE
        except KafkaError as error:
            return index, -1, error.code
        except OSError:
            return index, -1, Code.KAFKA_STORAGE_ERROR

    def topic() -> tuple[str, list[tuple[int, int, Code]]]:
        name = body.string()
        return name, body.array(lambda: partition(name))

    def write_partition(result: tuple[int, int, Code]) -> None:
        index, low_watermark, code = result
        out.i32(index)
        out.i64(low_watermark)
        out.i16(code)

    def write_topic(result: tuple[str, list[tuple[int, int, Code]]]) -> None:
        out.string(result[0])
        out.array(result[1], write_partition)

    no_throttle(request, out)
    out.array(body.array(topic), write_topic)
