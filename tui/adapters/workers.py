"""The worker processes hosted here: one from the start, more or fewer on request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tui import format as show
from tui.ports import Done, Refused, ServiceState, Verdict
from tui.screens.health.port import Hosted

if TYPE_CHECKING:
    from core.workers.supervisor import Supervisor

MOST = 8
"""Processes at most: each takes a core when traffic is high, and leases its share of the partitions."""
WATCH_S = 1.0


class HostedWorkers:
    """``open`` starts the first process; every later change goes through ``scale`` and ``restart``."""

    def __init__(self) -> None:
        self._environment: Mapping[str, str] = {}
        self._logs = Path()
        self._running: list[Supervisor] = []
        self._changing = asyncio.Lock()

    async def open(self, environment: Mapping[str, str], logs: Path) -> None:
        """Start one process, unless some run already. ``environment`` holds the addresses."""
        self._environment, self._logs = environment, logs
        if not self._running:
            await self._add()

    async def close(self) -> None:
        """End all of them after their batches."""
        running, self._running = self._running, []
        await asyncio.gather(*(worker.stop() for worker in running))

    def hosted(self) -> Sequence[Hosted]:
        return [Hosted(worker.pid, worker.restarts) for worker in self._running]

    async def _add(self) -> None:
        from core.workers.supervisor import Supervisor

        worker = Supervisor(self._environment, self._logs / "worker.log")
        await worker.__aenter__()
        self._running.append(worker)

    async def scale(self, count: int) -> Verdict:
        if not 0 <= count <= MOST:
            return Refused(f"between 0 and {MOST} worker processes can be hosted here")
        async with self._changing:
            while len(self._running) < count:
                await self._add()
            while len(self._running) > count:
                await self._running.pop().stop()
        return Done(f"{_processes(count)} hosted here")

    async def restart(self, pid: int) -> Verdict:
        async with self._changing:
            for worker in self._running:
                if worker.pid == pid:
                    self._running.remove(worker)
                    await worker.stop()
                    await self._add()
                    return Done(f"worker process {pid} was restarted; it is {self._running[-1].pid} now")
        return Refused(f"process {pid} is not hosted here; restart it where it runs")

    async def watch(self, on_step: Callable[[ServiceState], None]) -> None:
        """Show every change of the processes, for ever."""
        shown: Sequence[Hosted] = ()
        while True:
            now = self.hosted()
            if now != shown:
                shown = now
                on_step(_state(now))
            await asyncio.sleep(WATCH_S)


def _processes(count: int) -> str:
    return "1 worker process" if count == 1 else f"{count} worker processes"


def _state(hosted: Sequence[Hosted]) -> ServiceState:
    restarts = sum(worker.restarts for worker in hosted)
    number = f"{len(hosted)} processes " if len(hosted) > 1 else ""
    detail = f"{number}hosted here" + (f", {show.counted(restarts, 'restart')}" if restarts else "")
    if not hosted:
        return ServiceState("worker", "stopped", "none is hosted here")
    state = "restarting" if any(worker.pid is None for worker in hosted) else "up"
    return ServiceState("worker", state, detail)
