"""Keys of the advisory locks, in one place so that no two meanings share one. SQL functions use 5391001, 5391002 and
5391004."""

from __future__ import annotations

from typing import Any

from core.eventlog.tail import LOST

MIGRATE = 5391000
SEAL = 5391003
REBUILD = 5391010
RULES = 5391011
CLERK = 5391012


async def unlock(conn: Any, key: int, name: str | None = None) -> None:
    """Give a session's lock back, of ``key`` or of a name under it; a connection that broke has done so already."""
    try:
        if name is None:
            await conn.execute("select pg_advisory_unlock($1)", key)
        else:
            await conn.execute("select pg_advisory_unlock($1, hashtext($2))", key, name)
    except LOST:
        pass
