"""One and two workers over 1 to 64 partitions: how fast a backlog is decided, and how much memory that takes.

Payments wait in the topic before a worker begins; the time runs from the first decision to the last, so start-up is not
in it. ``STREAMGUARD_BACKLOG`` sets how many wait (20,000; a million for the figures of the capacity page). The baseline
is one worker over one partition.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from time import monotonic, time
from typing import Any

import psutil

from benchmarks.figures import Benchmark, Figures
from core.scenarios.population import Population
from core.scenarios.traffic import Traffic
from core.settings import load
from core.stack.client import ensure_stack
from core.workers.host import connect
from core.workers.sender import Outgoing, Sender, payment
from core.workers.supervisor import Supervisor

_PARTITIONS = (1, 4, 16, 64)
_WORKERS = (1, 2)
_CHUNK = 2_000
_BACKLOG = int(os.environ.get("STREAMGUARD_BACKLOG", "20000"))


def measure() -> Benchmark:
    figures: dict[str, tuple[float, str]] = {}
    for partitions in _PARTITIONS:
        for workers in _WORKERS:
            with tempfile.TemporaryDirectory(prefix="sg-scale-") as home:
                figures |= asyncio.run(_drain(Path(home), partitions, workers))
    baseline = {name: figures.pop(name) for name in list(figures) if name.endswith("_1_worker_1_partition")}
    return Benchmark(figures, baseline)


async def _drain(home: Path, partitions: int, workers: int) -> Figures:
    settings = load(home=home, kafka_partitions=partitions)
    records = await asyncio.to_thread(_records)
    async with AsyncExitStack() as stack:
        services = await ensure_stack(settings)
        stack.push_async_callback(services.close)
        addresses = services.addresses
        pool = await connect(addresses.postgres)
        stack.push_async_callback(pool.close)
        async with Sender(settings.cluster(addresses.kafka)) as sender:
            for start in range(0, len(records), _CHUNK):
                await sender.send(records[start : start + _CHUNK])
        environment = settings.environment_at(addresses.kafka, addresses.ksqldb, addresses.postgres)
        running = [
            await stack.enter_async_context(
                Supervisor(environment, home / "logs" / f"worker-{number}.log", ["consumer"])
            )
            for number in range(workers)
        ]
        rate, memory = await _watch(pool, running)
    words = f"{workers}_worker{'s' * (workers > 1)}_{partitions}_partition{'s' * (partitions > 1)}"
    return {f"rate_{words}": (rate, "payments/s"), f"memory_{words}": (memory / 2**20, "MB a worker")}


async def _watch(pool: Any, running: list[Supervisor]) -> tuple[float, float]:
    """(payments a second between the first batch and the last, the largest resident memory of a worker in bytes)."""
    began, first, decided, memory = 0.0, 0, 0, 0.0
    while decided < _BACKLOG:
        decided = int(await pool.fetchval("select count(*) from read.payment"))
        if decided and not began:
            began, first = monotonic(), decided
        for worker in running:
            if worker.pid is not None:
                memory = max(memory, float(psutil.Process(worker.pid).memory_info().rss))
        await asyncio.sleep(0.05)
    return (decided - first) / max(monotonic() - began, 1e-3), memory


def _records() -> list[Outgoing]:
    traffic = Traffic(Population(7, 5_000_000), 7, "scale")
    return [payment(tx) for tx in traffic.stream(_BACKLOG, int(time() * 1000), 5_000.0)]
