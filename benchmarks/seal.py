"""Sealing, signing and verifying the log as the commands do, over two connections; beside hashing the same bytes."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
import time
from pathlib import Path
from typing import Any

import asyncpg

from benchmarks.database import migrated
from benchmarks.eventlog_append import items
from benchmarks.figures import Benchmark
from core.eventlog.append import append_bulk
from core.eventlog.keys import Signer, load
from core.eventlog.seal import RANGE, seal
from core.eventlog.verify import verify

_EVENTS = 200_000


async def _timed(work: Any) -> tuple[float, float]:
    """Microseconds an event: on the wall, and of this process's CPU."""
    began, cpu = time.perf_counter(), time.process_time()
    await work
    return (time.perf_counter() - began) / _EVENTS * 1e6, (time.process_time() - cpu) / _EVENTS * 1e6


async def _seal_all(conn: Any, helper: Any, signer: Signer) -> None:
    while await seal(conn, signer=signer, helpers=[helper]) is not None:
        pass


async def _verify_all(conn: Any, helper: Any, signer: Signer) -> None:
    if findings := await verify(conn, keys=[signer.key], helpers=[helper]):
        raise AssertionError(f"a log that nobody touched does not verify: {findings[0].what}")


async def _run(dsn: str, signer: Signer) -> Benchmark:
    conn, helper = await asyncpg.connect(dsn), await asyncpg.connect(dsn)
    batch = items(200, 200, 50)
    for _ in range(_EVENTS // 10_000):
        async with conn.transaction():
            await append_bulk(conn, batch)
    await conn.execute("vacuum analyze log.event")
    seal_wall, seal_cpu = await _timed(_seal_all(conn, helper, signer))
    verify_wall, verify_cpu = await _timed(_verify_all(conn, helper, signer))
    text = (await conn.fetchval("select log.canonical(1, $1)", RANGE)).encode()
    began = time.perf_counter()
    for _ in range(20):
        hashlib.sha256(text).digest()
    alone = (time.perf_counter() - began) / (20 * RANGE) * 1e6
    await helper.close()
    await conn.close()
    return Benchmark(
        {
            "seal": (seal_wall, "us/event"),
            "seal_client_cpu": (seal_cpu, "us/event"),
            "verify": (verify_wall, "us/event"),
            "verify_client_cpu": (verify_cpu, "us/event"),
        },
        {"sha256_of_the_same_bytes": (alone, "us/event")},
    )


def measure() -> Benchmark:
    with migrated() as dsn, tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_run(dsn, load(Path(folder) / "seal.key")))
