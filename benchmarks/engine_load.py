"""What the engine's benchmarks put into topics, and how they see that a topic is full."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterable

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from confluent_kafka import Producer

PARTITIONS = 4
ROW_BYTES = 253
ACCOUNTS = 5_000
START_MS = 1_767_225_600_000  # 2026-01-01

Message = tuple[int, bytes, bytes, int]  # partition, key, value, time in ms


def filter_rows(count: int) -> Iterable[Message]:
    """Payments of 253 bytes, each tenth above 3,000; the record time is when it is made."""
    for number in range(count):
        amount = 4_500 if number % 10 == 0 else 25
        yield (number % PARTITIONS, *_payment(number, number % ACCOUNTS, amount), START_MS + number)


def even_payments(count: int, per_second: int = 1_000) -> Iterable[Message]:
    """Payments of 5,000 accounts in turn, each account on the partition of its number."""
    for number in range(count):
        account = number % ACCOUNTS
        at = START_MS + number * 1_000 // per_second
        yield (account % PARTITIONS, *_payment(number, account, 25, at), at)


LAST_ACCOUNTS = tuple(b"acc-%05d" % (ACCOUNTS + partition) for partition in range(PARTITIONS))


def suspect_payments(count: int, per_second: int = 100, first: int = 0) -> Iterable[Message]:
    """Payments of 5,000 accounts at random, each hundredth large, each two-hundredth the start of a burst of five;
    at the end a burst of one more account on each partition, ``LAST_ACCOUNTS``. ``first`` is the first one's number,
    which gives its time."""
    dice = random.Random(first)
    burst: list[int] = []
    last = [ACCOUNTS + partition for partition in range(PARTITIONS) for _ in range(5)]
    for index in range(count):
        number = first + index
        at = START_MS + number * 1_000 // per_second
        if index >= count - len(last):
            account = last[index - count]
        else:
            account = burst.pop() if burst else dice.randrange(ACCOUNTS)
            if index % 200 == 0:
                burst = [account] * 4
        amount = 3_500 if dice.randrange(100) == 0 else 25
        yield (account % PARTITIONS, *_payment(number, account, amount, at), at)


def _payment(number: int, account: int, amount: int, at: int = START_MS) -> tuple[bytes, bytes]:
    text = (
        f'{{"transaction_id":"t{number:09d}","amount":{amount}.00,"channel":"pix","merchant_id":"m0042",'
        f'"merchant_category":"groceries","device_id":"d{account:05d}","city":"Recife","state":"PE",'
        f'"event_time":{at},"produced_at":{at},"schema_version":1,"note":"'
    )
    return b"acc-%05d" % account, (text + "x" * (ROW_BYTES - len(text) - 2) + '"}').encode()


def fill(bootstrap: str, topic: str, rows: Iterable[Message]) -> None:
    out = Producer(
        {
            "bootstrap.servers": bootstrap,
            "compression.type": "lz4",
            "linger.ms": 20,
            "batch.size": 262_144,
            "queue.buffering.max.messages": 1_000_000,
        }
    )
    for number, (partition, key, value, at) in enumerate(rows):
        out.produce(topic, value, key=key, partition=partition, timestamp=at)
        if number % 1_000 == 0:
            out.poll(0)
    assert out.flush(120) == 0


async def until_full(bootstrap: str, topic: str, records: int, patience: float = 300.0) -> float:
    """Wait until a topic holds so many records; the time.perf_counter() of that."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await consumer.start()
    places = [TopicPartition(topic, partition) for partition in range(PARTITIONS)]
    give_up = time.perf_counter() + patience
    try:
        while True:
            found = sum((await consumer.end_offsets(places)).values())
            now = time.perf_counter()
            if found >= records:
                return now
            assert now < give_up, f"{topic}: {found} of {records} records came within {patience:.0f} s"
            await asyncio.sleep(0.02)
    finally:
        await consumer.stop()


async def until_seen(
    bootstrap: str, topic: str, keys: Iterable[bytes], text: bytes, since: int = 0, patience: float = 300.0
) -> float:
    """Wait until each key has a record not before ``since`` (ms) whose value holds ``text``; the time.perf_counter()
    of that."""
    wanted = set(keys)
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        async with asyncio.timeout(patience):
            while wanted:
                for records in (await consumer.getmany(timeout_ms=100)).values():
                    wanted -= {r.key for r in records if r.timestamp >= since and text in (r.value or b"")}
        return time.perf_counter()
    finally:
        await consumer.stop()


async def latencies(bootstrap: str, source: str, sink: str, count: int, per_second: int = 1_000) -> list[float]:
    """Send payments one at a time and give the seconds until the first result of each was read from the sink.

    A payment's ``produced_at`` is its time.perf_counter_ns(), which the query under test must pass on.
    """
    out = AIOKafkaProducer(bootstrap_servers=bootstrap)
    read = AIOKafkaConsumer(sink, bootstrap_servers=bootstrap, auto_offset_reset="latest", fetch_max_wait_ms=100)
    await out.start()
    await read.start()
    await read.seek_to_end()
    sent: dict[int, float] = {}
    took: list[float] = []
    warm_up = per_second

    async def gather() -> None:
        while len(took) < count:
            for records in (await read.getmany(timeout_ms=1_000)).values():
                now = time.perf_counter()
                for record in records:
                    made = msgspec.json.decode(record.value, type=_Result).PRODUCED_AT if record.value else None
                    began = sent.pop(made, None) if made is not None else None
                    if began is not None:
                        took.append(now - began)

    gathering = asyncio.create_task(gather())
    begin, at = time.perf_counter(), int(time.time() * 1000)
    for number in range(count + warm_up):
        await asyncio.sleep(max(0.0, begin + number / per_second - time.perf_counter()))
        account = number % ACCOUNTS
        stamp = time.perf_counter_ns()
        if number >= warm_up:
            sent[stamp] = time.perf_counter()
        key, value = _payment(number, account, 25, stamp)
        await out.send(source, value, key=key, partition=account % PARTITIONS, timestamp_ms=at + number)
    await asyncio.wait_for(gathering, 60)
    await read.stop()
    await out.stop()
    return took


class _Result(msgspec.Struct):
    PRODUCED_AT: int | None = None
