"""Bring a database to this program's schema: numbered SQL files, forward only, one at a time on all machines."""

from __future__ import annotations

import hashlib
from importlib import resources
from typing import Any

from core.eventlog import advisory
from core.projections import PROJECTIONS
from core.projections.install import install


class MigrationError(Exception):
    """The database was made by another version of Stream Guard; the text says how they differ."""


def migrations() -> list[tuple[str, str]]:
    """``(name, SQL)`` of every migration in order."""
    folder = resources.files("schema") / "postgres"
    files = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".sql")), key=lambda entry: entry.name)
    return [(entry.name.removesuffix(".sql"), entry.read_text("utf-8")) for entry in files]


async def pending(conn: Any) -> bool:
    """Whether the database is not on this program's schema: it lacks something of it, or has something else."""
    if await conn.fetchval("select to_regclass('public.streamguard_migration') is null"):
        return True
    applied = dict(await conn.fetch("select name, sha256 from public.streamguard_migration"))
    if applied != {name: _digest(sql) for name, sql in migrations()}:
        return True
    installed = await conn.fetch("select distinct name from ops.projection")
    return bool({projection.name for projection in PROJECTIONS} - {row["name"] for row in installed})


def _digest(sql: str) -> str:
    return hashlib.sha256(sql.encode()).hexdigest()


async def migrate(conn: Any) -> list[str]:
    """Apply what is missing, all or nothing, then install the projections; returns the names applied.

    Any number of processes may call it at once. Raises ``MigrationError`` when an applied file has changed since or
    when the database knows a migration that this program does not have.
    """
    async with conn.transaction():
        await conn.execute("select pg_advisory_xact_lock($1)", advisory.MIGRATE)
        await conn.execute("set local streamguard.migrating = 'on'")
        await conn.execute(
            "create table if not exists public.streamguard_migration"
            " (name text primary key, sha256 text not null, applied_at timestamptz not null default now())"
        )
        known = dict(await conn.fetch("select name, sha256 from public.streamguard_migration"))
        ours = migrations()
        if newer := sorted(known.keys() - {name for name, _ in ours}):
            raise MigrationError(
                f"the database has migration {newer[-1]}, made by a newer Stream Guard; update this one"
            )
        applied = []
        for name, sql in ours:
            digest = _digest(sql)
            if name in known:
                if known[name] != digest:
                    raise MigrationError(f"migration {name} differs from the one the database was made with")
                continue
            await conn.execute(sql)
            await conn.execute("insert into public.streamguard_migration (name, sha256) values ($1, $2)", name, digest)
            applied.append(name)
        await install(conn)
    return applied
