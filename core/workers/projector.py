"""The projector as a task: keeps every projection up with the log."""

from __future__ import annotations

import asyncio
from typing import Any

from core.eventlog import EventLog
from core.projections.runner import Runner
from core.projections.standing import standings
from core.workers.task import Status, pause, until_stopped

_SHOW_S = 1.0


class Projector:
    name = "projector"

    def __init__(self, pool: Any, log: EventLog) -> None:
        self.status = Status()
        self._pool = pool
        self._log = log

    async def run(self, stop: asyncio.Event) -> None:
        """Fold until stopped."""
        running = asyncio.create_task(Runner(self._pool, self._log).run())
        await until_stopped(stop, running, asyncio.create_task(self._show()))
        self.status.state = "stopped"

    async def _show(self) -> None:
        never = asyncio.Event()
        while True:
            async with self._pool.acquire() as conn:
                found = [standing for standing in await standings(conn) if standing.live]
            parked = [standing.name for standing in found if standing.status == "parked"]
            self.status.state = "parked" if parked else "running"
            self.status.detail = {"lag": max((standing.lag_events for standing in found), default=0), "parked": parked}
            await pause(never, _SHOW_S)
