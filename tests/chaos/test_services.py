"""The whole of it, with every service killed while payments flow: nothing lost, nothing doubled, nothing missed."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.stack.client import ensure_stack, stop_stack
from core.stack.state import RESTARTING, SERVICES, UP
from tests.contracts.kafka import consumer, read
from tests.core.stack.homes import StackFlags, make_home, remove, until

pytestmark = [pytest.mark.xdist_group("stack"), pytest.mark.timeout(300)]


@pytest.fixture
async def home() -> AsyncIterator[Path]:
    folder = make_home()
    yield folder
    await stop_stack(folder)
    remove(folder)


async def test_every_service_is_killed_while_payments_flow(home: Path) -> None:
    stack = await ensure_stack(StackFlags(home, ksqldb_url=None))
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "core.cli", "run", "--headless", "--for", "15s", "--rate", "40", "--json"),
        env={**os.environ, "STREAMGUARD_HOME": str(home)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(120), consumer(stack.addresses.kafka, "transactions") as source:
        await read(source, 50)
    for name in SERVICES:
        assert stack.status is not None
        service = stack.status.service(name)
        assert service is not None
        assert service.pid is not None
        os.kill(service.pid, signal.SIGKILL)
        await until(stack, name, lambda service: service.state == RESTARTING)
        await until(stack, name, lambda service: service.state == UP)
    out, err = await running.communicate()
    assert running.returncode == 0, err.decode()
    assert b"Traceback" not in err
    summary = json.loads(out.splitlines()[-1])
    assert summary["transactions"] == summary["rows"] >= 50
    assert (summary["lost"], summary["duplicates"]) == (0, 0)
    assert [(run["expected"] > 0, run["missed"]) for run in summary["scenarios"]] == [(True, 0), (True, 0)]
    await stack.close()
