"""A real PostgreSQL for tests: one server a test session, a fresh database a test."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg

from core.eventlog.migrate import migrate
from core.stack import postgres

# Durability is not under test here (crashes of the server are tested in tests/chaos with fsync on).
_FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_connections": "100",
    "max_wal_size": "256MB",
}


_MEMORY = Path("/dev/shm")
_ROOM = 2 << 30
"""Bytes that a worker's server may need there: its databases of 10 MB each are dropped as their tests end."""


def _folder() -> Path:
    """A new folder, in memory where that is to be had: the 450 files of a database cost half a second on a disk."""
    there = _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM
    return Path(tempfile.mkdtemp(prefix="sg-pg-", dir=_MEMORY if there else None))


@contextmanager
def server(bin_dir: Path | None = None) -> Iterator[Path]:
    """Run a PostgreSQL server on a unix socket; yields the socket's folder."""
    home = _folder()
    home.chmod(0o755)
    process = None
    try:
        postgres.initialise(home / "data", bin_dir)
        process = postgres.start(home / "data", home / "run", home / "log", _FAST, bin_dir)
        asyncio.run(ready(postgres.dsn(home / "run"), home / "log"))
        yield home / "run"
    finally:
        if process is not None:
            os.kill(process.pid, signal.SIGQUIT)
            process.wait(20)
        shutil.rmtree(home, ignore_errors=True)


async def ready(dsn: str, log: Path) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                conn = await asyncpg.connect(dsn)
            except (OSError, asyncpg.CannotConnectNowError):
                await asyncio.sleep(0.02)  # a poll of another process, bounded by the timeout above
            else:
                await conn.close()
                return


async def make_database(socket_dir: Path, template: str = "template1") -> str:
    """Create a database; returns its address. Its files are copied: through the log it is ten times the work."""
    name = f"t_{uuid4().hex[:12]}"
    await _administer(socket_dir, f"create database {name} template {template} strategy file_copy")
    return postgres.dsn(socket_dir, name)


async def drop_database(socket_dir: Path, dsn: str) -> None:
    """Whoever is still connected to it is sent away."""
    await _administer(socket_dir, f"drop database {_name(dsn)} with (force)")


async def _administer(socket_dir: Path, statement: str) -> None:
    conn = await asyncpg.connect(postgres.dsn(socket_dir))
    try:
        await conn.execute(statement)
    finally:
        await conn.close()


def _name(dsn: str) -> str:
    return dsn.split("@/")[1].split("?")[0]


async def make_template(socket_dir: Path) -> str:
    """A migrated database to copy from. Returns its name."""
    dsn = await make_database(socket_dir)
    conn = await asyncpg.connect(dsn)
    try:
        await migrate(conn)
    finally:
        await conn.close()
    return _name(dsn)
