"""The three services of the stack: how each is prepared, run, asked and stopped."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import core
from core.stack import login, postgres, probes
from core.stack.errors import StackError
from core.stack.paths import StackPaths
from core.stack.service import Report, Spec
from ksqldb.kafka import VARIABLE

HOST = "127.0.0.1"
KAFKA_PORT = 9092  # where it is free and no other is asked for
KSQLDB_PORT = 8088
_BACKLOG = 256  # connections that may wait while a service is started again


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which services to run, and where. A port of None is the usual one, or a free one where that is taken."""

    services: tuple[str, ...]
    kafka_port: int | None = None
    ksqldb_port: int | None = None
    kafka: str | None = None  # bootstrap servers for the engine where the broker is not ours


def take_port(asked: int | None, usual: int, name: str, memory: Path) -> socket.socket:
    """Listen on the port asked for; otherwise on that of the last start, the usual one or any, the first that is free.

    `memory` is the file that keeps it: who holds an address finds the service there again after a restart of the stack.
    The socket stays open while the service is started again, so that no other program can have the port meanwhile.

    Raises StackError where the port asked for is taken.
    """
    candidates = [asked] if asked is not None else [*_remembered(memory), usual, 0]
    for port in candidates:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
            listener.listen(_BACKLOG)
        except OSError:
            listener.close()
            continue
        memory.write_text(str(listener.getsockname()[1]))
        return listener
    raise StackError(
        f"port {asked} of {HOST}, meant for {name}, is taken by another program: stop that, "
        f"or choose another port with STREAMGUARD_{name.upper()}_PORT"
    )


def _remembered(memory: Path) -> list[int]:
    try:
        return [int(memory.read_text())]
    except (FileNotFoundError, ValueError):
        return []


def python_path() -> Mapping[str, str]:
    """The services run in another folder; they find these packages all the same."""
    root = str(Path(core.__file__).resolve().parents[1])
    inherited = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": f"{root}{os.pathsep}{inherited}" if inherited else root}


def postgres_spec(paths: StackPaths) -> Spec:
    def prepare(report: Report) -> None:
        postgres.clear_leftovers(paths.postgres, paths.postgres_socket)
        if not paths.postgres.exists():
            report("makes its data folder (once)")
        postgres.initialise(paths.postgres)
        postgres.let_own_user_in(paths.postgres)
        postgres.make_socket_dir(paths.postgres_socket)

    async def prepare_aside(report: Report) -> None:
        loop = asyncio.get_running_loop()

        def report_there(step: str) -> None:
            loop.call_soon_threadsafe(report, step)

        try:
            await asyncio.to_thread(prepare, report_there)
        except OSError as error:
            raise StackError(f"{error.filename or paths.postgres}: {error.strerror}") from None

    return Spec(
        name="postgres",
        address=postgres.dsn(paths.postgres_socket),
        command=lambda: postgres.command(paths.postgres, paths.postgres_socket),
        probe=lambda: probes.postgres_answers(paths.postgres_socket),
        prepare=prepare_aside,
        stop_signal=signal.SIGINT,
        ready_within=120.0,  # it may have much to recover after a crash
        stop_within=20.0,
        user=postgres.identity(),
    )


def kafka_spec(paths: StackPaths, listener: socket.socket) -> Spec:
    """Raises StackError where the file of its login cannot be made."""
    port = int(listener.getsockname()[1])
    users = login.make(paths.secret("kafka"))

    async def prepare(report: Report) -> None:
        pass  # the broker makes its folder itself

    return Spec(
        name="kafka",
        address=f"{HOST}:{port}",
        command=lambda: [
            *(sys.executable, "-m", "core.stack.broker"),
            *("--listen", f"{HOST}:{port}", "--socket", str(listener.fileno()), "--data", str(paths.kafka)),
            *("--users", str(users), "--own-user"),
        ],
        probe=lambda: probes.kafka_answers(HOST, port),
        prepare=prepare,
        listener=listener,
        environment=python_path(),
    )


def ksqldb_spec(paths: StackPaths, listener: socket.socket, bootstrap: str, broker_is_up: asyncio.Event | None) -> Spec:
    """`broker_is_up`: where the broker is embedded as well. Raises StackError where the file of its login cannot be
    made."""
    port = int(listener.getsockname()[1])
    users = login.make(paths.secret("ksqldb"))
    security = {} if broker_is_up is None else {VARIABLE: login.cluster(paths, bootstrap).as_variable()}

    async def prepare(report: Report) -> None:
        paths.ksqldb.mkdir(parents=True, exist_ok=True)
        if broker_is_up is not None and not broker_is_up.is_set():
            report("waits for kafka")
            await broker_is_up.wait()

    return Spec(
        name="ksqldb",
        address=f"http://{HOST}:{port}",
        command=lambda: [
            *(sys.executable, "-m", "ksqldb.engine"),
            *("--listen", f"{HOST}:{port}", "--socket", str(listener.fileno())),
            *("--bootstrap", bootstrap, "--data", str(paths.ksqldb)),
            *("--users", str(users), "--own-user"),
        ],
        probe=lambda: probes.http_answers(HOST, port, "/healthcheck"),
        prepare=prepare,
        listener=listener,
        environment={**python_path(), **security},
    )
