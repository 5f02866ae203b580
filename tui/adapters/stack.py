"""The stack and the hosted worker: what ``core.stack`` and ``core.workers`` offer, as the boot screen's port."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tui.adapters.database import Database
from tui.adapters.kafka import KafkaLag
from tui.adapters.ksql import ClientKsql
from tui.ports import ServiceState, Unavailable

if TYPE_CHECKING:
    from core.settings import Settings
    from core.stack.client import Stack, Step
    from core.stack.state import Status

_HEAVY = ("core.settings", "asyncpg", "core.eventlog", "core.eventlog.migrate", "core.stack.client", "ksqldb.client")
_NAMES = {"postgres": "PostgreSQL", "kafka": "Kafka", "ksqldb": "ksqlDB"}
CLOSE_PATIENCE = 0.25
WATCH_RETRY = 1.0

OnStep = Callable[[ServiceState], None]


class StackConnections:
    """Opens everything behind the ports, in the order in which it comes up, and closes it again."""

    def __init__(self, database: Database, ksql: ClientKsql, kafka: KafkaLag) -> None:
        self._database = database
        self._ksql = ksql
        self._kafka = kafka
        self._stack: Stack | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._worker: Any = None
        self._settings: Settings | None = None

    async def open(self, on_step: OnStep) -> None:
        begun = time.monotonic()
        await asyncio.to_thread(_import_heavy)
        from core.settings import SettingsError, load
        from core.stack.client import ensure_stack
        from core.stack.errors import StackError

        try:
            self._settings = load()
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
        self._kafka.open(addresses.kafka)
        on_step(ServiceState("worker", "starting", "rules, producer, consumer, scenarios, projections"))
        await self._start_worker(on_step)
        took = round((time.monotonic() - begun) * 1000)
        on_step(ServiceState("worker", "up", "hosted by this control center", elapsed_ms=took))
        self._tasks.append(asyncio.create_task(self._watch(on_step), name="stack watch"))

    async def _start_worker(self, on_step: OnStep) -> None:
        raise NotImplementedError

    async def _watch(self, on_step: OnStep) -> None:
        """Hand on every change of the embedded services; a lost stack is shown and joined again."""
        from core.stack.client import ensure_stack
        from core.stack.errors import StackError

        assert self._settings is not None
        while self._stack is not None:
            async for status in self._stack.changes():
                _tell_status(status, on_step)
            if len(_external(self._settings)) == len(_NAMES):
                return
            for name in _NAMES.values():
                on_step(ServiceState(name, "down", "the stack is gone; starting it again"))
            try:
                self._stack = await ensure_stack(self._settings, lambda step: on_step(_state_of_step(step)))
            except (StackError, TimeoutError) as error:
                on_step(ServiceState("PostgreSQL", "failed", str(error)))
                await asyncio.sleep(WATCH_RETRY)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        closings = [self._ksql.close(), self._kafka.close(), self._database.close()]
        if self._worker is not None:
            closings.append(self._worker.stop())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_PATIENCE):
                await asyncio.gather(*closings, return_exceptions=True)
        if self._stack is not None:
            # The stack itself may take seconds to stop; it does so without us once the hold is given up.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_PATIENCE):
                    await self._stack.close()


def _import_heavy() -> None:
    for name in _HEAVY:
        importlib.import_module(name)


def _external(settings: Settings) -> list[str]:
    given = {"postgres": settings.postgres_dsn, "kafka": settings.kafka, "ksqldb": settings.ksqldb}
    return [name for name, address in given.items() if address is not None]


def _state_of_step(step: Step) -> ServiceState:
    return ServiceState(
        _NAMES.get(step.service, step.service), step.state, step.text, elapsed_ms=round(step.elapsed * 1000)
    )


def _tell_status(status: Status, on_step: OnStep) -> None:
    for service in status.services:
        restarts = f"{service.restarts} restarts" if service.restarts else ""
        detail = ", ".join(part for part in (service.detail, restarts) if part) or _place(service.address)
        on_step(ServiceState(_NAMES.get(service.name, service.name), service.state, detail, service.address))


def _place(address: str) -> str:
    """An address without scheme and password, for showing."""
    return address.rpartition("@")[2].removeprefix("http://")
