"""The projector as a task: keeps every projection up with the log, and seals the log behind it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import structlog

from core.eventlog import EventLog, keys, witness
from core.eventlog.seal import RANGE, Head, seal
from core.projections.rebuild import renew
from core.projections.runner import Runner
from core.projections.standing import standings
from core.workers.task import Status, pause, until_stopped

_SHOW_S = 1.0
_SEAL_S = 10.0
_RENEW_S = 60.0
_AHEAD = 1_000_000  # positions for which partitions are there before they are needed
_log = structlog.get_logger(__name__)


class Projector:
    name = "projector"

    def __init__(self, pool: Any, log: EventLog, witness_file: Path) -> None:
        self.status = Status()
        self._pool = pool
        self._log = log
        self._witness = witness_file

    async def run(self, stop: asyncio.Event) -> None:
        """Fold until stopped."""
        running = asyncio.create_task(Runner(self._pool, self._log).run())
        sealing = asyncio.create_task(self._seal())
        renewing = asyncio.create_task(self._renew())
        await until_stopped(stop, running, sealing, renewing, asyncio.create_task(self._show()))
        self.status.state = "stopped"

    async def _seal(self) -> None:
        """Off the write path: seal what a time has brought, range by range; make the log's next partitions."""
        while True:
            await asyncio.sleep(_SEAL_S)
            await self._pool.execute("select log.extend(pos + $1) from log.head where capacity < pos + $1", _AHEAD)
            while (head := await self._seal_next()) is not None:
                await asyncio.to_thread(witness.add, self._witness, head)
                _log.info("sealed", no=head.no, to_position=head.to_pos, chain=head.chain)
                if head.to_pos - head.from_pos + 1 < RANGE:
                    break

    async def _seal_next(self) -> Head | None:
        """Seal the next range; what prevents it stops no fold, and is said each time."""
        try:
            signer = await asyncio.to_thread(keys.load, self._witness.with_name("seal.key"))
            async with self._pool.acquire() as conn:
                return await seal(conn, signer=signer)
        except (keys.KeyFileError, LookupError) as error:
            _log.error("the log cannot be sealed", reason=str(error))
            return None

    async def _renew(self) -> None:
        """Rebuild what an older program has made, at a start and where another worker could not."""
        while True:
            async with self._pool.acquire() as conn:
                for name in await renew(conn):
                    _log.info("rebuilt in this version", projection=name)
            await asyncio.sleep(_RENEW_S)

    async def _show(self) -> None:
        never = asyncio.Event()
        while True:
            async with self._pool.acquire() as conn:
                found = [standing for standing in await standings(conn) if standing.live]
            parked = [standing.name for standing in found if standing.status == "parked"]
            self.status.state = "parked" if parked else "running"
            self.status.detail = {"lag": max((standing.lag_events for standing in found), default=0), "parked": parked}
            await pause(never, _SHOW_S)
