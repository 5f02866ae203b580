"""Hosted worker processes are real children: started, scaled, replaced, ended."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tui.adapters.workers import MOST, HostedWorkers
from tui.ports import Done, Refused, ServiceState


@pytest.fixture
async def workers(tmp_path: Path) -> AsyncIterator[HostedWorkers]:
    made = HostedWorkers()
    nowhere = {
        "STREAMGUARD_HOME": str(tmp_path),
        "STREAMGUARD_KAFKA": "127.0.0.1:1",
        "STREAMGUARD_KSQLDB": "http://127.0.0.1:1",
        "STREAMGUARD_POSTGRES": "postgresql://nobody@127.0.0.1:1/x",
    }
    await made.open(nowhere, tmp_path / "logs")
    yield made
    await made.close()


def _alive(pid: int | None) -> bool:
    try:
        os.kill(pid or 0, 0)
    except ProcessLookupError:
        return False
    return True


async def test_one_is_hosted_from_the_start_and_more_on_request(workers: HostedWorkers) -> None:
    (first,) = workers.hosted()
    assert _alive(first.pid)
    assert await workers.scale(2) == Done("2 worker processes hosted here")
    assert len({worker.pid for worker in workers.hosted()}) == 2
    assert await workers.scale(0) == Done("0 worker processes hosted here")
    assert not _alive(first.pid)
    assert isinstance(await workers.scale(MOST + 1), Refused)
    assert isinstance(await workers.scale(-1), Refused)


async def test_a_restarted_one_is_another_process(workers: HostedWorkers) -> None:
    (before,) = workers.hosted()
    assert before.pid is not None
    assert isinstance(await workers.restart(before.pid), Done)
    (after,) = workers.hosted()
    assert after.pid != before.pid
    assert not _alive(before.pid)
    assert isinstance(await workers.restart(before.pid), Refused)


async def test_every_change_is_shown(workers: HostedWorkers) -> None:
    states: asyncio.Queue[ServiceState] = asyncio.Queue()
    watching = asyncio.create_task(workers.watch(states.put_nowait))
    async with asyncio.timeout(30):
        assert (await states.get()).detail.startswith("hosted here")
        await workers.scale(0)
        while (state := await states.get()).state != "stopped":
            pass
    watching.cancel()
    assert state.detail == "none is hosted here"
