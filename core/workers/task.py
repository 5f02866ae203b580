"""What a worker's task is, and running it so that a fault restarts it alone."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog

_BACKOFF_S = (0.5, 1.0, 2.0, 5.0)
_STEADY_S = 30.0
_log = structlog.get_logger(__name__)


@dataclass
class Status:
    """What a status row says of a task."""

    state: str = "starting"
    detail: dict[str, Any] = field(default_factory=dict)
    restarts: int = 0


class Task(Protocol):
    """A long-running piece of work; ``run`` returns soon after ``stop`` is set and may raise at any time."""

    name: str
    status: Status

    async def run(self, stop: asyncio.Event) -> None: ...


async def keep_running(task: Task, stop: asyncio.Event) -> None:
    """Run a task until ``stop``; a fault is shown in its status and the task begins anew after a pause."""
    faults = 0
    clock = asyncio.get_running_loop().time
    while not stop.is_set():
        began = clock()
        try:
            await task.run(stop)
            continue
        except Exception as error:
            if clock() - began > _STEADY_S:
                faults = 0
            task.status.state = "restarting"
            task.status.restarts += 1
            task.status.detail["error"] = f"{type(error).__name__}: {error}"[:300]
            _log.exception("a task failed and begins anew", task=task.name)
        await pause(stop, _BACKOFF_S[min(faults, len(_BACKOFF_S) - 1)])
        faults += 1
    task.status.state = "stopped"


async def pause(stop: asyncio.Event, seconds: float) -> bool:
    """Wait, or until ``stop``; true when stopped."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return False
    return True


async def until_stopped(stop: asyncio.Event, *work: asyncio.Task[Any]) -> None:
    """Wait for ``stop`` or the end of one of the tasks, then cancel the others; raises what the ended one raised."""
    waiting = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({waiting, *work}, return_when=asyncio.FIRST_COMPLETED)
        for task in work:
            if task.done():
                task.result()
    finally:
        for task in (waiting, *work):
            task.cancel()
        await asyncio.gather(waiting, *work, return_exceptions=True)
