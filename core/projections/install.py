"""Create a projection's tables: a schema for each generation, views in ``read`` for the one that is live."""

from __future__ import annotations

from typing import Any

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
    schema = projection.schema(generation)
    await conn.execute(f"create schema {schema}")
    await enter(conn, projection, generation)
    await conn.execute(projection.tables)
    await leave(conn)


async def publish(conn: Any, projection: Projection, generation: int) -> None:
    """Show a generation through the views that readers use; they see one or the other, never neither."""
    schema = projection.schema(generation)
    for table in projection.published:
        await conn.execute(f"create or replace view read.{table} as select * from {schema}.{table}")
    if projection.public:
        await conn.execute(projection.public)


async def enter(conn: Any, projection: Projection, generation: int) -> None:
    """Until the transaction ends or ``leave``, names without a schema mean the generation's tables."""
    await conn.execute(f"set local search_path = {projection.schema(generation)}, log, pg_catalog")


async def leave(conn: Any) -> None:
    await conn.execute("set local search_path to default")
