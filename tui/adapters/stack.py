"""The stack and the hosted worker: what ``core.stack`` and ``core.workers`` offer, as the boot screen's port."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING

from tui import format as show
from tui.adapters.cluster import KafkaCluster
from tui.adapters.database import Database
from tui.adapters.eventlog import LogEvents
from tui.adapters.kafka import KafkaLag
from tui.adapters.ksql import ClientKsql
from tui.adapters.records import HomeRecords
from tui.adapters.twin import Twin
from tui.adapters.workers import HostedWorkers
from tui.ports import ServiceState, Unavailable
from tui.tasks import as_service, keep_up

if TYPE_CHECKING:
    from core.settings import Settings
    from core.stack.client import Addresses, Stack, Step
    from core.stack.state import Status

_HEAVY = ("core.settings", "asyncpg", "core.eventlog", "core.eventlog.migrate", "core.stack.client", "ksqldb.client")
_NAMES = {"postgres": "PostgreSQL", "kafka": "Kafka", "ksqldb": "ksqlDB"}
CLOSE_PATIENCE = 0.15
WATCH_RETRY = 1.0

OnStep = Callable[[ServiceState], None]


class StackConnections:
    """Opens everything behind the ports, in the order in which it comes up, and closes it again."""

    def __init__(
        self,
        load_settings: Callable[[], Settings],
        database: Database,
        ksql: ClientKsql,
        kafka: KafkaLag,
        workers: HostedWorkers,
        records: HomeRecords,
        twin: Twin,
        cluster: KafkaCluster,
        eventlog: LogEvents,
    ) -> None:
        self._load_settings = load_settings
        self._database = database
        self._ksql = ksql
        self._kafka = kafka
        self._stack: Stack | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._workers = workers
        self._records = records
        self._twin = twin
        self._cluster = cluster
        self._eventlog = eventlog
        self._settings: Settings | None = None

    async def open(self, on_step: OnStep) -> None:
        begun = time.monotonic()
        await asyncio.to_thread(_import_heavy)
        from core.settings import SettingsError
        from core.stack.client import ensure_stack
        from core.stack.errors import StackError

        try:
            self._settings = self._load_settings()
            if self._settings.read_only and not self._database.read_only:
                raise SettingsError(
                    "read_only: it is true or false in streamguard.toml, STREAMGUARD_READ_ONLY is 1 or 0"
                )
            self._records.open(self._settings.home)
            self._eventlog.open(self._settings.home / "seals.jsonl")
            if self._stack is None:
                self._stack = await ensure_stack(self._settings, lambda step: on_step(_state_of_step(step)))
        except (SettingsError, StackError) as error:
            raise Unavailable(str(error)) from error
        except TimeoutError as error:
            raise Unavailable("the stack did not come up in time; `streamguard status` says more") from error
        addresses = self._stack.addresses
        external = _external(self._settings)
        for name in external:
            on_step(ServiceState(_NAMES[name], "up", "external"))
        await self._database.open(addresses.postgres)
        self._ksql.open(addresses.ksqldb)
        kafka = self._settings.cluster(addresses.kafka)
        self._kafka.open(kafka)
        self._cluster.open(kafka)
        self._twin.open(_environment(self._settings, addresses))
        if self._database.read_only:
            on_step(ServiceState("worker", "stopped", "read-only: none is hosted here"))
        else:
            on_step(ServiceState("worker", "starting", "rules, producer, consumer, scenarios, projections"))
            await self._workers.open(self._settings.environment(), self._settings.home / "logs")
            took = round((time.monotonic() - begun) * 1000)
            on_step(ServiceState("worker", "up", "hosted here", elapsed_ms=took))
        watches = {"stack news": self._watch, "hosts news": self._workers.watch}
        self._tasks = [keep_up(partial(watch, on_step), n, as_service(n, on_step)) for n, watch in watches.items()]

    async def _watch(self, on_step: OnStep) -> None:
        """Hand on every change of the embedded services. A lost stack is shown and started again; one that somebody
        stopped is joined when somebody starts it."""
        from core.stack.client import rejoin
        from core.stack.errors import StackError

        assert self._settings is not None
        while self._stack is not None:
            async for status in self._stack.changes():
                _tell_status(status, on_step)
            if len(_external(self._settings)) == len(_NAMES):
                return
            stopped = self._stack.status is not None and self._stack.status.stopping
            why = "stopped; `streamguard up` starts it" if stopped else "the stack is gone; starting it again"
            for name in _NAMES.values():
                on_step(ServiceState(name, "down", why))
            try:
                self._stack = await rejoin(self._settings, self._stack, lambda step: on_step(_state_of_step(step)))
            except (StackError, TimeoutError) as error:
                on_step(ServiceState("PostgreSQL", "failed", str(error)))
                await asyncio.sleep(WATCH_RETRY)

    async def close(self) -> None:
        """Let go of everything at once; what takes longer than its patience ends by itself.

        The worker finishes its batch and stops when its standard input closes; the stack, when its last hold is gone.
        """
        for task in self._tasks:
            task.cancel()
        closings: list[Awaitable[object]] = [
            *self._tasks,
            self._ksql.close(),
            self._kafka.close(),
            self._database.close(),
            self._workers.close(),
        ]
        if self._stack is not None:
            closings.append(self._stack.close())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_PATIENCE):
                await asyncio.gather(*closings, return_exceptions=True)


def _import_heavy() -> None:
    """Import what takes long, and have its messages go to the log file behind descriptor 2, never to the screen."""
    for name in _HEAVY:
        importlib.import_module(name)
    import structlog

    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.__stderr__),
    )


def _environment(settings: Settings, addresses: Addresses) -> dict[str, str]:
    """What a child process finds the same services by."""
    return settings.environment_at(addresses.kafka, addresses.ksqldb, addresses.postgres)


def _external(settings: Settings) -> list[str]:
    given = {"postgres": settings.postgres_dsn, "kafka": settings.kafka, "ksqldb": settings.ksqldb_url}
    return [name for name, address in given.items() if address is not None]


def _state_of_step(step: Step) -> ServiceState:
    return ServiceState(
        _NAMES.get(step.service, step.service), step.state, step.text, elapsed_ms=round(step.elapsed * 1000)
    )


def _tell_status(status: Status, on_step: OnStep) -> None:
    machine = "; ".join(status.problems)
    on_step(ServiceState("machine", "warning" if machine else "up", machine or "disk and clock"))
    for service in status.services:
        restarts = show.counted(service.restarts, "restart") if service.restarts else ""
        detail = ", ".join(part for part in (service.detail, restarts) if part) or "embedded"
        since = None if service.up_since is None else round(service.up_since * 1000)
        name = _NAMES.get(service.name, service.name)
        on_step(
            ServiceState(
                name,
                service.state,
                detail,
                service.address,
                since,
                restarts=service.restarts,
                pid=service.pid,
            )
        )
