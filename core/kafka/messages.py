"""`streamguard topics read` and `topics produce`: messages of a topic, read by nobody's group, and sent from lines."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from typing import IO, Any

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from core.eventlog import roles
from core.eventlog.act import of_operator
from core.eventlog.append import append_bulk
from core.eventlog.connect import connected
from core.kafka.admin import topics
from core.kafka.connection import Kafka
from core.kafka.rights import needing
from core.output import harmless, note, print_json
from schema.events import MessagesProduced

DONE, NO = 0, 1
_WAIT_MS = 200
_IN_FLIGHT = 5_000
"""Lines that are sent before the first of them has to be acknowledged."""


class WrongStart(ValueError):
    """Neither `beginning`, `end`, an offset nor a time."""


class LineError(ValueError):
    """A line that is no message; the text says which, and why."""


def start_of(text: str) -> tuple[str, int]:
    """``(kind, value)`` for ``seek``: beginning, end, offset, or time (epoch ms) from an ISO 8601 text, local if it
    does not say. Raises ``WrongStart``."""
    if text in ("beginning", "end"):
        return text, 0
    if text.isdecimal():
        return "offset", int(text)
    try:
        return "time", round(datetime.fromisoformat(text).timestamp() * 1000)
    except ValueError:
        raise WrongStart(f"--from {text}: expected beginning, end, an offset, or a time as 2026-11-24T14:00") from None


async def seek(consumer: Any, partitions: Sequence[Any], kind: str, value: int = 0) -> dict[Any, int]:
    """Let the consumer stand at the beginning, at an offset, at the first message of a time (epoch ms), at the end, or
    ``value`` messages (shared among the partitions) before it: latest. Where that does not exist any more or yet it
    stands at the nearest that does. Returns the partitions' ends as they are now."""
    begins = await consumer.beginning_offsets(partitions)
    ends: dict[Any, int] = await consumer.end_offsets(partitions)
    if kind == "time":
        found = await consumer.offsets_for_times(dict.fromkeys(partitions, value))
        wanted = {partition: ends[partition] if at is None else at.offset for partition, at in found.items()}
    elif kind == "offset":
        wanted = dict.fromkeys(partitions, value)
    elif kind == "latest":
        wanted = {partition: end - max(1, value // len(partitions)) for partition, end in ends.items()}
    else:
        wanted = dict(ends if kind == "end" else begins)
    for partition in partitions:
        consumer.seek(partition, min(max(wanted[partition], begins[partition]), ends[partition]))
    return ends


async def read(
    kafka: Kafka,
    topic: str,
    start: str | None,
    count: int,
    *,
    partition: int | None = None,
    follow: bool = False,
    as_json: bool = False,
) -> int:
    """Print ``count`` messages (0: all there are) from ``start`` on, or the newest ones without it; with ``follow``
    those to come as well, until interrupted."""
    kind, value = ("latest", 0) if start is None else start_of(start)
    there = (await topics(kafka)).get(topic, 0)
    chosen = [number for number in range(there) if partition in (None, number)]
    if not chosen:
        note(f"topic {topic} has no partition {partition}" if there else f"there is no topic {topic}")
        return NO
    partitions = [TopicPartition(topic, number) for number in chosen]
    consumer = AIOKafkaConsumer(**kafka.options(), enable_auto_commit=False, auto_offset_reset="earliest")
    with needing(kafka, "Read", "topic", topic):
        await consumer.start()
        try:
            consumer.assign(partitions)
            if kind != "latest":
                await _print_from(consumer, await seek(consumer, partitions, kind, value), count, follow, as_json)
                return DONE
            every = count * len(partitions)  # the newest of all may lie in one partition
            ends = await seek(consumer, partitions, *(("latest", every) if count else ("beginning", 0)))
            newest = sorted([found async for found in _upto(consumer, ends)], key=_age)
            _print(newest[-count:], as_json)
            if follow:
                await _print_from(consumer, ends, 0, follow, as_json)
        finally:
            await consumer.stop()
    return DONE


async def _print_from(consumer: Any, ends: Mapping[Any, int], count: int, follow: bool, as_json: bool) -> None:
    """From where the consumer stands; a message is printed once those read with it are in order of their time."""
    left = count or sys.maxsize
    async for batch in _batches(consumer, None if follow else ends):
        _print(batch[:left], as_json)
        left -= len(batch)
        if left <= 0:
            return


async def _upto(consumer: Any, ends: Mapping[Any, int]) -> AsyncIterator[Any]:
    async for batch in _batches(consumer, ends):
        for record in batch:
            yield record


async def _batches(consumer: Any, ends: Mapping[Any, int] | None) -> AsyncIterator[list[Any]]:
    """What comes, sorted within what came together; up to ``ends`` where they are given."""
    while ends is None or any([await consumer.position(partition) < end for partition, end in ends.items()]):
        found = await consumer.getmany(timeout_ms=_WAIT_MS)
        batch = [r for partition, records in found.items() for r in records if not ends or r.offset < ends[partition]]
        yield sorted(batch, key=_age)


def _age(record: Any) -> tuple[int, int, int]:
    return record.timestamp, record.partition, record.offset


def _print(records: Iterable[Any], as_json: bool) -> None:
    for record in records:
        if as_json:
            print_json(
                {
                    "partition": record.partition,
                    "offset": record.offset,
                    "timestamp": record.timestamp,
                    "key": _text(record.key),
                    "value": _text(record.value),
                    "headers": {name: _text(value) for name, value in record.headers},
                }
            )
        else:
            at = datetime.fromtimestamp(record.timestamp / 1000).isoformat(sep=" ", timespec="milliseconds")
            key, value = (harmless(_text(part) or "-") for part in (record.key, record.value))
            print(f"{record.partition}@{record.offset}  {at}  {key}  {value}", flush=True)


def _text(data: bytes | None) -> str | None:
    """UTF-8 as it is, other bytes as hexadecimal behind 0x."""
    if data is None:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return f"0x{data.hex()}"


async def produce(kafka: Kafka, dsn: str, topic: str, lines: IO[bytes], name: str, key: str, operator: str) -> int:
    """Send the lines of the file ``name`` as messages, and put on record who did.

    A line is a JSON object whose field ``key`` is the message's key; empty lines are none. Other lines end it: what
    stood before is sent, and the sentence names the line.
    """
    async with connected(dsn, roles.WRITER) as conn:  # first: what cannot be put on record is not sent
        code, sent = await _send(kafka, topic, lines, name, key)
        if sent:
            event = MessagesProduced(topic=topic, messages=sent, operator=operator)
            async with conn.transaction():
                await append_bulk(conn, [of_operator(operator, [event])])
    return code


async def _send(kafka: Kafka, topic: str, lines: IO[bytes], name: str, key: str) -> tuple[int, int]:
    """``(exit code, messages acknowledged)``."""
    if topic not in await topics(kafka):
        note(f"there is no topic {topic}: `streamguard topics create {topic}` makes it")
        return NO, 0
    producer = AIOKafkaProducer(**kafka.options(), acks="all", linger_ms=5)
    waiting: list[Any] = []
    code, sent = DONE, 0
    with needing(kafka, "Write", "topic", topic):
        await producer.start()
        try:
            for number, line in enumerate(lines, 1):
                if not (line := line.strip()):
                    continue
                try:
                    waiting.append(await producer.send(topic, line, key=_key(line, key)))
                except LineError as error:
                    note(f"{name}:{number}: {error}; nothing from this line on was sent")
                    code = NO
                    break
                if len(waiting) >= _IN_FLIGHT:
                    sent += len(await asyncio.gather(*waiting))
                    waiting.clear()
                    note(f"sent to {topic}: {sent:,}, going on")
            sent += len(await asyncio.gather(*waiting))
        finally:
            await producer.stop()
    note(f"sent to {topic}: {sent:,}")
    return code, sent


def _key(line: bytes, field: str) -> bytes:
    try:
        value = msgspec.json.decode(line)
    except msgspec.DecodeError as error:
        raise LineError(f"not JSON: {error}") from None
    if not isinstance(value, dict):
        raise LineError("a JSON object is expected")
    if not isinstance(found := value.get(field), str | int) or found == "":
        raise LineError(f"it has no {field}, which is the message's key (--key names another field)")
    return str(found).encode()
