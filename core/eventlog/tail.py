"""Knowing that the log has grown: a notification is the hint, a poll is the floor, and a lost server is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import asyncpg
import structlog

T = TypeVar("T")

POLL_FLOOR_S = 0.1
_RECONNECT_S = 0.5
_ANSWER_S = 5.0
LOST = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # asyncpg's word for a query on a connection that just broke
    asyncpg.OperatorInterventionError,
)
_log = structlog.get_logger(__name__)


async def survive(work: Callable[[], Awaitable[T]]) -> T:
    """The result of ``work``, repeated while the server is away."""
    while True:
        try:
            return await work()
        except LOST as error:
            _log.warning("the event log cannot be reached; trying again", error=str(error))
            await asyncio.sleep(_RECONNECT_S)


class Tail:
    """Watches the head of the log for any number of subscribers with one query and one listening connection.

    A notification is delivered after the commit it tells of and names the head then, so it can be taken at its word;
    a lost one costs the poll floor, never an event. The listening connection stays acquired: one released to the pool
    loses its listeners.
    """

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self._head = 0
        self._told = 0
        self._grown = asyncio.Condition()
        self._hint = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._failure: Exception | None = None

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def wait_for(self, position: int) -> int:
        """Wait until the log holds ``position``; returns its head. Raises what no waiting can heal."""
        if self._task is None or self._task.done():
            self._failure = None
            self._task = asyncio.create_task(self._watch())
        async with self._grown:
            await self._grown.wait_for(lambda: self._head >= position or self._failure is not None)
            if self._failure is not None:
                raise self._failure
            return self._head

    async def _watch(self) -> None:
        while True:
            try:
                async with self._pool.acquire() as conn:
                    await conn.add_listener("log_head", self._on_notify)
                    try:
                        await self._follow(conn)
                    finally:
                        await _unlisten(conn, self._on_notify)
            except LOST as error:
                _log.warning("the event log cannot be reached; trying again", error=str(error))
                await asyncio.sleep(_RECONNECT_S)
            except Exception as error:
                async with self._grown:
                    self._failure = error
                    self._grown.notify_all()
                return

    async def _follow(self, conn: Any) -> None:
        while True:
            head = await conn.fetchval("select pos from log.head", timeout=_ANSWER_S)
            await self._reached(head)
            try:
                async with asyncio.timeout(POLL_FLOOR_S):
                    while True:
                        await self._hint.wait()
                        self._hint.clear()
                        await self._reached(self._told)
            except TimeoutError:
                pass

    async def _reached(self, head: int) -> None:
        if head > self._head:
            async with self._grown:
                self._head = head
                self._grown.notify_all()

    def _on_notify(self, conn: object, pid: int, channel: str, payload: str) -> None:
        self._told = max(self._told, int(payload))
        self._hint.set()


async def _unlisten(conn: Any, listener: Callable[[object, int, str, str], None]) -> None:
    try:
        await conn.remove_listener("log_head", listener)
    except LOST:
        pass  # a connection that broke is the pool's again, and listens no more
