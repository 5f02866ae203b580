"""Prove that a projection equals a replay of the log, online: nobody waits, nothing stays behind.

One transaction with one snapshot reads the live tables and the position they stand at, folds the log to that position
into temporary tables, compares row by row, and is rolled back.
"""

from __future__ import annotations

from collections.abc import Callable
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


async def prove(
    conn: Any, projection: Projection, progress: Callable[[int, int], None] = lambda pos, head: None
) -> Proof:
    """Compare the live generation with a fold of the log from its beginning to where it stands."""
    await need_all(conn)
    transaction = conn.transaction(isolation="repeatable_read")
    await transaction.start()
    try:
        row = await conn.fetchrow(
            "select generation, pos from ops.projection where name = $1 and live", projection.name
        )
        await conn.execute("set local search_path = pg_temp, log, pg_catalog")
        await conn.execute(projection.tables)
        for after in range(0, row["pos"], _RANGE):
            upto = min(after + _RANGE, row["pos"])
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
