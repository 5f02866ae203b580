"""A worker on a server: it says that it is ready, and SIGTERM drains it within 10 s with its leases given up."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import pytest

import core
from tests.brokers import Broker
from tests.core.kafka.intake import send

WITHIN_S = 10.0


async def _ready(url: str, process: asyncio.subprocess.Process) -> dict[str, Any]:
    """What `/readyz` says once it is 200."""
    async with httpx.AsyncClient(base_url=url, timeout=5) as web:
        while process.returncode is None:
            try:
                answer = await web.get("/readyz")
            except httpx.HTTPError:
                answer = None
            if answer is not None and answer.status_code == 200:
                found: dict[str, Any] = answer.json()
                return found
            await asyncio.wait([asyncio.create_task(process.wait())], timeout=0.1)
    raise AssertionError("the worker ended while it was starting")


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
async def test_a_worker_drains_within_ten_seconds(
    signum: signal.Signals, broker: Broker, postgres_dsn: str, pool: Any, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    log = (tmp_path / "worker.log").open("wb")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "core.cli", "workers", "--only", "consumer,projector"),
        *("--http", f"127.0.0.1:{port}"),
        env={
            **os.environ,
            "STREAMGUARD_HOME": str(tmp_path),
            "STREAMGUARD_KAFKA": broker.address,
            "STREAMGUARD_KSQLDB": "http://127.0.0.1:9",
            "STREAMGUARD_POSTGRES": postgres_dsn,
            "PYTHONPATH": str(Path(core.__file__).parents[1]),
        },
        stdout=log,
        stderr=log,
    )
    try:
        async with asyncio.timeout(90):
            said = await _ready(f"http://127.0.0.1:{port}", process)
            assert said["tasks"].keys() == {"consumer", "projector"}
            while not await pool.fetchval("select count(*) from ops.koff where owner is not null"):
                await pool.execute("select pg_sleep(0.05)")
            await send(broker.kafka, (b"{}" for _ in range(500)))  # work in hand: all of it is set aside
        began = monotonic()
        process.send_signal(signum)
        async with asyncio.timeout(60):
            code = await process.wait()
        assert code == 0, (tmp_path / "worker.log").read_text()[-2000:]
        # What does not drain is cut off at 8 s; a busy machine may add to that.
        assert monotonic() - began < WITHIN_S + 20
        held = await pool.fetchval("select count(*) from ops.koff where owner is not null and lease_until > now()")
        assert held == 0
    finally:
        log.close()
        if process.returncode is None:
            process.kill()
            await process.wait()
