"""The inlet at full speed: embedded broker, 173-byte JSON, ten columns, unique key; beside fetch and COPY alone."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from benchmarks.database import migrated
from benchmarks.figures import Benchmark
from core.eventlog import roles
from core.kafka.admin import ensure_topics
from core.kafka.connection import Kafka
from core.kafka.handler import BatchResult, PartitionBatch
from core.kafka.inlet import Inlet
from core.kafka.record import Record
from tests.brokers import running

_TOPIC = "transactions"
_PARTITIONS = 4
_RECORDS = 400_000
_TABLE = (
    "create table {name} (id text, account text, amount bigint, channel text, merchant text, event_time bigint,"
    " at bigint, part int, off bigint, score int)"
)


class _Payment(msgspec.Struct, gc=False):
    transaction_id: str
    account_id: str
    amount: int
    event_time: int
    channel: str
    merchant_id: str


_DECODER = msgspec.json.Decoder(_Payment)


def _value(number: int) -> bytes:
    head = (
        b'{"transaction_id":"t-%09d","account_id":"acc-%06d","amount":%d,"event_time":%d,"channel":"PIX",'
        b'"merchant_id":"m-0001","padding":"' % (number, number % 5_000, number % 99_991, 1_700_000_000_000 + number)
    )
    return head + b"x" * (173 - len(head) - 2) + b'"}'


def _row(record: Record, payment: _Payment) -> tuple[Any, ...]:
    return (
        payment.transaction_id,
        payment.account_id,
        payment.amount,
        payment.channel,
        payment.merchant_id,
        payment.event_time,
        record.timestamp,
        record.partition,
        record.offset,
        0,
    )


def _decode(record: Record) -> _Payment:
    return _DECODER.decode(record.value or b"")


class _Copy:
    def state(self, partition: int) -> None:
        return None

    async def handle(self, conn: Any, batches: Sequence[PartitionBatch[None]]) -> BatchResult:
        rows = [_row(record, payment) for batch in batches for record, payment in batch.items]
        await conn.copy_records_to_table("taken", records=rows)
        return BatchResult()


async def _produce(kafka: Kafka) -> None:
    producer = AIOKafkaProducer(**kafka.options(), compression_type="lz4", max_batch_size=256 << 10)
    await producer.start()
    number = 0
    while number < _RECORDS:
        for partition in range(_PARTITIONS):
            batch = producer.create_batch()
            while number < _RECORDS and batch.append(
                key=b"acc-%06d" % (number % 5_000), value=_value(number), timestamp=1_700_000_000_000
            ):
                number += 1
            await producer.send_batch(batch, _TOPIC, partition=partition)
    await producer.stop()


async def _fetch_alone(kafka: Kafka) -> tuple[float, list[Any]]:
    consumer = AIOKafkaConsumer(**kafka.options(), enable_auto_commit=False, max_partition_fetch_bytes=4 << 20)
    await consumer.start()
    partitions = [TopicPartition(_TOPIC, number) for number in range(_PARTITIONS)]
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)
    records: list[Any] = []
    began = time.perf_counter()
    while len(records) < _RECORDS:
        for found in (await consumer.getmany(timeout_ms=100, max_records=10_000)).values():
            records += found
    rate = _RECORDS / (time.perf_counter() - began)
    await consumer.stop()
    return rate, records


async def _copy_alone(conn: Any, records: Sequence[Any]) -> float:
    await conn.execute(_TABLE.format(name="bare"))
    rows = [_row(record, _decode(record)) for record in records]
    began = time.perf_counter()
    for start in range(0, len(rows), 10_000):
        await conn.copy_records_to_table("bare", records=rows[start : start + 10_000])
    return len(rows) / (time.perf_counter() - began)


async def _inlet(kafka: Kafka, dsn: str, conn: Any) -> tuple[float, float]:
    await conn.execute(_TABLE.format(name="taken") + "; create unique index on taken (part, off)")
    await conn.execute(f"grant insert on taken to {roles.INGEST}")
    inlet = Inlet(kafka=kafka, dsn=dsn, topics={_TOPIC: _decode}, handler=_Copy(), worker_id="bench")
    began, cpu = time.perf_counter(), time.process_time()
    running_inlet = asyncio.create_task(inlet.run())
    while inlet.status.records < _RECORDS:
        if running_inlet.done():
            await running_inlet
        await asyncio.sleep(0.01)
    elapsed, used = time.perf_counter() - began, time.process_time() - cpu
    inlet.stop()
    await running_inlet
    rows, distinct = await conn.fetchrow("select count(*), count(distinct id) from taken")
    if not rows == distinct == _RECORDS:
        raise AssertionError(f"{_RECORDS} records in, {rows} rows, {distinct} of them distinct")
    return _RECORDS / elapsed, used / _RECORDS * 1e6


async def _run(dsn: str, kafka: Kafka) -> Benchmark:
    await ensure_topics(kafka, {_TOPIC: _PARTITIONS})
    await _produce(kafka)
    conn = await asyncpg.connect(dsn)
    rate, cost = await _inlet(kafka, dsn, conn)
    fetched, records = await _fetch_alone(kafka)
    copied = await _copy_alone(conn, records)
    await conn.close()
    return Benchmark(
        {"kafka_to_postgres": (rate, "records/s"), "client_cpu": (cost, "us/record")},
        {"fetch_alone": (fetched, "records/s"), "bare_copy_of_the_rows": (copied, "rows/s")},
    )


def measure() -> Benchmark:
    with migrated() as dsn, tempfile.TemporaryDirectory(prefix="sg-bench-") as data, running(Path(data)) as broker:
        return asyncio.run(_run(dsn, broker.kafka))
