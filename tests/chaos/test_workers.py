"""Two worker processes on one stack: one is killed, the other owns everything soon, and nothing is lost or doubled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from tests.brokers import Broker
from tests.core.kafka.intake import send, until

PATIENCE_S = 5.0 if "STREAMGUARD_CHAOS" in os.environ else 30.0  # the promise; elsewhere the machine may be busy
_OWNS = "select count(distinct partition) = $2 from ops.koff where owner like '%-' || $1 and lease_until > now()"

pytestmark = [pytest.mark.timeout(180), pytest.mark.xdist_group("chaos")]


@contextmanager
def workers(broker: Broker, dsn: str, home: Path) -> Iterator[tuple[subprocess.Popen[bytes], subprocess.Popen[bytes]]]:
    """Two consumer processes."""
    env = {
        **os.environ,
        "STREAMGUARD_HOME": str(home),
        "STREAMGUARD_KAFKA": broker.address,
        "STREAMGUARD_POSTGRES": dsn,
        "STREAMGUARD_KSQLDB": "http://127.0.0.1:9",  # consumers do not ask it
    }
    made = [subprocess.Popen([sys.executable, "-m", "core.workers", "--only", "consumer"], env=env) for _ in range(2)]
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
