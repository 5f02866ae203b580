"""The projector as a task: keeps every projection up with the log, shows how far behind each one is."""

from __future__ import annotations

import asyncio
from typing import Any

from core.eventlog import EventLog
from core.eventlog.tail import survive
from core.projections.runner import Runner
from core.projections.standing import Standing, standings
from core.workers.task import Status, until_stopped

_SHOW_S = 1.0


class Projector:
    name = "projector"

    def __init__(self, pool: Any, log: EventLog) -> None:
        self.status = Status()
        self._pool = pool
        self._log = log

    async def run(self, stop: asyncio.Event) -> None:
        """Fold until stopped. Several projectors may run: of each projection one works, the others find it done."""
        running = asyncio.create_task(Runner(self._pool, self._log).run())
        showing = asyncio.create_task(self._show())
        await until_stopped(stop, running, showing)
        self.status.state = "stopped"

    async def _show(self) -> None:
        while True:
            found = [standing for standing in await survive(lambda: standings(self._pool)) if standing.live]
            parked = [standing for standing in found if standing.status == "parked"]
            self.status.state = "parked" if parked else "running"
            self.status.detail = {
                "lag": max((standing.lag_events for standing in found), default=0),
                "lag_s": round(max((standing.lag_s for standing in found), default=0.0), 3),
                "error": "; ".join(_reason(standing) for standing in parked) or None,
            }
            await asyncio.sleep(_SHOW_S)


def _reason(standing: Standing) -> str:
    return f"{standing.name} parked at position {standing.failed_pos}: {standing.failed_reason}"
