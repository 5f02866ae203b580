"""Reading: forward through the whole log beside a bare fetch, and from append to subscriber."""

from __future__ import annotations

import asyncio
import time

import asyncpg

from benchmarks.database import migrated
from benchmarks.eventlog_append import items
from benchmarks.figures import Benchmark, Figures, percentile
from core.eventlog import EventLog, Meta
from core.eventlog.append import append_bulk
from schema.events import CaseNoted

_EVENTS = 200_000
_RATE = 1_000
_SECONDS = 5


async def _deliveries(dsn: str) -> list[float]:
    """Milliseconds from the call of ``append`` to the subscriber's hands, at ``_RATE`` events a second."""
    async with asyncpg.create_pool(dsn, min_size=2, max_size=6) as pool:
        log, reader = EventLog(pool), EventLog(pool)
        sent: dict[str, float] = {}
        latencies: list[float] = []
        start = await log.head() + 1
        ready = asyncio.Event()

        async def follow() -> None:
            async for batch in reader.subscribe(start):
                now = time.perf_counter()
                latencies.extend((now - sent[recorded.stream]) * 1000 for recorded in batch if recorded.stream in sent)
                ready.set()
                if len(latencies) == _RATE * _SECONDS:
                    return

        following = asyncio.create_task(follow())
        await log.append("case-warm", [CaseNoted(case_id="w", operator="o", text="")], meta=Meta(actor="o"))
        await ready.wait()
        began = time.perf_counter()
        pending: set[asyncio.Task[object]] = set()
        for number in range(_RATE * _SECONDS):
            await asyncio.sleep(max(0.0, began + number / _RATE - time.perf_counter()))
            stream = f"case-{number}"
            sent[stream] = time.perf_counter()
            event = CaseNoted(case_id=stream, operator="o", text="seen")
            task: asyncio.Task[object] = asyncio.create_task(log.append(stream, [event], meta=Meta(actor="o")))
            pending.add(task)
            task.add_done_callback(pending.discard)
        await following
        await asyncio.gather(*pending)
        await reader.close()
        await log.close()
    return latencies


async def _run(dsn: str) -> Benchmark:
    conn = await asyncpg.connect(dsn)
    for _ in range(_EVENTS // 10_000):
        async with conn.transaction():
            await append_bulk(conn, items(200, 200, 50))
    await conn.execute("vacuum analyze log.event")
    query = "select * from log.event where pos >= $1 order by pos limit 1000"
    began = time.perf_counter()
    for start in range(1, _EVENTS, 1_000):
        await conn.fetch(query, start)
    bare = _EVENTS / (time.perf_counter() - began)
    await conn.close()
    async with asyncpg.create_pool(dsn, min_size=2, max_size=4) as pool:
        log = EventLog(pool)
        began, cpu = time.perf_counter(), time.process_time()
        seen = 0
        async for batch in log.subscribe(1, upto=_EVENTS):
            seen += len(batch)
        rate, cost = seen / (time.perf_counter() - began), (time.process_time() - cpu) / seen * 1e6
        decoded = 0
        began = time.perf_counter()
        async for batch in log.subscribe(1, upto=50_000):
            decoded += sum(recorded.event is not None for recorded in batch)
        with_events = decoded / (time.perf_counter() - began)
        await log.close()
    latencies = await _deliveries(dsn)
    figures: Figures = {
        "forward_read": (rate, "events/s"),
        "forward_read_client_cpu": (cost, "us/event"),
        "forward_read_with_events_decoded": (with_events, "events/s"),
        "append_to_subscriber_at_1000_s_p50": (percentile(latencies, 50), "ms"),
        "append_to_subscriber_at_1000_s_p99": (percentile(latencies, 99), "ms"),
    }
    return Benchmark(figures, {"bare_fetch_pages_of_1000": (bare, "rows/s")})


def measure() -> Benchmark:
    with migrated() as dsn:
        return asyncio.run(_run(dsn))
