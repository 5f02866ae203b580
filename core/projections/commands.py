"""`streamguard projections`: list, rebuild, prove, retry, skip. They return exit codes."""

from __future__ import annotations

from collections.abc import Sequence

from core.eventlog import roles
from core.eventlog.act import of_operator, perform
from core.eventlog.connect import connected, opened
from core.output import note, print_json, print_rows
from core.projections import PROJECTIONS, Projection, parked
from core.projections.prove import Proof, prove
from core.projections.rebuild import RebuildError, rebuild
from core.projections.standing import standings
from schema.events import ProjectionRebuilt

DONE, NO, USAGE = 0, 1, 2


async def list_projections(dsn: str, *, as_json: bool) -> int:
    """Where each projection stands, and how far behind the log."""
    async with connected(dsn, roles.READER) as conn:
        found = await standings(conn)
    columns = ("projection", "generation", "live", "status", "position", "lag_events", "lag_s", "failed_at", "reason")
    rows = [
        (s.name, s.generation, s.live, s.status, s.pos, s.lag_events, round(s.lag_s, 3), s.failed_pos, s.failed_reason)
        for s in found
    ]
    print_rows(columns, rows, as_json)
    return DONE


async def prove_projections(dsn: str, names: Sequence[str], *, as_json: bool) -> int:
    """Compare projections (all, when none is named) with a replay of the log; 1 when one differs."""
    chosen = _chosen(names)
    if chosen is None:
        return USAGE
    equal = True
    async with connected(dsn, roles.PROJECTOR) as conn:
        for projection in chosen:
            proof = await prove(conn, projection, _Progress(projection.name))
            _print_proof(proof, as_json)
            equal = equal and proof.equal
    return DONE if equal else NO


def _print_proof(proof: Proof, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "projection": proof.projection,
                "position": proof.pos,
                "rows": proof.rows,
                "equal": proof.equal,
                "differing": proof.differing,
                "differences": [
                    {"table": d.table, "key": d.key, "live": d.live, "replayed": d.replayed} for d in proof.differences
                ],
            }
        )
        return
    verdict = "equal" if proof.equal else f"{proof.differing:,} rows differ"
    print(f"{proof.projection}: {verdict} ({proof.rows:,} rows at position {proof.pos:,})")
    for difference in proof.differences:
        note(f"  {difference.table} {difference.key}")
        note(f"    live      {difference.live or 'no such row'}")
        note(f"    replayed  {difference.replayed or 'no such row'}")


async def rebuild_projections(dsn: str, names: Sequence[str], operator: str) -> int:
    """Build projections anew while they are read and kept up; 1 when one cannot be rebuilt."""
    chosen = _chosen(names)
    if chosen is None:
        return USAGE
    async with opened(dsn, roles.PROJECTOR) as (pool, log):
        try:
            for projection in chosen:
                async with pool.acquire() as conn:
                    generation = await rebuild(conn, projection, _Progress(projection.name))
                event = ProjectionRebuilt(projection=projection.name, generation=generation, operator=operator)
                await perform(log, of_operator(operator, [event]))
                print(f"{projection.name}: generation {generation} is live")
        except RebuildError as error:
            note(str(error))
            return NO
    return DONE


class _Progress:
    """Says how far a rebuild is, each tenth of the way."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._tenth = -1

    def __call__(self, pos: int, head: int) -> None:
        tenth = 10 * pos // max(head, 1)
        if tenth != self._tenth:
            self._tenth = tenth
            note(f"{self._name}: {pos:,} of {head:,} events")


async def retry_projection(dsn: str, name: str, operator: str) -> int:
    """Let a parked projection take up the event it stopped at once more."""
    return await _unpark(dsn, name, operator, None)


async def skip_projection(dsn: str, name: str, operator: str, reason: str) -> int:
    """Let a parked projection pass over the event it stopped at."""
    return await _unpark(dsn, name, operator, reason)


async def _unpark(dsn: str, name: str, operator: str, reason: str | None) -> int:
    chosen = _chosen([name])
    if chosen is None:
        return USAGE
    async with connected(dsn, roles.PROJECTOR) as conn:
        try:
            if reason is None:
                position = await parked.retry(conn, chosen[0], operator)
                print(f"{name}: trying position {position:,} again")
            else:
                position = await parked.skip(conn, chosen[0], operator, reason)
                print(f"{name}: passed over position {position:,}; `projections rebuild` meets it again")
        except parked.NotParked as error:
            note(str(error))
            return NO
    return DONE


async def show_projection(dsn: str, table: str, limit: int, *, as_json: bool) -> int:
    """The rows of a projection's table that changed last."""
    tables = {name for projection in PROJECTIONS for name in projection.published}
    if table not in tables:
        note(f"there is no table {table!r}; there are {', '.join(sorted(tables))}")
        return USAGE
    async with connected(dsn, roles.READER) as conn:
        columns = await conn.fetch(
            "select attname from pg_attribute where attrelid = $1::regclass and attnum > 0 order by attnum",
            f"read.{table}",
        )
        names = [row["attname"] for row in columns]
        newest = "last_pos" if "last_pos" in names else "pos"
        rows = await conn.fetch(f"select * from read.{table} order by {newest} desc limit $1", limit)
    print_rows(names, [tuple(row) for row in rows], as_json)
    return DONE


def _chosen(names: Sequence[str]) -> list[Projection] | None:
    known = {projection.name: projection for projection in PROJECTIONS}
    for name in names:
        if name not in known:
            note(f"there is no projection {name!r}; there are {', '.join(known)}")
            return None
    return [known[name] for name in names] or list(PROJECTIONS)
