"""Build a projection anew beside the live one, then change over: readers see one or the other, never neither.

The new generation has a checkpoint of its own, so a rebuild that was cancelled or killed goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import asyncpg
import structlog

from core.eventlog import advisory
from core.eventlog.archive import Archived, need_all
from core.projections import PROJECTIONS, Projection
from core.projections.install import create, publish
from core.projections.runner import advance, catch_up

_NEAR = 5_000
_RANGE = 50_000
_log = structlog.get_logger(__name__)

Progress = Callable[[int, int], None]
"""Called with the position reached and the head of the log."""


class RebuildError(Exception):
    """The rebuild cannot go on; the text says why."""


async def rebuild(conn: Any, projection: Projection, progress: Progress = lambda pos, head: None) -> int:
    """Rebuild on a connection of one's own; returns the new generation. The live one runs and is read meanwhile.

    Raises ``RebuildError`` when another rebuild of the projection runs or an event cannot be folded, ``Archived`` where
    the database does not hold the log from its beginning.
    """
    await need_all(conn)
    if not await conn.fetchval("select pg_try_advisory_lock($1, hashtext($2))", advisory.REBUILD, projection.name):
        raise RebuildError(f"{projection.name} is being rebuilt by someone else")
    try:
        generation = await _begin(conn, projection)
        while True:
            step = await advance(conn, projection, generation, _RANGE)
            progress(step.pos, step.head)
            if not step.running:
                raise RebuildError(f"{projection.name} parked at position {step.pos + 1} while rebuilding")
            if step.head - step.pos <= _NEAR and await _change_over(conn, projection, generation):
                break
        await _retire(conn, projection, generation)
        return generation
    finally:
        await advisory.unlock(conn, advisory.REBUILD, projection.name)


async def renew(conn: Any) -> list[str]:
    """Rebuild each projection whose live tables are of an older version than this program's; returns their names.

    One that another process rebuilds is left to it; one that parks meanwhile stays as it is and says so.
    """
    live = await conn.fetch("select name, version from ops.projection where live")
    versions = {row["name"]: row["version"] for row in live}
    renewed = []
    for projection in PROJECTIONS:
        if versions.get(projection.name, projection.version) < projection.version:
            try:
                await rebuild(conn, projection)
            except (RebuildError, Archived) as error:
                _log.error("a projection of an older version stays", projection=projection.name, reason=str(error))
            else:
                renewed.append(projection.name)
    return renewed


async def _begin(conn: Any, projection: Projection) -> int:
    """The generation to build: one left half-built by this version of the projection, or a new one."""
    async with conn.transaction():
        half = await conn.fetch(
            "select generation, version from ops.projection where name = $1 and not live", projection.name
        )
        for row in half:
            if row["version"] == projection.version:
                await conn.execute(
                    "update ops.projection set status = 'rebuilding', failed_pos = null, failed_reason = null"
                    " where name = $1 and generation = $2",
                    projection.name,
                    row["generation"],
                )
                return int(row["generation"])
            await _drop(conn, projection, row["generation"])
        newest = await conn.fetchval("select max(generation) from ops.projection where name = $1", projection.name)
        generation = int(newest) + 1
        await create(conn, projection, generation)
        await conn.execute(
            "insert into ops.projection (name, generation, version, live, status)"
            " values ($1, $2, $3, false, 'rebuilding')",
            projection.name,
            generation,
            projection.version,
        )
        return generation


async def _change_over(conn: Any, projection: Projection, generation: int) -> bool:
    """Stop the live runner by its row, fold the rest, swap the views; false when readers did not let us in time.

    A view's lock waits for transactions that read through it, and new readers would wait behind us: so we ask for it
    briefly and try again rather than make anyone wait.
    """
    try:
        async with conn.transaction():
            await conn.execute("set local lock_timeout = '50ms'")
            await conn.fetch(
                "select from ops.projection where name = $1 and (live or generation = $2)"
                " order by generation for update",
                projection.name,
                generation,
            )
            await catch_up(conn, projection, generation)
            await conn.execute("update ops.projection set live = false where name = $1 and live", projection.name)
            await conn.execute(
                "update ops.projection set live = true, status = 'running' where name = $1 and generation = $2",
                projection.name,
                generation,
            )
            await publish(conn, projection, generation)
    except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
        return False
    return True


async def _retire(conn: Any, projection: Projection, generation: int) -> None:
    """Drop what the new generation has replaced; readers still in its tables are waited for, not disturbed."""
    old = await conn.fetch(
        "select generation from ops.projection where name = $1 and generation <> $2", projection.name, generation
    )
    for row in old:
        async with conn.transaction():
            await _drop(conn, projection, row["generation"])


async def _drop(conn: Any, projection: Projection, generation: int) -> None:
    await conn.execute(f"drop schema {projection.schema(generation)} cascade")
    await conn.execute("delete from ops.projection where name = $1 and generation = $2", projection.name, generation)
