"""Appending: single appends that share transactions, batches over many streams, and the bulk path beside bare COPY."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import asyncpg

from benchmarks.database import migrated
from benchmarks.figures import Benchmark, Figures, percentile
from core.eventlog import EventLog, Item, Meta
from core.eventlog.append import append_bulk, encode_items
from schema.events import PaymentDecided, Source

_META = Meta(actor="consumer")
_CALLERS = 256
_BARE = (
    "create table bare (pos bigint, stream text, version int, type text, schema_ver smallint,"
    " at timestamptz default clock_timestamp(), data jsonb, meta jsonb)"
)


def _event(number: int) -> PaymentDecided:
    return PaymentDecided(
        transaction_id=f"t-{number:09d}",
        account_id=f"acc-{number % 5_000:06d}",
        amount=12_345,
        decision="approve",
        score=10,
        event_time=1_700_000_000_000 + number,
        channel="PIX",
        merchant_id="m-0001",
        source=Source(topic="transactions", partition=1, offset=number),
        produced_at=1_700_000_000_000,
    )


def items(count: int, streams: int, each: int = 1) -> list[Item]:
    return [
        Item(f"account-{i % streams:06d}", [_event(i * each + k) for k in range(each)], _META) for i in range(count)
    ]


async def _singles(log: EventLog, seconds: float) -> tuple[float, list[float]]:
    """Rate and latencies (ms) of ``_CALLERS`` callers that each append one event after another."""
    latencies: list[float] = []
    stop = time.perf_counter() + seconds

    async def caller(number: int) -> None:
        event = _event(number)
        while (began := time.perf_counter()) < stop:
            await log.append(f"account-{number:06d}", [event], meta=_META)
            latencies.append((time.perf_counter() - began) * 1000)

    began = time.perf_counter()
    await asyncio.gather(*(caller(number) for number in range(_CALLERS)))
    return len(latencies) / (time.perf_counter() - began), latencies


async def _bulk(conn: Any, batch: list[Item], rounds: int) -> float:
    events = sum(len(item.events) for item in batch)
    began = time.perf_counter()
    for _ in range(rounds):
        async with conn.transaction():
            await append_bulk(conn, batch)
    return rounds * events / (time.perf_counter() - began)


async def _bare_copy(conn: Any, batch: list[Item], rounds: int) -> float:
    rows = [
        (number, item.stream, number, name, version, data, "{}")
        for item, encoded in zip(batch, encode_items(batch), strict=True)
        for number, (name, version, data) in enumerate(encoded)
    ]
    columns = ("pos", "stream", "version", "type", "schema_ver", "data", "meta")
    began = time.perf_counter()
    for _ in range(rounds):
        async with conn.transaction():
            await conn.copy_records_to_table("bare", columns=columns, records=rows)
    return rounds * len(rows) / (time.perf_counter() - began)


async def _plain_insert(conn: Any, seconds: float) -> float:
    count, stop, began = 0, time.perf_counter() + seconds, time.perf_counter()
    while time.perf_counter() < stop:
        await conn.execute("insert into bare (pos, stream, data, meta) values ($1, 'a', '{\"a\": 1}', '{}')", count)
        count += 1
    return count / (time.perf_counter() - began)


async def _run(dsn: str) -> Benchmark:
    async with asyncpg.create_pool(dsn, min_size=2, max_size=6) as pool:
        log = EventLog(pool)
        await _singles(log, 0.5)
        rate, latencies = await _singles(log, 4.0)
        lone = []
        for number in range(300):
            began = time.perf_counter()
            await log.append("account-lone", [_event(number)], meta=_META)
            lone.append((time.perf_counter() - began) * 1000)
        await log.close()
        async with pool.acquire() as conn:
            await conn.execute(_BARE)
            await _bulk(conn, items(1_000, 1_000), 3)
            batches = await _bulk(conn, items(1_000, 1_000), 30)
            copied = await _bulk(conn, items(200, 200, 50), 15)
            bare = await _bare_copy(conn, items(200, 200, 50), 30)
            inserts = await _plain_insert(conn, 1.0)
    figures: Figures = {
        "single_appends_256_callers": (rate, "events/s"),
        "single_append_256_callers_p50": (percentile(latencies, 50), "ms"),
        "single_append_256_callers_p99": (percentile(latencies, 99), "ms"),
        "lone_append_p50": (percentile(lone, 50), "ms"),
        "batches_of_1000_over_1000_streams": (batches, "events/s"),
        "bulk_10000_over_200_streams": (copied, "events/s"),
        "bulk_share_of_bare_copy": (copied / bare, "ratio"),
    }
    return Benchmark(
        figures, {"bare_copy_into_a_heap": (bare, "rows/s"), "plain_inserts_1_caller": (inserts, "rows/s")}
    )


def measure() -> Benchmark:
    with migrated() as dsn:
        return asyncio.run(_run(dsn))
