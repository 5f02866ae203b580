"""A PostgreSQL for benchmarks: the embedded server with the settings users have, fsync on, in a temporary folder."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from core.eventlog.migrate import migrate
from core.stack import postgres


@contextmanager
def migrated() -> Iterator[str]:
    """The address of a migrated database."""
    home = Path(tempfile.mkdtemp(prefix="sg-bench-"))
    home.chmod(0o755)
    process = None
    try:
        postgres.initialise(home / "data")
        process = postgres.start(home / "data", home / "run", home / "log")
        dsn = postgres.dsn(home / "run")
        asyncio.run(_prepare(dsn))
        yield dsn
    finally:
        if process is not None:
            os.kill(process.pid, signal.SIGINT)
            process.wait(30)
        shutil.rmtree(home, ignore_errors=True)


async def _prepare(dsn: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            conn = await asyncpg.connect(dsn)
            break
        except (OSError, asyncpg.CannotConnectNowError):
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.05)
    await migrate(conn)
    await conn.close()
