"""Keep every projection up with the log: a range of events and the checkpoint behind it move in one transaction.

The checkpoint's row is locked while its range is folded, so of several runners one works and the others find the work
done. A fold that an event makes fail is repeated over ever shorter ranges until the event stands alone; then that
projection parks, naming it, and all others go on.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import asyncpg
import structlog

from core.eventlog import EventLog
from core.eventlog.tail import survive
from core.projections import PROJECTIONS, Projection
from core.projections.install import enter

RANGE = 20_000
_PARKED_POLL_S = 1.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Step:
    """What one fold did: the position reached, whether more waits, and whether the projection may go on."""

    pos: int
    head: int
    running: bool = True


async def fold_range(conn: Any, projection: Projection, after: int, upto: int, *, live: bool) -> None:
    """Fold the events in ``(after, upto]``; names without a schema must already mean the generation's tables."""
    for statement in projection.fold:
        await conn.execute(statement, after, upto)
    if live:
        for statement in projection.effects:
            await conn.execute(statement, after, upto)


async def _relevant(conn: Any, projection: Projection, after: int, upto: int) -> bool:
    """Whether the range has an event the projection reads; raises ``UnknownVersion`` on one that it cannot."""
    row = await conn.fetchrow(
        "select count(*) as found, min(e.pos) filter (where e.schema_ver > k.version) as newer"
        " from log.event e join unnest($3::text[], $4::int[]) as k (type, version) on k.type = e.type"
        " where e.pos > $1 and e.pos <= $2",
        after,
        upto,
        list(projection.types),
        list(projection.types.values()),
    )
    if row["newer"] is not None:
        raise UnknownVersion(row["newer"])
    return bool(row["found"])


class UnknownVersion(Exception):
    """An event of a newer version than the projection can read stands at ``pos``."""

    def __init__(self, pos: int) -> None:
        super().__init__("the event has a newer version than this Stream Guard knows; update it")
        self.pos = pos


async def pass_over(conn: Any, projection: Projection) -> Step | None:
    """Move the live checkpoint over a range without an event for the projection: most ranges, and one round trip.

    ``None``: there is something to fold, or nothing at all, or the projection stands still.
    """
    row = await conn.fetchrow(
        "update ops.projection p set pos = s.upto, updated_at = clock_timestamp(),"
        "  at = (select at from log.event where pos = s.upto)"
        " from (select q.generation, least(h.pos, q.pos + $3) as upto, h.pos as head,"
        "   set_config('synchronous_commit', 'off', true)"
        "  from ops.projection q cross join log.head h"
        "  where q.name = $1 and q.version = $4 and q.live and q.status = 'running' for update of q) s"
        " where p.name = $1 and p.generation = s.generation and s.upto > p.pos and not exists ("
        "  select from log.event e where e.pos > p.pos and e.pos <= s.upto and e.type = any($2))"
        " returning p.pos, s.head",
        projection.name,
        list(projection.types),
        RANGE,
        projection.version,
    )
    return None if row is None else Step(row["pos"], row["head"])


async def advance(conn: Any, projection: Projection, generation: int | None = None, limit: int = RANGE) -> Step:
    """Fold the next range of the live generation, or of ``generation``, and move its checkpoint, in one transaction."""
    async with conn.transaction():
        row = await conn.fetchrow(
            # A crash loses rows and checkpoint together and they are folded again: no need to wait for the disk.
            "select generation, version, live, pos, status, (select pos from log.head) as head,"
            "  set_config('synchronous_commit', 'off', true) from ops.projection"
            " where name = $1 and case when $2::int is null then live else generation = $2 end for update",
            projection.name,
            generation,
        )
        if row is None:  # while we waited for the row a rebuild made another generation the live one
            return Step(0, 1)
        pos, head = row["pos"], row["head"]
        if row["status"] in ("parked", "paused") or row["version"] != projection.version:
            return Step(pos, head, running=False)  # tables of another version of the projection are not ours to fold
        size = min(limit, head - pos)
        while size > 0:
            try:
                async with conn.transaction():
                    if await _relevant(conn, projection, pos, pos + size):
                        await enter(conn, projection, row["generation"])
                        await fold_range(conn, projection, pos, pos + size, live=row["live"])
                    await conn.execute(
                        "update ops.projection set pos = $3, updated_at = clock_timestamp(),"
                        "  at = (select at from log.event where pos = $3)"
                        " where name = $1 and generation = $2",
                        projection.name,
                        row["generation"],
                        pos + size,
                    )
                return Step(pos + size, head)
            except UnknownVersion as error:
                if error.pos == pos + 1:
                    return await _park(conn, projection, row["generation"], pos, head, error)
                size = error.pos - pos - 1
            except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
                if size == 1:
                    return await _park(conn, projection, row["generation"], pos, head, error)
                size //= 2
        return Step(pos, head)


async def catch_up(conn: Any, projection: Projection, generation: int) -> None:
    """Fold what is left up to the head inside the caller's transaction, which holds the checkpoint's row."""
    while (step := await advance(conn, projection, generation)).pos < step.head and step.running:
        pass


async def _park(conn: Any, projection: Projection, generation: int, pos: int, head: int, error: Exception) -> Step:
    _log.error("a projection parks", projection=projection.name, position=pos + 1, reason=str(error))
    await conn.execute(
        "update ops.projection set status = 'parked', failed_pos = $3, failed_reason = $4,"
        "  updated_at = clock_timestamp() where name = $1 and generation = $2",
        projection.name,
        generation,
        pos + 1,
        f"{type(error).__name__}: {error}"[:500],
    )
    return Step(pos, head, running=False)


class Runner:
    """Runs all projections until cancelled; any number of runners may run at once."""

    def __init__(self, pool: Any, log: EventLog) -> None:
        self._pool = pool
        self._log = log

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for projection in PROJECTIONS:
                group.create_task(self._follow(projection))

    async def _follow(self, projection: Projection) -> None:
        position = 0
        while True:
            await self._log.wait_for(position + 1)
            step = await survive(lambda: self._advance(projection))
            position = step.pos
            if not step.running:
                await asyncio.sleep(_PARKED_POLL_S)
            elif step.pos >= step.head and projection.pace_s:
                await asyncio.sleep(projection.pace_s)

    async def _advance(self, projection: Projection) -> Step:
        async with self._pool.acquire() as conn:
            return await pass_over(conn, projection) or await advance(conn, projection)
