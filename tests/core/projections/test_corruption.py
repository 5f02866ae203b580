"""Whatever is done to a row of any projection, the proof names it and its command exits with 1."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.eventlog import EventLog
from core.projections import PROJECTIONS, Projection
from core.projections.commands import prove_projections
from core.projections.runner import advance
from tests.core.projections.stories import story

TABLES = [(projection, table) for projection in PROJECTIONS for table in projection.published]


@pytest.mark.parametrize(("projection", "table"), TABLES, ids=[table for _, table in TABLES])
async def test_any_corrupted_row_is_named(
    log: EventLog, pool: Any, postgres_dsn: str, capsys: pytest.CaptureFixture[str], projection: Projection, table: str
) -> None:
    """One row is changed, one put in, and, where there are several, one removed."""
    key = projection.published[table]
    name = f"concat_ws(' ', {key})"
    change = "reason = reason || '!'" if table == "audit" else "last_pos = last_pos + 1"
    async with pool.acquire() as conn:
        await log.append_many(story(11, 150))
        await advance(conn, projection)
        changed, *others = [r[0] for r in await conn.fetch(f"select {name} from read.{table} order by 1 limit 2")]
        await conn.execute(
            f"create temp table copy as select * from read.{table} where {name} = '{changed}';"
            f" update copy set {await invention(conn, table, key.split(', ')[0])};"
            f" insert into read.{table} select * from copy; drop table copy"
        )
        await conn.execute(f"update read.{table} set {change} where {name} = $1", changed)
        await conn.execute(f"delete from read.{table} where {name} = any($1)", others)
    assert await prove_projections(postgres_dsn, [projection.name], as_json=True) == 1
    answer = json.loads(capsys.readouterr().out)
    found = {(d["live"] is None, d["replayed"] is None): d["key"] for d in answer["differences"]}
    assert {d["table"] for d in answer["differences"]} == {table}
    assert answer["differing"] == len(found) == 2 + len(others)
    assert found[False, False] == changed
    assert found.get((True, False)) == next(iter(others), None)
    assert (False, True) in found


async def invention(conn: Any, table: str, column: str) -> str:
    kind = await conn.fetchval(
        "select atttypid::regtype::text from pg_attribute where attrelid = $1::regclass and attname = $2",
        f"read.{table}",
        column,
    )
    value = {"text": "'invented'", "bigint": "999999", "timestamp with time zone": "'2001-01-01'"}[kind]
    return f"{column} = {value}"
