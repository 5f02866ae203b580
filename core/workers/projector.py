"""The projector as a task: runs the projection runner until stopped."""

from __future__ import annotations

import asyncio
from typing import Any

from core.workers.task import Status


class Projector:
    name = "projector"

    def __init__(self, dsn: str, pool: Any, worker_id: str) -> None:
        self.status = Status()
        self._dsn = dsn
        self._pool = pool
        self._worker = worker_id

    async def run(self, stop: asyncio.Event) -> None: ...
