"""From the schema of every earlier version to this one: the same tables, functions and rights as a new database has."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from core.eventlog import EventLog, Meta
from core.eventlog.migrate import migrate, migrations
from core.workers.host import connect
from schema.events import AccountBlocked
from tests import database

_SHAPE = """
select 'column', table_schema || '.' || table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable
       || ' ' || coalesce(column_default, '-') from information_schema.columns where table_schema = any($1)
union all select 'index', schemaname || ' ' || indexdef from pg_indexes where schemaname = any($1)
union all select 'constraint', conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(c.oid)
  from pg_constraint c join pg_namespace n on n.oid = connamespace where nspname = any($1)
union all select 'function', p.oid::regprocedure || ' ' || md5(pg_get_functiondef(p.oid))
       || ' ' || coalesce(proacl::text, '-')
  from pg_proc p join pg_namespace n on n.oid = pronamespace where nspname = any($1) and prokind in ('f', 'p')
union all select 'trigger', tgrelid::regclass || ' ' || pg_get_triggerdef(t.oid) from pg_trigger t
  join pg_class c on c.oid = tgrelid join pg_namespace n on n.oid = relnamespace
  where nspname = any($1) and not tgisinternal
union all select 'view', schemaname || '.' || viewname || ' ' || md5(definition) from pg_views
  where schemaname = any($1)
union all select 'rights', oid::regclass || ' ' || coalesce(relacl::text, '-') from pg_class
  where relnamespace in (select oid from pg_namespace where nspname = any($1)) and relkind in ('r', 'p', 'v')
"""
_SCHEMAS = ["log", "ops", "read", "detection", "public"]


async def shape(conn: Any) -> set[tuple[str, str]]:
    return {(row[0], row[1]) for row in await conn.fetch(_SHAPE, _SCHEMAS)}


async def as_it_was(conn: Any, count: int) -> None:
    """A database of the version that had the first ``count`` migrations, with what a worker wrote into it."""
    await conn.execute(
        "create table public.streamguard_migration"
        " (name text primary key, sha256 text not null, applied_at timestamptz not null default now())"
    )
    async with conn.transaction():
        await conn.execute("set local streamguard.migrating = 'on'")
        for name, sql in migrations()[:count]:
            await conn.execute(sql)
            digest = hashlib.sha256(sql.encode()).hexdigest()
            await conn.execute("insert into public.streamguard_migration (name, sha256) values ($1, $2)", name, digest)
    if await conn.fetchval("select to_regclass('ops.dead_letter') is not null"):
        await conn.execute(
            'insert into ops.dead_letter (cluster_id, topic, partition, "offset", error_class, reason, value)'
            " values ('c', 'transactions', 0, 7, 'malformed', 'a test', 'x')"
        )


@pytest.mark.parametrize("count", range(1, len(migrations())))
async def test_every_earlier_schema_becomes_the_newest(count: int, postgres_server: Path, postgres_dsn: str) -> None:
    dsn = await database.make_database(postgres_server)
    conn = await asyncpg.connect(dsn)
    new = await asyncpg.connect(postgres_dsn)
    try:
        await as_it_was(conn, count)
        assert await migrate(conn) == [name for name, _ in migrations()[count:]]
        assert await shape(conn) == await shape(new)
        if count >= 2:
            assert await conn.fetchval('select "offset" from ops.dead_letter') == 7
    finally:
        await conn.close()
        await new.close()
    if count not in (1, len(migrations()) - 1):
        return
    pool = await connect(dsn)
    log = EventLog(pool)
    try:
        await log.append("account-a", [AccountBlocked(account_id="a", reason="a test")], meta=Meta(actor="ana"))
        async with asyncio.timeout(30):
            assert [recorded.type for recorded in await log.read_stream("account-a")] == ["AccountBlocked"]
    finally:
        await log.close()
        await pool.close()
