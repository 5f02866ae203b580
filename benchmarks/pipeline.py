"""The whole pipeline on the embedded stack: producer, broker, ksqlDB's rules, consumer, log; its rate and its latency.

Latency is from the producer's clock to the moment at which a reader of the event log has the decision in hand, so
commit and notification are in it. The baseline is a consumer that commits one row a payment to the same PostgreSQL.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from time import monotonic, time

import asyncpg

from benchmarks.figures import Benchmark, Figures, percentile
from core.eventlog import EventLog, Meta
from core.scenarios.population import Population
from core.scenarios.traffic import Traffic
from core.settings import load
from core.stack.client import ensure_stack
from core.workers.producer import STREAM
from core.workers.sender import Outgoing, Sender, payment
from core.workers.session import Session, session
from schema import transaction
from schema.events import PaymentDecided, TrafficRateSet

_TASKS = ("producer", "consumer", "projector", "rules")
_BULK = 60_000
_CHUNK = 1_000
_AHEAD = 20_000
_STEADY_S = 12.0
_WARM_S = 4.0
_RATES = (500, 1_000)
_SINGLES = 2_000


def measure() -> Benchmark:
    with tempfile.TemporaryDirectory(prefix="sg-bench-") as home:
        return asyncio.run(_measure(Path(home)))


async def _measure(home: Path) -> Benchmark:
    figures: dict[str, tuple[float, str]] = {}
    settings = load(home=home)
    async with session(settings, lambda step: None, _TASKS) as work:
        await work.ready(_TASKS)
        for rate in _RATES:
            figures |= await _latency(work, rate)
        figures |= await _sustained(work)
        stack = await ensure_stack(settings)
        baseline = await _one_commit_a_row(stack.addresses.postgres)
        await stack.close()
    return Benchmark(figures, baseline)


async def _latency(work: Session, rate: int) -> Figures:
    found: list[float] = []
    reading = asyncio.create_task(_read(work.log, await work.log.head() + 1, found))
    await _set_rate(work, rate)
    await asyncio.sleep(_WARM_S)
    found.clear()
    await asyncio.sleep(_STEADY_S)
    seen = list(found)
    await _set_rate(work, 0)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    await work.settle(30.0)
    return {
        f"latency_p50_at_{rate}": (percentile(seen, 50), "ms"),
        f"latency_p99_at_{rate}": (percentile(seen, 99), "ms"),
        f"decided_at_{rate}": (len(seen) / _STEADY_S, "payments/s"),
    }


async def _read(log: EventLog, position: int, found: list[float]) -> None:
    async for batch in log.subscribe(position, types=["PaymentDecided"]):
        now = time() * 1000
        for recorded in batch:
            event = recorded.event
            if isinstance(event, PaymentDecided) and event.revision == 0 and event.produced_at is not None:
                found.append(now - event.produced_at)


async def _set_rate(work: Session, rate: int) -> None:
    await work.log.append(STREAM, [TrafficRateSet(rate=rate, operator="benchmark")], meta=Meta(actor="benchmark"))


async def _sustained(work: Session) -> Figures:
    """Payments made before are sent as fast as they are taken in, at most 20,000 ahead."""
    records = await asyncio.to_thread(_records)
    before = await work.committed()
    began = monotonic()
    async with Sender(work.kafka) as sender:
        for start in range(0, _BULK, _CHUNK):
            await sender.send(records[start : start + _CHUNK])
            await _taken_in(work, before, sender.sent - _AHEAD)
    await _taken_in(work, before, _BULK)
    elapsed = monotonic() - began
    await work.settle(60.0)
    return {"sustained": (_BULK / elapsed, "payments/s")}


async def _taken_in(work: Session, before: dict[tuple[str, int], int], payments: int) -> None:
    while True:
        if _moved(before, await work.committed()) >= payments:
            return
        await asyncio.sleep(0.01)


def _moved(before: dict[tuple[str, int], int], now: dict[tuple[str, int], int]) -> int:
    return sum(offset - before.get(lane, 0) for lane, offset in now.items() if lane[0] == transaction.TOPIC)


def _records() -> list[Outgoing]:
    start = int(time() * 1000)
    traffic = Traffic(Population(7, 5_000_000), 7, "bench")
    return [payment(tx) for tx in traffic.stream(_BULK, start, 5_000.0)]


async def _one_commit_a_row(dsn: str) -> Figures:
    conn = await asyncpg.connect(dsn)
    try:
        await conn.execute("create table public.single (id text primary key, account text, amount bigint)")
        began = monotonic()
        for number in range(_SINGLES):
            await conn.execute("insert into public.single values ($1, $2, $3)", f"t{number}", "a", number)
        elapsed = monotonic() - began
    finally:
        await conn.close()
    return {"one_commit_a_row": (_SINGLES / elapsed, "payments/s")}
