"""Things that break: consumers to kill, a server to crash, a wire to cut. And the account of what it cost."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.stack import postgres
from tests import database


class Consumer:
    """A consumer process."""

    def __init__(self, dsn: str, bootstrap: str, name: str) -> None:
        self.name = name
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.worker", dsn, bootstrap, name],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.report: dict[str, int] = {}
        """What one that ended well says: how often it was fenced and began anew."""

    def send(self, signum: signal.Signals) -> None:
        self._process.send_signal(signum)

    def end(self, signum: signal.Signals) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signum)
        said, errors = self._process.communicate(timeout=20)
        expected = -signum if signum == signal.SIGKILL else 0
        assert self._process.returncode == expected, errors
        if expected == 0:
            self.report = json.loads(said.splitlines()[-1])


class Server:
    """A PostgreSQL of one's own, durable, that can be crashed and started again."""

    def __init__(self) -> None:
        self._home = Path(tempfile.mkdtemp(prefix="sg-chaos-"))
        self._home.chmod(0o755)
        self.socket_dir = self._home / "run"
        postgres.initialise(self._home / "data")
        self._process = postgres.start(self._home / "data", self.socket_dir, self._home / "log")

    async def make_database(self) -> str:
        await database.ready(postgres.dsn(self.socket_dir), self._home / "log")
        return postgres.dsn(self.socket_dir, await database.make_template(self.socket_dir))

    async def crash(self) -> None:
        """Stop as a power cut would, and come back by recovery."""
        os.kill(self._process.pid, signal.SIGQUIT)
        self._process.wait(20)
        self._process = postgres.start(self._home / "data", self.socket_dir, self._home / "log")
        await database.ready(postgres.dsn(self.socket_dir), self._home / "log")

    def close(self) -> None:
        os.kill(self._process.pid, signal.SIGQUIT)
        self._process.wait(20)
        shutil.rmtree(self._home, ignore_errors=True)


@contextlib.contextmanager
def server() -> Iterator[Server]:
    made = Server()
    try:
        yield made
    finally:
        made.close()


class Wire:
    """A proxy before a server's unix socket, with a wire that can be cut or stalled."""

    def __init__(self, target: Path) -> None:
        self._target = target / ".s.PGSQL.5432"
        self.folder = Path(tempfile.mkdtemp(prefix="sg-wire-"))
        self._open = asyncio.Event()
        self._open.set()
        self._writers: set[asyncio.StreamWriter] = set()

    async def serve(self) -> asyncio.Server:
        return await asyncio.start_unix_server(self._connect, self.folder / ".s.PGSQL.5432")

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_unix_connection(self._target)
        self._writers |= {writer, there_writer}
        await asyncio.gather(self._pump(reader, there_writer), self._pump(there_reader, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1 << 16):
                await self._open.wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()
            self._writers.discard(writer)

    def cut(self) -> None:
        """Close every connection in the middle of what it is saying."""
        for writer in list(self._writers):
            writer.transport.abort()

    def stall(self) -> None:
        """Hold back whatever is said, in both directions, until ``flow``."""
        self._open.clear()

    def flow(self) -> None:
        self._open.set()


@contextlib.asynccontextmanager
async def wire(target: Path) -> AsyncIterator[Wire]:
    made = Wire(target)
    listening = await made.serve()
    try:
        yield made
    finally:
        listening.close()
        made.flow()
        made.cut()
        shutil.rmtree(made.folder, ignore_errors=True)


async def account(conn: Any, produced: int) -> str:
    """Hold the outcome to the promise: rows, events and offsets say that each record took effect once."""
    row = await conn.fetchrow(
        "select count(*) as n, count(distinct id) as distinct_n, coalesce(sum(amount), 0) as total from taken"
    )
    events = await conn.fetchrow(
        "select count(*) as n, count(distinct stream) as streams, max(pos) as head from log.event"
    )
    offsets = await conn.fetchval("select sum(next_offset) from ops.koff")
    lost, double = produced - row["distinct_n"], row["n"] - row["distinct_n"]
    assert (lost, double) == (0, 0), f"lost {lost}, double {double}"
    assert row["total"] == sum(range(produced))
    assert events["n"] == events["streams"] == events["head"] == produced
    assert offsets == produced
    return f"produced {produced:,}, lost {lost}, double {double}"


def tell(capsys: pytest.CaptureFixture[str], what: str, outcome: str, fenced: int, recoveries: Iterable[float]) -> None:
    """A line of the report: what broke, the account of it, and the longest time until the next record was taken in."""
    with capsys.disabled():
        print(f"\n{what}: {outcome}, fenced {fenced}, recovery {max(recoveries):.1f} s at most", end="")
