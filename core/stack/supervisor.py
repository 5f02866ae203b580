"""`python -m core.stack.supervisor --home DIR ...`: owns the services of one stack and tells its clients their state.

Clients connect to a unix socket and send one JSON line: `{"op": "status"}` is answered with a snapshot; `hold` with one
now and at every change, and a stack started on demand lives while such a connection is open; `stop` stops everything
and closes when that is done. On a hold, `keep` makes the stack live until it is stopped, and `release` gives the hold
up: was it the last, the connection closes when the stack has stopped.
"""

import argparse
import asyncio
import json
import logging
import logging.handlers
import os
import signal
import sys
import time
from pathlib import Path

from core.stack.errors import StackError
from core.stack.lock import acquire
from core.stack.logfile import LogFile
from core.stack.machine import Machine
from core.stack.paths import StackPaths
from core.stack.service import Runner, Spec
from core.stack.services import (
    KAFKA_PORT,
    KSQLDB_PORT,
    Wanted,
    kafka_spec,
    ksqldb_spec,
    postgres_spec,
    take_port,
)
from core.stack.state import SERVICES, Status

log = logging.getLogger("core.stack.supervisor")

BUSY = 75  # exit code: another supervisor has this home
_FIRST_CLIENT_WITHIN = 20.0  # seconds; who started the stack on demand may be gone before it could connect
_LINGER = 1.0  # seconds without a client before a stack on demand stops
_LOOK_AT_MACHINE_EVERY = 1.0


class Supervisor:
    """The services, who holds the stack, and who is told of changes."""

    def __init__(self, paths: StackPaths, wanted: Wanted) -> None:
        self.stop_asked = asyncio.Event()
        self.stopped = asyncio.Event()
        self._paths = paths
        self._on_demand = True
        self._started_at = time.time()
        self._problems: tuple[str, ...] = ()
        self._holds: set[object] = set()
        self._told: set[asyncio.Event] = set()
        self._lonely: asyncio.TimerHandle | None = None
        self._runners = self._make_runners(wanted)

    def _make_runners(self, wanted: Wanted) -> dict[str, Runner]:
        """Raises StackError where a port is taken."""
        runners: dict[str, Runner] = {}
        if "postgres" in wanted.services:
            runners["postgres"] = self._runner(postgres_spec(self._paths))
        if "kafka" in wanted.services:
            listener = take_port(wanted.kafka_port, KAFKA_PORT, "kafka", self._paths.port("kafka"))
            runners["kafka"] = self._runner(kafka_spec(self._paths, listener))
        if "ksqldb" in wanted.services:
            broker = runners.get("kafka")
            bootstrap = broker.spec.address if broker else wanted.kafka
            if bootstrap is None:
                raise StackError("ksqlDB needs Kafka: neither is the broker asked for, nor is there an address")
            listener = take_port(wanted.ksqldb_port, KSQLDB_PORT, "ksqldb", self._paths.port("ksqldb"))
            runners["ksqldb"] = self._runner(
                ksqldb_spec(self._paths, listener, bootstrap, broker.is_up if broker else None)
            )
        return runners

    def _runner(self, spec: Spec) -> Runner:
        return Runner(spec, LogFile(self._paths.log(spec.name)), self._changed)

    async def run(self) -> None:
        """Run the services until a stop is asked for, then end them: first the engine, which writes to the broker."""
        server = await asyncio.start_unix_server(self._serve, self._paths.socket)
        self._paths.socket.chmod(0o600)
        for runner in self._runners.values():
            runner.start()
        watching = asyncio.create_task(self._watch_machine())
        self._lonely = asyncio.get_running_loop().call_later(_FIRST_CLIENT_WITHIN, self.stop_asked.set)
        await self.stop_asked.wait()
        self._paths.socket.unlink(missing_ok=True)
        self._changed()
        watching.cancel()
        rest = dict(self._runners)
        if (engine := rest.pop("ksqldb", None)) is not None:
            storing = rest.pop("postgres", None)
            await asyncio.gather(engine.stop(), *([storing.stop()] if storing else []))
        await asyncio.gather(*(runner.stop() for runner in rest.values()))
        self.stopped.set()
        self._changed()
        server.close()

    async def _watch_machine(self) -> None:
        paths = self._paths
        machine = Machine((paths.home, paths.postgres, paths.kafka, paths.ksqldb))
        while True:
            problems = machine.problems()
            if problems != self._problems:
                if len(problems) > len(self._problems):  # not for each megabyte less
                    log.warning("%s", "; ".join(problems))
                self._problems = problems
                self._changed()
            await asyncio.sleep(_LOOK_AT_MACHINE_EVERY)

    def _changed(self) -> None:
        for event in self._told:
            event.set()

    def status(self) -> Status:
        return Status(
            home=str(self._paths.home),
            pid=os.getpid(),
            on_demand=self._on_demand,
            stopping=self.stop_asked.is_set(),
            clients=len(self._holds),
            started_at=self._started_at,
            problems=self._problems,
            services=tuple(runner.service for runner in self._runners.values()),
        )

    # --- clients -------------------------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._answer(reader, writer)
        except (ConnectionError, ValueError, KeyError):  # it hung up, or did not send a request
            pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        operation = json.loads(await reader.readline())["op"]
        if operation == "status":
            writer.write(self.status().to_line())
            await writer.drain()
        elif operation == "hold":
            await self._hold(reader, writer)
        elif operation == "stop":
            self.stop_asked.set()
            await self.stopped.wait()

    async def _hold(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.stop_asked.is_set():
            return
        hold = object()
        self._holds.add(hold)
        if self._lonely is not None:
            self._lonely.cancel()
        self._changed()
        telling = asyncio.create_task(self._tell(writer))
        released = False
        try:
            released = await self._until_released(reader)
        finally:
            telling.cancel()
            self._holds.discard(hold)
            self._changed()
            if self._on_demand and not self._holds:
                linger = 0.0 if released else _LINGER
                self._lonely = asyncio.get_running_loop().call_later(linger, self.stop_asked.set)
        if released and self._on_demand and not self._holds:
            await self.stopped.wait()

    async def _until_released(self, reader: asyncio.StreamReader) -> bool:
        """True where the client said so, False where it hung up or the stack stopped."""
        stopped = asyncio.create_task(self.stopped.wait())
        try:
            while True:
                reading = asyncio.create_task(reader.readline())
                await asyncio.wait([reading, stopped], return_when=asyncio.FIRST_COMPLETED)
                if not reading.done():
                    reading.cancel()
                    return False
                line = reading.result()
                if not line:
                    return False
                operation = json.loads(line)["op"]
                if operation == "release":
                    return True
                if operation == "keep":
                    self._on_demand = False
                    self._changed()
        finally:
            stopped.cancel()

    async def _tell(self, writer: asyncio.StreamWriter) -> None:
        """Send a snapshot now and at every change; a slow client gets the newest only."""
        changed = asyncio.Event()
        changed.set()
        self._told.add(changed)
        try:
            while True:
                await changed.wait()
                changed.clear()
                writer.write(self.status().to_line())
                await writer.drain()
        except ConnectionError:  # it hung up; who reads from it sees that too
            pass
        finally:
            self._told.discard(changed)


# --- the process -------------------------------------------------------------------------------------------------


def _log_to(path: Path) -> None:
    """From here on nobody reads what this process prints; it goes to a bounded file."""
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=1 << 20, backupCount=1)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    quiet = os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        os.dup2(quiet, stream.fileno())
    os.close(quiet)


async def _main(paths: StackPaths, wanted: Wanted) -> None:
    supervisor = Supervisor(paths, wanted)
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, supervisor.stop_asked.set)
    _log_to(paths.log("supervisor"))
    log.info("serves %s from %s", ", ".join(wanted.services), paths.home)
    await supervisor.run()
    log.info("stopped")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m core.stack.supervisor", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, metavar="DIR")
    parser.add_argument("--services", default=",".join(SERVICES), help="a comma between them")
    parser.add_argument("--kafka-port", type=int)
    parser.add_argument("--ksqldb-port", type=int)
    parser.add_argument("--kafka", help="bootstrap servers, where the broker is not ours")
    given = parser.parse_args()
    paths = StackPaths(given.home)
    wanted = Wanted(tuple(given.services.split(",")), given.kafka_port, given.ksqldb_port, given.kafka)
    os.umask(0o077)  # data and logs of every service are their user's alone
    try:
        paths.make()
        lock = acquire(paths.lock)
        if lock is None:
            return BUSY
        paths.check_space()
        paths.socket.unlink(missing_ok=True)
        asyncio.run(_main(paths, wanted))
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.filename or given.home}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
