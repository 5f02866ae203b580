"""The stack from outside: have it run, look at it, stop it. Knows addresses and the supervisor's socket, no service."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.stack import login
from core.stack.errors import StackError
from core.stack.lock import acquire, holder
from core.stack.paths import StackPaths
from core.stack.services import python_path
from core.stack.state import FAILED, SERVICES, UP, Service, Status
from core.stack.supervisor import BUSY
from ksqldb.kafka import VARIABLE, Kafka

_READY_WITHIN = 150.0  # seconds; PostgreSQL may have much to recover
_GONE_WITHIN = 40.0
_POLL = 0.02
_REJOIN_EVERY = 0.5
_GIVE_UP_AFTER = 2  # failed starts of one service: the first may be a race that the second wins
_LONGEST_LINE = 1 << 20
_NOBODY_LISTENS = (FileNotFoundError, NotADirectoryError, ConnectionRefusedError)


class StackSettings(Protocol):
    """What of the settings concerns the stack; an address that is set is somebody else's service."""

    @property
    def home(self) -> Path: ...
    @property
    def kafka(self) -> str | None: ...
    @property
    def ksqldb_url(self) -> str | None: ...
    @property
    def postgres_dsn(self) -> str | None: ...
    @property
    def kafka_port(self) -> int | None: ...
    @property
    def ksqldb_port(self) -> int | None: ...
    def cluster(self, bootstrap: str) -> Kafka: ...


class _JustEnding(Exception):
    """The supervisor that was asked takes no more holds; the next will be another."""


class _NotRunning(StackError):
    """Nobody listens at the supervisor's socket."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Kafka bootstrap servers, the URLs of ksqlDB and PostgreSQL (with their passwords, if they have one)."""

    kafka: str
    ksqldb: str
    postgres: str


@dataclass(frozen=True, slots=True)
class Step:
    """One service moved on: for the boot screen, a line a service. `elapsed` in seconds since the wait began."""

    service: str
    state: str
    text: str
    elapsed: float


class Stack:
    """The addresses in force and, where services are embedded, a hold on them: while it is open a stack started on
    demand lives. Also when this process is killed the hold ends.
    """

    def __init__(
        self,
        addresses: Addresses,
        paths: StackPaths,
        reader: asyncio.StreamReader | None = None,
        writer: asyncio.StreamWriter | None = None,
        status: Status | None = None,
    ) -> None:
        self.addresses = addresses
        self.status = status
        self._paths = paths
        self._reader = reader
        self._writer = writer

    async def changes(self) -> AsyncIterator[Status]:
        """Every change of the embedded services; ends when the stack is gone. Ends at once where none is embedded."""
        if self._reader is None:
            return
        while (line := await self._reader.readline()).endswith(b"\n"):
            self.status = Status.from_line(line)
            yield self.status

    async def close(self) -> None:
        """Give up the hold; was it the last on a stack started on demand, wait until that has stopped."""
        if self._writer is None or self._reader is None:
            return
        with contextlib.suppress(ConnectionError):
            self._writer.write(b'{"op": "release"}\n')
            await self._writer.drain()
            while await self._reader.readline():
                pass
        self._writer.close()
        # A supervisor that stops has removed its socket by now, and has only its own process left to end.
        if self.status is not None and not self._paths.socket.exists():
            await _until_gone(self._paths, self.status.pid)


def embedded(settings: StackSettings) -> tuple[str, ...]:
    """The services that no address is set for."""
    given = {"postgres": settings.postgres_dsn, "kafka": settings.kafka, "ksqldb": settings.ksqldb_url}
    return tuple(name for name in SERVICES if given[name] is None)


async def ensure_stack(
    settings: StackSettings,
    on_step: Callable[[Step], None] = lambda step: None,
    *,
    keep: bool = False,
    start: bool = True,
) -> Stack:
    """Have every service at hand: join the running stack or start one, and wait until all of it answers.

    A stack started here stops with its last client, unless `keep`. Without `start` only a running one is joined. Raises
    StackError where a service cannot run; the text is its reason. Cancelling leaves no hold behind.
    """
    paths = StackPaths(settings.home)
    if not embedded(settings):
        return Stack(_addresses(settings, None), paths)
    began = time.monotonic()
    try:
        async with asyncio.timeout(_READY_WITHIN):
            reader, writer, status = await _join(settings, paths, on_step, began, keep=keep, start=start)
    except TimeoutError:
        raise StackError(
            f"the stack did not come up within {_READY_WITHIN:.0f} s; its logs are in {paths.logs}"
        ) from None
    return Stack(_addresses(settings, status), paths, reader, writer, status)


async def rejoin(settings: StackSettings, gone: Stack, on_step: Callable[[Step], None] = lambda step: None) -> Stack:
    """A hold on the stack that follows one whose `changes` have ended.

    One that died is started again. One that somebody stopped is not: this waits until somebody starts it.
    """
    if gone.status is not None and gone.status.stopping:
        while True:
            await asyncio.sleep(_REJOIN_EVERY)
            if await stack_status(settings.home) is not None:
                break
    return await ensure_stack(settings, on_step)


async def _join(
    settings: StackSettings,
    paths: StackPaths,
    on_step: Callable[[Step], None],
    began: float,
    *,
    keep: bool,
    start: bool,
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, Status]:
    """A hold on a stack that is up. A supervisor that just ends turns one away; then the next is started, or with
    ``start`` false none: somebody stopped it.
    """
    wanted = embedded(settings)
    while True:
        reader, writer = await (_connect_or_start(settings, paths, wanted) if start else _connect(paths))
        try:
            writer.write(b'{"op": "hold"}\n')
            status = await _until_up(reader, wanted, on_step, began)
            if keep:
                writer.write(b'{"op": "keep"}\n')
                await writer.drain()
        except (_JustEnding, ConnectionError):
            writer.close()
        except BaseException:
            writer.close()
            raise
        else:
            return reader, writer, status


def _addresses(settings: StackSettings, status: Status | None) -> Addresses:
    ours = {service.name: service.address for service in status.services} if status else {}
    return Addresses(
        kafka=settings.kafka or ours["kafka"],
        ksqldb=settings.ksqldb_url or login.url(StackPaths(settings.home), ours["ksqldb"]),
        postgres=settings.postgres_dsn or ours["postgres"],
    )


async def _connect(paths: StackPaths) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Raises StackError where no stack runs."""
    try:
        return await asyncio.open_unix_connection(paths.socket, limit=_LONGEST_LINE)
    except _NOBODY_LISTENS:
        raise _NotRunning("the stack is not running: `streamguard up` starts it") from None
    except PermissionError:
        raise StackError(f"{paths.socket} belongs to another user: set STREAMGUARD_HOME to a folder of yours") from None


async def _connect_or_start(
    settings: StackSettings, paths: StackPaths, wanted: tuple[str, ...]
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    starting: subprocess.Popen[bytes] | None = None
    while True:
        with contextlib.suppress(_NotRunning):
            return await _connect(paths)
        if starting is None:
            if holder(paths.lock) is None:  # else one is just starting or stopping
                starting = _start(settings, wanted)
        elif (code := starting.poll()) is not None and code != BUSY:
            said = starting.stderr.read().decode().strip() if starting.stderr else ""
            raise StackError(said or f"the stack's supervisor ended with exit code {code}")
        elif code == BUSY:  # another client started one at the same moment
            starting = None
        await asyncio.sleep(_POLL)


def _start(settings: StackSettings, wanted: tuple[str, ...]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "core.stack.supervisor", "--home", str(settings.home)]
    command += ["--services", ",".join(wanted)]
    for flag, value in (
        ("--kafka-port", settings.kafka_port),
        ("--ksqldb-port", settings.ksqldb_port),
        ("--kafka", settings.kafka),
    ):
        command += [] if value is None else [flag, str(value)]
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, **python_path(), **_security(settings)},
        start_new_session=True,
        cwd="/",
    )


def _security(settings: StackSettings) -> dict[str, str]:
    """What an embedded engine needs beside the address of a cluster that is not embedded."""
    return {} if settings.kafka is None else {VARIABLE: settings.cluster(settings.kafka).as_variable()}


async def _until_up(
    reader: asyncio.StreamReader, wanted: tuple[str, ...], on_step: Callable[[Step], None], began: float
) -> Status:
    told: dict[str, tuple[str, str]] = {}
    while True:
        line = await reader.readline()
        if not line.endswith(b"\n"):
            if not told:
                raise _JustEnding
            raise StackError("the stack was stopped while it was starting; `streamguard up` starts it again")
        status = Status.from_line(line)
        for service in status.services:
            if told.get(service.name) != (service.state, service.detail):
                told[service.name] = (service.state, service.detail)
                on_step(Step(service.name, service.state, service.detail, time.monotonic() - began))
        services = [_wanted(status, name) for name in wanted]
        for service in services:
            if service.state == FAILED and service.failures >= _GIVE_UP_AFTER:
                raise StackError(f"{service.name} cannot start: {service.detail}")
        if all(service.state == UP for service in services):
            return status


def _wanted(status: Status, name: str) -> Service:
    service = status.service(name)
    if service is None:
        serves = ", ".join(service.name for service in status.services)
        raise StackError(
            f"the running stack serves {serves} and not {name}: `streamguard down`, then start it with these settings"
        )
    return service


async def stack_status(home: Path) -> Status | None:
    """The stack of this home as it is now, or None where none runs. Raises StackError where it does not answer."""
    try:
        reader, writer = await asyncio.open_unix_connection(StackPaths(home).socket, limit=_LONGEST_LINE)
    except _NOBODY_LISTENS:
        return None
    except PermissionError:
        raise StackError(f"the stack of {home} belongs to another user") from None
    try:
        async with asyncio.timeout(3.0):
            writer.write(b'{"op": "status"}\n')
            line = await reader.readline()
    except (TimeoutError, ConnectionError):
        raise StackError(f"the stack of {home} does not answer: `streamguard down` ends it") from None
    finally:
        writer.close()
    return Status.from_line(line) if line else None


async def stop_stack(home: Path, *, wipe: bool = False) -> bool:
    """Stop the stack of this home and wait until it is gone; `wipe` deletes its data. Whether one was running.

    Raises StackError where it does not end, where a client had it started again before its data could be deleted, or
    where that cannot be deleted.
    """
    paths = StackPaths(home)
    pid = holder(paths.lock)
    if pid is not None and not await _ask_to_stop(paths):  # its socket is gone, its process is not
        os.kill(pid, signal.SIGTERM)
    if pid is not None:
        await _until_gone(paths, pid)
    if wipe:
        await asyncio.to_thread(_wipe, paths)
    return pid is not None


def _wipe(paths: StackPaths) -> None:
    """Delete the data while no supervisor can start on it."""
    if not paths.home.exists():
        return
    paths.make()
    lock = acquire(paths.lock)
    if lock is None:
        raise StackError("a client started the stack again at once: close the control center, then wipe")
    with lock:
        paths.wipe()


async def _ask_to_stop(paths: StackPaths) -> bool:
    try:
        reader, writer = await asyncio.open_unix_connection(paths.socket)
    except _NOBODY_LISTENS:
        return False
    except PermissionError:
        raise StackError(f"the stack of {paths.home} belongs to another user") from None
    with contextlib.suppress(ConnectionError):
        writer.write(b'{"op": "stop"}\n')
        await reader.read()
    writer.close()
    return True


async def _until_gone(paths: StackPaths, pid: int) -> None:
    """Wait until the supervisor with this pid has ended. Raises StackError where it does not."""
    deadline = time.monotonic() + _GONE_WITHIN
    while holder(paths.lock) == pid:
        if time.monotonic() > deadline:
            raise StackError(f"the stack's supervisor (pid {pid}) does not end: kill it")
        await asyncio.sleep(_POLL)
