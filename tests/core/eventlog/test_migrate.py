from __future__ import annotations

import asyncio

import asyncpg
import pytest

from core.eventlog import migrate as module
from core.eventlog.migrate import MigrationError, migrate, migrations


async def test_many_processes_migrate_at_once_and_one_does_it(empty_postgres_dsn: str) -> None:
    connections = [await asyncpg.connect(empty_postgres_dsn) for _ in range(4)]
    applied = await asyncio.gather(*(migrate(conn) for conn in connections))
    assert sorted(applied, key=len) == [[], [], [], [name for name, _ in migrations()]]
    assert await connections[0].fetchval("select count(*) from public.transactions") == 0
    assert await connections[0].fetchval("select count(*) from public.account_risk_profile") == 0
    for conn in connections:
        await conn.close()


async def test_a_failed_migration_leaves_nothing(empty_postgres_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    conn = await asyncpg.connect(empty_postgres_dsn)
    monkeypatch.setattr(
        module, "migrations", lambda: [("0001_a", "create table a ()"), ("0002_b", "create tible b ()")]
    )
    with pytest.raises(asyncpg.PostgresSyntaxError):
        await migrate(conn)
    assert await conn.fetchval("select to_regclass('a')") is None
    await conn.close()


async def test_a_database_of_another_version_is_refused(postgres_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    conn = await asyncpg.connect(postgres_dsn)
    ours = migrations()
    monkeypatch.setattr(module, "migrations", lambda: ours[:-1])
    with pytest.raises(MigrationError, match="newer Stream Guard"):
        await migrate(conn)
    monkeypatch.setattr(module, "migrations", lambda: [(ours[0][0], "select 1"), *ours[1:]])
    with pytest.raises(MigrationError, match="differs"):
        await migrate(conn)
    await conn.close()
