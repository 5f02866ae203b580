"""A small but whole use of the inlet: a table of what was taken in, a count kept per partition."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import asyncpg
import msgspec
from aiokafka import AIOKafkaProducer

from core.eventlog import roles
from core.kafka.connection import Kafka
from core.kafka.handler import BatchResult, PartitionBatch
from core.kafka.inlet import Inlet
from core.kafka.record import Record

TABLE = (
    "create table taken (topic text, part int, off bigint, id text not null, amount bigint check (amount < 1000000))"
)
TOPICS = ("transactions", "fraud_alerts")


class Pay(msgspec.Struct):
    id: str
    amount: int


_DECODER = msgspec.json.Decoder(Pay)


def decode(record: Record) -> Pay:
    return _DECODER.decode(record.value or b"")


class Handler:
    """Stores every record. ``gate`` is awaited inside the transaction; ``states`` counts how often memory was made."""

    def __init__(self, gate: Callable[[], Any] | None = None) -> None:
        self.gate = gate
        self.states = 0

    def state(self, partition: int) -> list[str]:
        self.states += 1
        return []

    async def handle(self, conn: Any, batches: Sequence[PartitionBatch[list[str]]]) -> BatchResult:
        rows = []
        for batch in batches:
            for record, value in batch.items:
                batch.state.append(value.id)
                rows.append((record.topic, record.partition, record.offset, value.id, value.amount))
        await conn.copy_records_to_table("taken", records=rows)
        if self.gate is not None:
            await self.gate()
        return BatchResult()


def inlet(
    kafka: Kafka, dsn: str, worker: str, handler: Handler | None = None, *, max_records: int = 10_000
) -> Inlet[list[str]]:
    return Inlet(
        kafka=kafka,
        dsn=dsn,
        topics=dict.fromkeys(TOPICS, decode),
        handler=handler or Handler(),
        worker_id=worker,
        max_records=max_records,
    )


def pay(number: int, amount: int = 100) -> bytes:
    return b'{"id":"p-%d","amount":%d}' % (number, amount)


async def send(
    kafka: Kafka, values: Iterable[bytes | None], topic: str = "transactions", *, partition: int | None = None
) -> None:
    producer = AIOKafkaProducer(**kafka.options())
    await producer.start()
    try:
        waits = [
            await producer.send(topic, value, key=b"acc-%d" % (number % 37), partition=partition)
            for number, value in enumerate(values)
        ]
        await asyncio.gather(*waits)
    finally:
        await producer.stop()


async def until(conn: Any, query: str, *arguments: Any) -> None:
    """Wait until the query answers true; the test's own time limit bounds it."""
    while not await conn.fetchval(query, *arguments):
        await conn.execute("select pg_sleep(0.02)")


async def connect(dsn: str) -> Any:
    conn = await asyncpg.connect(dsn)
    await conn.execute(TABLE.replace("create table", "create table if not exists"))
    await conn.execute(f"grant all on taken to {roles.INGEST}")
    return conn
