"""The fault matrix: service x fault x phase, as data, and a run of it that ends in a table of outcomes.

``python -m tests.chaos.matrix [--only SERVICE,...] [--faults FAULT,...] [--report FILE]`` exits with 1 where a payment
was lost or decided twice, or where a service did not come back.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, time

import asyncpg
from aiokafka.errors import KafkaError

from core.kafka.connection import Kafka
from core.settings import Settings, load
from core.stack.client import Stack, ensure_stack, stop_stack
from core.stack.errors import StackError
from core.stack.state import UP
from core.workers.host import connect
from core.workers.sender import Sender, payment
from core.workers.supervisor import Supervisor
from schema.transaction import Transaction, reais
from tests.chaos import breaking
from tests.core.stack.homes import make_home, remove

SERVICES = ("postgres", "kafka", "ksqldb", "worker")
FAULTS = ("kill", "stop", "slow", "cut", "full disk", "clock step", "restart during start-up")
PHASES = ("idle", "load", "backlog")
LEFT_OUT = {("worker", "full disk"): "a worker keeps nothing on a disk but its log"}
HELD_S = 4.0
STEP_S = 3600
RATE, BACKLOG = 100, 2_000
WITHIN_S = 90.0
_TASKS = ("consumer", "projector", "rules")


@dataclass(frozen=True)
class Cell:
    service: str
    fault: str
    phase: str

    def __str__(self) -> str:
        return f"{self.service}, {self.fault}, {self.phase}"


def cells(services: Sequence[str] = SERVICES, faults: Sequence[str] = FAULTS) -> list[Cell]:
    """Every cell that makes sense, service by service."""
    every = itertools.product(services, faults, PHASES)
    return [Cell(*cell) for cell in every if cell[:2] not in LEFT_OUT]


@dataclass
class Outcome:
    """``recovered_s``: from the end of the fault until everything that was sent is decided; None: it never was.
    ``said``: what status and the workers' rows showed meanwhile."""

    cell: Cell
    produced: int = 0
    lost: int = 0
    double: int = 0
    recovered_s: float | None = None
    said: list[str] = field(default_factory=list)
    skipped: str = ""

    @property
    def good(self) -> bool:
        return bool(self.skipped) or (self.lost == 0 and self.double == 0 and self.recovered_s is not None)

    def row(self) -> tuple[str, ...]:
        recovered = "-" if self.recovered_s is None else f"{self.recovered_s:.1f}"
        said = self.skipped or "; ".join(self.said) or "nothing"
        return (*map(str, (self.cell.service, self.cell.fault, self.cell.phase)),
                *map(str, (self.produced, self.lost, self.double)), recovered, said)  # fmt: skip


def _payment(number: int, at: int) -> Transaction:
    return Transaction(
        transaction_id=f"p-{number}",
        account_id=f"a-{number % 97}",
        amount=reais(100 + number % 900),
        event_time=at,
        produced_at=at,
    )


class Ground:
    """A stack with a worker process, payments that flow through it, and what it says of itself."""

    def __init__(self, settings: Settings, stack: Stack, worker: Supervisor, clock: breaking.Clock | None) -> None:
        self.stack, self.worker, self.clock, self.settings = stack, worker, clock, settings
        self.sent = 0
        self.said: list[str] = []
        self._kafka: Kafka = settings.cluster(stack.addresses.kafka)
        self._next = 0

    def pid(self, service: str) -> int | None:
        if service == "worker":
            return self.worker.pid
        known = self.stack.status.service(service) if self.stack.status is not None else None
        return known.pid if known is not None else None

    async def successor(self, service: str, before: int) -> int:
        """The process that follows this one; the same, where none does in half a minute."""
        deadline = monotonic() + 30
        pid = self.pid(service)
        while pid in (None, before) and monotonic() < deadline:
            await asyncio.sleep(0.01)
            pid = self.pid(service)
        return pid or before

    def note(self, text: str) -> None:
        """Once, whatever numbers it comes with."""
        shapes = {re.sub(r"\d+", "#", said) for said in self.said}
        if text and re.sub(r"\d+", "#", text) not in shapes:
            self.said.append(text)

    async def watch(self) -> None:
        """Follow the stack's status for ever: without that, pids grow stale."""
        async for status in self.stack.changes():
            for service in status.services:
                if service.state != UP:
                    detail = service.detail.split(": ")[0]
                    self.note(f"{service.name} {service.state}" + (f" ({detail})" if detail else ""))
            for problem in status.problems:
                self.note(problem.replace(str(self.settings.home), "HOME"))

    async def send(self, count: int) -> None:
        """Have this many payments acknowledged, however often each has to be tried: a repeat is told by its id."""
        now = int(time() * 1000)
        records = [payment(_payment(n, now)) for n in range(self._next, self._next + count)]
        self._next += count
        while True:
            try:
                async with asyncio.timeout(20), Sender(self._kafka) as sender:
                    await sender.send(records)
            except (KafkaError, OSError, TimeoutError) as error:
                self.note(f"producer: {type(error).__name__}")
                await asyncio.sleep(0.2)
            else:
                self.sent += count
                return

    async def flow(self) -> None:
        """Payments at the usual rate, for ever."""
        while True:
            await self.send(RATE // 5)
            await asyncio.sleep(0.2)

    async def watch_worker(self) -> None:
        """Note, as the control center shows it, that the hosted worker is gone."""
        while True:
            if self.worker.pid is None:
                self.note("worker restarting")
            await asyncio.sleep(0.05)

    async def account(self) -> tuple[int, int]:
        """(payments decided, decisions too many)."""
        conn = await asyncpg.connect(self.stack.addresses.postgres, timeout=5)
        try:
            for row in await conn.fetch(
                "select task, detail ->> 'error' as error from ops.worker_status where detail ->> 'error' is not null"
                " and updated_at > clock_timestamp() - interval '3 seconds'"
            ):
                self.note(f"{row['task']}: {row['error'].split(':')[0]}")
            known = int(await conn.fetchval("select count(*) from read.payment"))
            double = int(
                await conn.fetchval(
                    "select count(*) - count(distinct data ->> 'transaction_id') from log.event"
                    " where type = 'PaymentDecided' and coalesce((data ->> 'revision')::int, 0) = 0"
                )
            )
        finally:
            await conn.close()
        return known, double

    async def settled(self) -> tuple[int, int]:
        """(lost, double) once all that was sent is decided, or when patience ends."""
        deadline = monotonic() + WITHIN_S
        lost, double = self.sent, 0
        while monotonic() < deadline:
            with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
                known, double = await self.account()
                lost = self.sent - known
                if lost == 0 and all(self.pid(service) for service in SERVICES):
                    return lost, double
            await asyncio.sleep(0.1)
        return lost, double


@asynccontextmanager
async def ground(disk: str | None, clock: breaking.Clock | None, home: Path) -> AsyncIterator[Ground]:
    """A new stack; ``disk`` is the service whose data lies on a small disk of its own."""
    async with AsyncExitStack() as stack:
        if disk is not None:
            stack.enter_context(breaking.small_disk(_disk_of(disk, home), 1536))
        settings = load(home=home)
        for name, value in (clock.environment if clock is not None else {}).items():
            os.environ[name] = value
        try:
            services = await ensure_stack(settings)
        finally:
            for name in clock.environment if clock is not None else {}:
                del os.environ[name]
        stack.push_async_callback(stop_stack, home)
        addresses = services.addresses
        await (await connect(addresses.postgres)).close()
        environment = settings.environment_at(addresses.kafka, addresses.ksqldb, addresses.postgres)
        environment |= clock.environment if clock is not None else {}
        worker = await stack.enter_async_context(Supervisor(environment, home / "logs" / "worker.log", _TASKS))
        made = Ground(settings, services, worker, clock)
        watching = [asyncio.create_task(made.watch()), asyncio.create_task(made.watch_worker())]
        try:
            await made.send(50)
            lost, _ = await made.settled()
            if lost:
                raise RuntimeError(f"the pipeline did not start within {WITHIN_S:.0f} s")
            yield made
        finally:
            for task in watching:
                task.cancel()
            await asyncio.wait(watching)


def _disk_of(service: str, home: Path) -> Path:
    """What to put on a disk of its own: PostgreSQL moves its new folder into place, so for it the whole home."""
    return home if service == "postgres" else home / service


async def apply(ground: Ground, cell: Cell) -> None:
    """Break the service, hold it so, and undo it where that does not undo itself."""
    pid = ground.pid(cell.service)
    assert pid is not None
    match cell.fault:
        case "kill":
            breaking.tell(pid, signal.SIGKILL)
        case "stop":
            breaking.tell(pid, signal.SIGSTOP)
            await asyncio.sleep(HELD_S)
            breaking.tell(pid, signal.SIGCONT)
        case "slow":
            async with breaking.slowed(pid):
                await asyncio.sleep(HELD_S)
        case "cut":
            shut = 0
            for _ in range(3):
                shut += breaking.cut(pid)
                await asyncio.sleep(HELD_S / 4)
            ground.note(f"{shut} connections cut")
        case "full disk":
            with breaking.full(_disk_of(cell.service, ground.settings.home)):
                await asyncio.sleep(HELD_S)
        case "clock step":
            assert ground.clock is not None
            for seconds in (STEP_S, -STEP_S, 0):
                ground.clock.step(cell.service, seconds)
                await asyncio.sleep(HELD_S / 3)
        case "restart during start-up":
            for _ in range(3):
                breaking.tell(pid, signal.SIGKILL)
                pid = await ground.successor(cell.service, pid)


async def run_cell(ground: Ground, cell: Cell) -> Outcome:
    """One fault in one phase on a stack that is well."""
    ground.said.clear()
    before = ground.sent
    flowing = asyncio.create_task(ground.flow()) if cell.phase == "load" else None
    outcome = Outcome(cell)
    try:
        if cell.phase == "backlog":
            await ground.send(BACKLOG)
        await apply(ground, cell)
    except PermissionError as error:
        outcome.skipped = f"not here: {error}"
    ended = monotonic()
    if flowing is not None:
        await asyncio.sleep(1.0)
        flowing.cancel()
        await asyncio.wait([flowing])
        ground._next = ground.sent  # what the last, cut short, send had begun is sent again under the same ids
    await ground.send(RATE)
    outcome.lost, outcome.double = await ground.settled()
    outcome.recovered_s = monotonic() - ended if outcome.lost == 0 else None
    outcome.produced = ground.sent - before
    outcome.said = list(ground.said)
    return outcome


async def run(chosen: Sequence[Cell]) -> list[Outcome]:
    """The cells, on one stack for each service and need; a stack that is not well again is replaced."""
    outcomes: list[Outcome] = []
    for (service, fault), group in itertools.groupby(chosen, key=lambda cell: (cell.service, cell.fault)):
        waiting = list(group)
        home = make_home()
        with ExitStack() as stack:
            stack.callback(remove, home)
            try:
                clock = breaking.Clock(home / "clock") if fault == "clock step" else None
                disk = service if fault == "full disk" else None
                async with ground(disk, clock, home) as made:
                    for cell in waiting:
                        outcome = await run_cell(made, cell)
                        outcomes.append(outcome)
                        print(" | ".join(outcome.row()), flush=True)
                        if not outcome.good:
                            break
            except PermissionError as error:
                outcomes += [Outcome(cell, skipped=f"not here: {error}") for cell in waiting]
                print(f"{service}, {fault}: {error}", flush=True)
            except (RuntimeError, StackError) as error:
                outcomes += [Outcome(cell, said=[str(error)]) for cell in waiting]
                print(f"{service}, {fault}: {error}", flush=True)
    return outcomes


_LEFT_OUT = "; ".join(f"{service} has no {fault}: {why}" for (service, fault), why in LEFT_OUT.items())
_ABOUT = f"""# Faults

What `make chaos` broke, and what it cost: every service, broken in every way, while nothing flows (idle), while
payments flow ({RATE} a second, load), and right after {BACKLOG:,} came at once (backlog). A payment is lost when it
was acknowledged and is not decided, double when it was decided twice. A fault is held for {HELD_S:.0f} s; "well after"
counts from its end until all that was sent is decided. Clocks are moved by {STEP_S // 3600} h, forward, back and home,
the stack's supervisor's with the service's. "Slow" leaves a service a tenth of its time: it answers its probe within
the 2 s that are allowed, so nothing is said. "Cut" shuts every connection it has, three times; "full disk" leaves no
byte on the disk of its data; "restart during start-up" kills it three times, each time as soon as it is there again.
Left out: {_LEFT_OUT}. `tests/chaos/matrix.py` is the matrix.

"""


def table(outcomes: Sequence[Outcome]) -> str:
    """Markdown."""
    head = ("service", "fault", "phase", "sent", "lost", "double", "well after, s", "what status said meanwhile")
    rows = [head, tuple("---" for _ in head), *(outcome.row() for outcome in outcomes)]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.matrix", description=__doc__)
    parser.add_argument("--only", default=",".join(SERVICES), help="services, a comma between them")
    parser.add_argument("--faults", default=",".join(FAULTS), help="faults, a comma between them")
    parser.add_argument("--report", type=Path, help="write the table there")
    given = parser.parse_args()
    outcomes = asyncio.run(run(cells(given.only.split(","), given.faults.split(","))))
    if given.report is not None:
        given.report.write_text(_ABOUT + table(outcomes))
    bad = [str(outcome.cell) for outcome in outcomes if not outcome.good]
    ran = sum(not outcome.skipped for outcome in outcomes)
    print(f"{ran} cells ran, {len(outcomes) - ran} were skipped, {len(bad)} bad{': ' + '; '.join(bad) if bad else ''}")
    return 1 if bad or not ran else 0


if __name__ == "__main__":
    sys.exit(main())
