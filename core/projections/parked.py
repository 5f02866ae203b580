"""Getting a parked projection going again: retry the event or pass it over, each on the record."""

from __future__ import annotations

from typing import Any

from core.eventlog.act import of_operator
from core.eventlog.append import append_bulk
from core.projections import Projection
from schema.events import ProjectionRetried, ProjectionSkipped


class NotParked(Exception):
    """The projection does not stand still at an event."""


async def retry(conn: Any, projection: Projection, operator: str) -> int:
    """Take the event up once more; returns its position."""
    async with conn.transaction():
        position = await _unpark(conn, projection, skip=False)
        event = ProjectionRetried(projection=projection.name, position=position, operator=operator)
        await append_bulk(conn, [of_operator(operator, [event])])
    return position


async def skip(conn: Any, projection: Projection, operator: str, reason: str) -> int:
    """Pass the event over; returns its position. A rebuild meets it again."""
    async with conn.transaction():
        position = await _unpark(conn, projection, skip=True)
        event = ProjectionSkipped(projection=projection.name, position=position, operator=operator, reason=reason)
        await append_bulk(conn, [of_operator(operator, [event])])
    return position


async def _unpark(conn: Any, projection: Projection, *, skip: bool) -> int:
    position = await conn.fetchval(
        "select failed_pos from ops.projection where name = $1 and live and status = 'parked' for update",
        projection.name,
    )
    if position is None:
        raise NotParked(f"projection {projection.name} is not parked")
    await conn.execute(
        "update ops.projection set status = 'running', failed_pos = null, failed_reason = null,"
        " pos = case when $2 then failed_pos else pos end where name = $1 and live",
        projection.name,
        skip,
    )
    return int(position)
