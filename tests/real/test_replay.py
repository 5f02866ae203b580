"""A labelled file through the whole pipeline on Apache Kafka, while the worker and the broker are killed.

Nothing may be lost or counted twice, and the decisions must be those of the embedded stack undisturbed. A tenth of the
file and three kills by default; ``make replay-real`` takes all of it, and kills the worker five times and the broker
twice (``STREAMGUARD_REPLAY=whole``).
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

import core
from core.stack.client import stack_status, stop_stack
from tests.core.stack.homes import make_home, remove
from tests.real.apache_kafka import ApacheKafka, cluster
from tests.shared_data import shared

pytestmark = [pytest.mark.xdist_group("replay"), pytest.mark.timeout(3000)]
WHOLE = os.environ.get("STREAMGUARD_REPLAY") == "whole"
ACTS = (
    ("worker", "broker", "worker", "worker", "broker", "worker", "worker") if WHOLE else ("worker", "broker", "worker")
)
_PART = 10


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Handbook's three weeks, or the first part of them."""
    whole = shared("data/handbook_2018-07-25_08-14.csv.gz")
    if WHOLE:
        return whole
    with gzip.open(whole, "rt") as opened:
        lines = opened.readlines()
    part = tmp_path_factory.mktemp("handbook") / "part.csv"
    part.write_text("".join(lines[: len(lines) // _PART]))
    return part


@pytest.fixture
def home() -> Iterator[Path]:
    made = make_home()
    yield made
    asyncio.run(stop_stack(made))
    remove(made)


@asynccontextmanager
async def replaying(file: Path, home: Path, kafka: str | None) -> AsyncIterator[asyncio.subprocess.Process]:
    added = {"STREAMGUARD_HOME": str(home), "PYTHONPATH": str(Path(core.__file__).parents[1])}
    if kafka is not None:
        added["STREAMGUARD_KAFKA"] = kafka
    with (home / "replay.log").open("wb") as told:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "core.cli", "replay", str(file), "--json"),
            env={**os.environ, **added},
            cwd=home,
            stdout=asyncio.subprocess.PIPE,
            stderr=told,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def summary(process: asyncio.subprocess.Process, home: Path) -> dict[str, Any]:
    assert process.stdout is not None
    out = await process.stdout.read()
    assert await process.wait() == 0, (home / "replay.log").read_text()[-4000:]
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return found


async def _database(home: Path, process: asyncio.subprocess.Process) -> Any:
    """A connection to the stack's database, once it has tables."""
    while process.returncode is None:
        status = await stack_status(home)
        service = status.service("postgres") if status is not None else None
        if service is not None:
            with contextlib.suppress(OSError, asyncpg.PostgresError):
                conn = await asyncpg.connect(service.address)
                if await conn.fetchval("select to_regclass('ops.worker_status') is not null"):
                    return conn
                await conn.close()
        await asyncio.wait([asyncio.create_task(process.wait())], timeout=0.1)
    raise AssertionError("the replay ended before it had a database")


async def _disturb(conn: Any, rows: int, kafka: ApacheKafka, process: asyncio.subprocess.Process) -> None:
    """Kill the worker and the broker in turns, each time when a further share of the file is in."""
    for number, act in enumerate(ACTS, 1):
        due = rows * number // (len(ACTS) + 2)
        while process.returncode is None and await conn.fetchval("select count(*) from read.payment") < due:
            await conn.execute("select pg_sleep(0.1)")
        assert process.returncode is None, "the replay ended before it was disturbed"
        if act == "broker":
            await asyncio.to_thread(kafka.kill)
            await asyncio.to_thread(kafka.start, 1)
            continue
        pid = None
        while pid is None:  # the one killed last may still be there to be read
            pid = await conn.fetchval(
                "select pid from ops.worker_status where task = 'consumer' and state = 'running'"
                " and updated_at > clock_timestamp() - interval '2 seconds' order by updated_at desc limit 1"
            )
            if pid is not None:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pid = None


async def test_killed_workers_and_brokers_lose_nothing_double_nothing_and_decide_alike(
    file: Path, home: Path, tmp_path: Path
) -> None:
    quiet = make_home()
    try:
        async with replaying(file, quiet, None) as process:
            undisturbed = await summary(process, quiet)
    finally:
        await stop_stack(quiet)
        remove(quiet)
    with cluster(tmp_path) as kafka:
        async with replaying(file, home, kafka.bootstrap) as process:
            conn = await _database(home, process)
            await _disturb(conn, undisturbed["rows"], kafka, process)
            await conn.close()
            found = await summary(process, home)
    assert (found["lost"], found["duplicates"]) == (0, 0)
    assert found["rows"] == undisturbed["rows"]
    assert found["decisions_digest"] == undisturbed["decisions_digest"]
    assert found["decisions"] == undisturbed["decisions"]
    sys.stderr.write(f"embedded, undisturbed: {undisturbed}\nApache Kafka, killed {ACTS}: {found}\n")
