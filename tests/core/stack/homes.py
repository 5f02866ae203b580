"""Stacks of their own for tests: settings, and an end to whatever a test left running."""

import asyncio
import os
import select
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.stack import login
from core.stack.client import Stack
from core.stack.paths import StackPaths
from core.stack.state import Service
from ksqldb.kafka import Kafka

NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True)
class StackFlags:
    """Settings of a stack; with the default address of ksqlDB only PostgreSQL and the broker are embedded."""

    home: Path
    kafka: str | None = None
    ksqldb_url: str | None = NOWHERE
    postgres_dsn: str | None = None
    kafka_port: int | None = None
    ksqldb_port: int | None = None

    def cluster(self, bootstrap: str) -> Kafka:
        return login.cluster(StackPaths(self.home), bootstrap)


def make_home() -> Path:
    """A folder with a short path that PostgreSQL's user can reach where the tests run as root."""
    return Path(tempfile.mkdtemp(prefix="sg-"))


def remove(home: Path) -> None:
    shutil.rmtree(home, ignore_errors=True)


async def until(stack: Stack, name: str, holds: Callable[[Service], bool]) -> Service:
    """The state of a service once `holds` is true of it."""
    async with asyncio.timeout(60):
        async for status in stack.changes():
            service = status.service(name)
            if service is not None and holds(service):
                return service
    raise AssertionError(f"the stack ended before {name} came to it")


def alive(pid: int) -> bool:
    """Whether the process runs; one that ended and was not waited for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        return not Path("/proc/self/stat").exists()
    return state != "Z"


async def until_gone(*pids: int) -> None:
    """Return when none of the processes runs any more."""
    async with asyncio.timeout(30):
        for pid in pids:
            while alive(pid):
                await asyncio.to_thread(select.select, [], [], [], 0.01)  # nothing tells of another's child's end
