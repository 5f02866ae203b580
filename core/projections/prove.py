"""Prove that a projection equals a replay of the log, online: nobody waits, nothing stays behind.

One transaction with one snapshot reads the live tables and the position they stand at, folds the log to that position
into temporary tables, compares row by row, and is rolled back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from core.eventlog.archive import need_all
from core.projections import Projection
from core.projections.runner import fold_range

_RANGE = 50_000
_SHOWN = 20


@dataclass(frozen=True)
class Difference:
    """A row that differs; ``None`` stands for a row that is not there. Rows are JSON objects as text."""

    table: str
    key: str
    live: str | None
    replayed: str | None


@dataclass(frozen=True)
class Proof:
    """The projection at ``pos``: ``rows`` compared, the first differences by key, and how many there are."""

    projection: str
    pos: int
    rows: int
    differing: int
    differences: list[Difference] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        return self.differing == 0


def ranges(upto: int, skipped: Collection[int], size: int = _RANGE) -> list[tuple[int, int]]:
    """Ranges (after, up to) that cover positions 1 to ``upto`` but those ``skipped``."""
    found = []
    after = 0
    for stop in [*sorted(position for position in skipped if position <= upto), upto + 1]:
        found += [(start, min(start + size, stop - 1)) for start in range(after, stop - 1, size)]
        after = stop
    return found


async def _passed_over(conn: Any, projection: Projection) -> list[int]:
    """Positions of events that a person let the projection pass over since its tables were made."""
    rows = await conn.fetch(
        "select (data ->> 'position')::bigint as position from log.event"
        " where type = 'ProjectionSkipped' and data ->> 'projection' = $1 and pos > coalesce(("
        "  select max(pos) from log.event where type = 'ProjectionRebuilt' and data ->> 'projection' = $1), 0)",
        projection.name,
    )
    return [row["position"] for row in rows]


async def prove(
    conn: Any, projection: Projection, progress: Callable[[int, int], None] = lambda pos, head: None
) -> Proof:
    """Compare the live generation with a fold of the log from its beginning to where it stands.

    Events that a person let it pass over are passed over here too. Raises ``core.eventlog.archive.Archived`` where the
    database does not hold the log from its beginning.
    """
    await need_all(conn)
    transaction = conn.transaction(isolation="repeatable_read")
    await transaction.start()
    try:
        await conn.execute("set transaction read write")  # temporary tables, also in a session that only reads
        row = await conn.fetchrow(
            "select generation, pos from ops.projection where name = $1 and live", projection.name
        )
        await conn.execute("set local search_path = pg_temp, log, pg_catalog")
        await conn.execute(projection.tables)
        for after, upto in ranges(row["pos"], await _passed_over(conn, projection)):
            await fold_range(conn, projection, after, upto, live=False)
            progress(upto, row["pos"])
        rows, differing, differences = 0, 0, []
        for table, key in projection.published.items():
            live = f"{projection.schema(row['generation'])}.{table}"
            rows += await conn.fetchval(f"select count(*) from pg_temp.{table}")
            found = await conn.fetch(
                f"select concat_ws(' ', {key}) as key, to_jsonb(a)::text as live,"
                " to_jsonb(b)::text as replayed, count(*) over () as differing"
                f" from {live} a full join pg_temp.{table} b using ({key})"
                f" where to_jsonb(a) is distinct from to_jsonb(b) order by 1 limit {_SHOWN}"
            )
            differences += [Difference(table, r["key"], r["live"], r["replayed"]) for r in found]
            differing += found[0]["differing"] if found else 0
        return Proof(projection.name, row["pos"], rows, differing, differences)
    finally:
        await transaction.rollback()
