"""Where projections stand: how far behind the log, in events and in seconds, and why one does not move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Standing:
    """``lag_s`` is the age of the oldest event not yet folded, 0 when there is none."""

    name: str
    generation: int
    live: bool
    status: str
    pos: int
    lag_events: int
    lag_s: float
    failed_pos: int | None
    failed_reason: str | None


async def standings(conn: Any) -> list[Standing]:
    """Every generation of every projection, the live ones first."""
    rows = await conn.fetch(
        "select p.name, p.generation, p.live, p.status, p.pos, greatest(h.pos - p.pos, 0) as lag_events,"
        "  coalesce(extract(epoch from clock_timestamp() - (select e.at from log.event e where e.pos = p.pos + 1)), 0)"
        "   ::float8 as lag_s,"
        "  p.failed_pos, p.failed_reason"
        " from ops.projection p cross join log.head h order by not p.live, p.name, p.generation"
    )
    return [Standing(**dict(row)) for row in rows]
