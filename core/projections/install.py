"""Create a projection's tables: a schema for each generation, views in ``read`` for the one that is live."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from core.eventlog.roles import PROJECTOR, READER
from core.projections import PROJECTIONS, Projection


async def install(conn: Any) -> None:
    """Make the first generation of every projection that is not there yet; inside the caller's transaction."""
    for projection in PROJECTIONS:
        known = await conn.fetchval("select exists (select from ops.projection where name = $1)", projection.name)
        if not known:
            await create(conn, projection, 1)
            await conn.execute(
                "insert into ops.projection (name, generation, version, live) values ($1, 1, $2, true)",
                projection.name,
                projection.version,
            )
            await publish(conn, projection, 1)


async def create(conn: Any, projection: Projection, generation: int) -> None:
    """The empty tables of a generation."""
    await conn.execute("select ops.make_generation($1)", projection.schema(generation))
    async with _as_projector(conn):
        await enter(conn, projection, generation)
        await conn.execute(projection.tables)
        await leave(conn)


async def publish(conn: Any, projection: Projection, generation: int) -> None:
    """Show a generation through the views that readers use; they see one or the other, never neither."""
    schema = projection.schema(generation)
    async with _as_projector(conn) as granted:
        for table in projection.published:
            await conn.execute(f"create or replace view read.{table} as select * from {schema}.{table}")
            if granted:
                await conn.execute(f"grant select on read.{table} to {READER}")
        for view, query in projection.public.items():
            await conn.execute(f"create or replace view public.{view} as {query}")
            if granted:
                await conn.execute(f"grant select on public.{view} to {READER}")


@asynccontextmanager
async def _as_projector(conn: Any) -> AsyncIterator[bool]:
    """Make what a projector must be able to replace in the projector's name; false where there is no such role."""
    role = await conn.fetchval("select current_setting('role')")
    exists = await conn.fetchval(
        "select exists (select from pg_roles where rolname = $1 and pg_has_role(session_user, oid, 'member'))",
        PROJECTOR,
    )
    if exists:
        await conn.execute(f"set local role {PROJECTOR}")
    yield bool(exists)
    await conn.execute(f"set local role {role}")


async def enter(conn: Any, projection: Projection, generation: int) -> None:
    """Until the transaction ends or ``leave``, names without a schema mean the generation's tables."""
    await conn.execute(f"set local search_path = {projection.schema(generation)}, log, pg_catalog")


async def leave(conn: Any) -> None:
    await conn.execute("set local search_path to default")
