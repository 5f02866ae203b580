"""Rebuilding account risk from the log while a reader polls it; beside the plainest aggregate over the same events."""

from __future__ import annotations

import asyncio
import os
import time

import asyncpg

from benchmarks.database import migrated
from benchmarks.eventlog_append import items
from benchmarks.figures import Benchmark
from core.eventlog.append import append_bulk
from core.projections.account_risk import ACCOUNT_RISK
from core.projections.prove import prove
from core.projections.rebuild import rebuild
from core.projections.runner import advance

_EVENTS = int(os.environ.get("STREAMGUARD_BENCH_EVENTS", "2000000"))


async def _read(dsn: str, stop: asyncio.Event) -> float:
    """The longest a reader waited, in ms."""
    conn = await asyncpg.connect(dsn)
    longest = 0.0
    while not stop.is_set():
        began = time.perf_counter()
        await conn.fetchrow("select * from account_risk_profile where account_id = 'acc-000017'")
        longest = max(longest, (time.perf_counter() - began) * 1000)
        await asyncio.sleep(0.005)
    await conn.close()
    return longest


async def _run(dsn: str) -> Benchmark:
    conn = await asyncpg.connect(dsn)
    batch = items(500, 500, 40)
    for _ in range(_EVENTS // 20_000):
        async with conn.transaction():
            await append_bulk(conn, batch)
    await conn.execute("vacuum analyze log.event")
    while (step := await advance(conn, ACCOUNT_RISK)).pos < step.head:
        pass
    began = time.perf_counter()
    await conn.fetch(
        "select data ->> 'account_id', count(*), sum((data ->> 'amount')::bigint), max((data ->> 'score')::int)"
        " from log.event where type = 'PaymentDecided' group by 1"
    )
    plain = _EVENTS / (time.perf_counter() - began)
    stop = asyncio.Event()
    reading = asyncio.create_task(_read(dsn, stop))
    began = time.perf_counter()
    await rebuild(conn, ACCOUNT_RISK)
    rate = _EVENTS / (time.perf_counter() - began)
    stop.set()
    longest = await reading
    proof = await prove(conn, ACCOUNT_RISK)
    await conn.close()
    if not proof.equal:
        raise AssertionError(f"the rebuilt projection differs from a replay: {proof.differences}")
    return Benchmark(
        {"rebuild": (rate, "events/s"), "longest_wait_of_a_reader": (longest, "ms")},
        {"one_aggregate_over_all_events": (plain, "events/s")},
    )


def measure() -> Benchmark:
    with migrated() as dsn:
        return asyncio.run(_run(dsn))
