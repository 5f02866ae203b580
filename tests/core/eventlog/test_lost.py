"""A connection that breaks while it holds a lock or listens: letting go of it is no fault of its own."""

from __future__ import annotations

from typing import Any

import asyncpg

from core.eventlog import advisory


async def test_a_lock_of_a_broken_connection_is_given_back_quietly(pool: Any, postgres_dsn: str) -> None:
    other = await asyncpg.connect(postgres_dsn)
    async with pool.acquire() as conn:
        assert await conn.fetchval("select pg_try_advisory_lock($1)", advisory.RULES)
        assert not await other.fetchval("select pg_try_advisory_lock($1)", advisory.RULES)
        await other.execute("select pg_terminate_backend($1)", conn.get_server_pid())
        await advisory.unlock(conn, advisory.RULES)
        await advisory.unlock(conn, advisory.REBUILD, "alert")
    await other.execute("select pg_advisory_lock($1)", advisory.RULES)
    await advisory.unlock(other, advisory.RULES)
    async with pool.acquire() as conn:
        assert await conn.fetchval("select pg_try_advisory_lock($1)", advisory.RULES)
        await advisory.unlock(conn, advisory.RULES)
    await other.close()
