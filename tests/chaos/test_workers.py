"""Worker processes that are killed: another owns everything soon, and nothing is lost, doubled or left unfolded."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from core.eventlog import EventLog, Item
from core.projections import PROJECTIONS
from core.projections.prove import prove
from tests.brokers import Broker
from tests.core.kafka.intake import send, until
from tests.core.projections.stories import story

PATIENCE_S = 5.0 if "STREAMGUARD_CHAOS" in os.environ else 30.0  # the promise; elsewhere the machine may be busy
PROJECTOR_KILLS = 8 if "STREAMGUARD_CHAOS" in os.environ else 2
_OWNS = "select count(distinct partition) = $2 from ops.koff where owner like '%-' || $1 and lease_until > now()"

pytestmark = [pytest.mark.timeout(180), pytest.mark.xdist_group("chaos")]


def worker(task: str, kafka: str, dsn: str, home: Path) -> subprocess.Popen[bytes]:
    """A worker process with one task, which asks no ksqlDB server."""
    env = {
        **os.environ,
        "STREAMGUARD_HOME": str(home),
        "STREAMGUARD_KAFKA": kafka,
        "STREAMGUARD_POSTGRES": dsn,
        "STREAMGUARD_KSQLDB": "http://127.0.0.1:9",
    }
    return subprocess.Popen([sys.executable, "-m", "core.workers", "--only", task], env=env)


@contextmanager
def workers(broker: Broker, dsn: str, home: Path) -> Iterator[tuple[subprocess.Popen[bytes], subprocess.Popen[bytes]]]:
    """Two consumer processes."""
    made = [worker("consumer", broker.address, dsn, home) for _ in range(2)]
    try:
        yield made[0], made[1]
    finally:
        for process in made:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(30)


def payments(first: int, count: int) -> list[bytes]:
    return [
        b'{"transaction_id":"t-%d","account_id":"acc-%d","amount":1.00,"event_time":%d}'
        % (n, n % 37, 1_700_000_000_000 + n)
        for n in range(first, first + count)
    ]


async def test_a_killed_worker_is_taken_over(
    broker: Broker, postgres_dsn: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    conn = await asyncpg.connect(postgres_dsn)
    with workers(broker, postgres_dsn, tmp_path) as (victim, heir):
        for process in (victim, heir):
            await until(conn, _OWNS, str(process.pid), 2)
        await send(broker.kafka, payments(0, 300))
        await until(conn, "select count(*) > 50 from read.payment")
        victim.kill()
        began = time.monotonic()
        await until(conn, _OWNS, str(heir.pid), 4)
        took = time.monotonic() - began
        await send(broker.kafka, payments(300, 300))
        await until(conn, "select count(*) >= 600 from read.payment")
    rows = await conn.fetchrow("select count(*), count(distinct transaction_id) from read.payment")
    events = await conn.fetchrow(
        "select count(*), count(distinct data ->> 'transaction_id') from log.event"
        " where type = 'PaymentDecided' and not data ? 'revision'"
    )
    assert tuple(rows) == tuple(events) == (600, 600)
    assert await conn.fetchval("select pos from log.head") == await conn.fetchval("select count(*) from log.event")
    await conn.close()
    with capsys.disabled():
        print(f"\na killed worker's partitions were taken over in {took:.1f} s; lost 0, double 0")
    assert took < PATIENCE_S


async def test_killed_projectors_leave_every_checkpoint_at_the_head(
    postgres_dsn: str, tmp_path: Path, pool: Any, log: EventLog, capsys: pytest.CaptureFixture[str]
) -> None:
    """Killed with -9 while events come, at moments that nobody chose; the last one finishes what they all began."""
    dice = random.Random(PROJECTOR_KILLS)
    items = story(PROJECTOR_KILLS, 400)
    appending = asyncio.create_task(append_one_by_one(log, items))
    for kill in range(PROJECTOR_KILLS):
        process = worker("projector", "127.0.0.1:9", postgres_dsn, tmp_path)
        mark = int((kill + dice.random()) * len(items) / PROJECTOR_KILLS)
        await until(pool, "select min(pos) >= $1 from ops.projection where live", mark)
        process.kill()
        process.wait(30)
    await appending
    process = worker("projector", "127.0.0.1:9", postgres_dsn, tmp_path)
    await until(pool, "select bool_and(p.pos = h.pos) from ops.projection p cross join log.head h where p.live")
    process.send_signal(signal.SIGTERM)
    process.wait(30)
    async with pool.acquire() as conn:
        proofs = [await prove(conn, projection) for projection in PROJECTIONS]
    assert [proof.projection for proof in proofs if not proof.equal] == []
    assert sum(proof.rows for proof in proofs) > 100
    with capsys.disabled():
        print(f"\n{PROJECTOR_KILLS} projectors killed: all checkpoints at the head, every table equal to a replay")


async def append_one_by_one(log: EventLog, items: Sequence[Item]) -> None:
    for item in items:
        await log.append(item.stream, item.events, meta=item.meta)
