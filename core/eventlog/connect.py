"""Connections of commands to the log's database: on this program's schema, in the role of their task, or a sentence."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg

from core.eventlog import roles
from core.eventlog.archive import open_archive
from core.eventlog.log import EventLog
from core.eventlog.migrate import migrate, pending


class LogUnreachable(Exception):
    """PostgreSQL, or the database in it, cannot be reached; the text says which and what to do."""


async def connect(dsn: str, role: str | None = None) -> Any:
    """A connection whose owner closes it, in the rights of ``role`` or, without one, of the address's own user.

    A database that is not on this program's schema yet is brought to it. Raises ``LogUnreachable``.
    """
    try:
        conn = await asyncpg.connect(dsn)
    except (asyncpg.CannotConnectNowError, asyncpg.InvalidCatalogNameError, OSError, TimeoutError) as error:
        # OSError also for an address that nobody listens at, and a socket that is not there.
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or "no answer in time"
        raise LogUnreachable(
            f"PostgreSQL cannot be reached: {reason}; `streamguard status` says where it should be"
        ) from error
    try:
        if await pending(conn):
            await migrate(conn)
        if role is not None:
            await roles.assume(conn, role)
    except BaseException:
        await conn.close()
        raise
    return conn


@asynccontextmanager
async def connected(dsn: str, role: str | None = None) -> AsyncIterator[Any]:
    """A connection as of ``connect`` for a while."""
    conn = await connect(dsn, role)
    try:
        yield conn
    finally:
        await conn.close()


@asynccontextmanager
async def opened(
    dsn: str, role: str = roles.WRITER, archive_folder: Path | None = None
) -> AsyncIterator[tuple[Any, EventLog]]:
    """A small pool in the role's rights and the log over it, for a while; with a folder also the archived events."""
    async with connected(dsn) as conn:
        archive = None if archive_folder is None else await open_archive(conn, archive_folder)
    async with asyncpg.create_pool(dsn, min_size=1, max_size=4, init=roles.assuming(role)) as pool:
        log = EventLog(pool, archive)
        try:
            yield pool, log
        finally:
            await log.close()
