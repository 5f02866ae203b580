"""A running query: a reader task that fills a bounded buffer, reconnects, and never leaves a query behind."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from enum import Enum
from types import TracebackType
from typing import Self

import httpx

from ksqldb.client._errors import KsqlClientError, KsqlServerError, KsqlUnavailable, from_body, understood
from ksqldb.client._rows import Format, Row, reader
from ksqldb.client._types import Column

FIRST_DELAY = 0.2
LONGEST_DELAY = 5.0
CLOSE_PATIENCE = 0.25  # how long leaving a query waits for the server; the clean-up itself goes on behind

_NO_REASON = "The server encountered an internal error when processing the query"

Open = Callable[[Mapping[str, object]], AbstractAsyncContextManager[httpx.Response]]
Forget = Callable[[str], "asyncio.Task[None]"]

_QUIET = re.compile(r"'(?:[^']|'')*'|`[^`]*`|\"[^\"]*\"|--[^\n]*|/\*.*?\*/", re.S)
_LIMIT = re.compile(r"\bLIMIT\s+\d+\s*;?\s*$", re.I)
_EMIT = re.compile(r"\bEMIT\s+(?:CHANGES|FINAL)\b", re.I)


def is_push(sql: str) -> bool:
    """Whether a SELECT is a push query, as its text says."""
    return _EMIT.search(_QUIET.sub(" ", sql)) is not None


def has_limit(sql: str) -> bool:
    return _LIMIT.search(_QUIET.sub(" ", sql)) is not None


class Overflow(Enum):
    """What happens when rows come faster than they are taken: DROP the oldest and count them, or WAIT, which holds
    the server back through the connection's flow control."""

    DROP = "drop"
    WAIT = "wait"


class State(Enum):
    CONNECTING = "connecting"
    OPEN = "open"
    WAITING = "waiting"  # the connection is gone; a new attempt follows
    CLOSED = "closed"


class Query:
    """Rows of one SELECT. Use as ``async with client.query(sql) as query: async for rows in query.batches()``.

    Entering waits until the server has answered with the columns and raises ``KsqlServerError`` or
    ``KsqlUnavailable`` when it does not. A push query without LIMIT that ends (TERMINATE, restart of the server, a cut
    connection) is opened again after a growing delay, from ``latest``: rows of the gap are not seen, ``reconnects``
    counts the gaps. Leaving the context ends the query on the server too, within 0.3 s.
    """

    def __init__(
        self,
        open_response: Open,
        forget: Forget,
        explain: Callable[[], Awaitable[object]],
        properties: Mapping[str, object],
        *,
        form: Format,
        reconnect: bool,
        buffer: int,
        overflow: Overflow,
    ) -> None:
        self._open = open_response
        self._forget = forget
        self._explain = explain
        self._properties = dict(properties)
        self._form = form
        self._reconnect = reconnect
        self._limit = buffer
        self._overflow = overflow
        self._rows: deque[Row] = deque()
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._leaving: list[asyncio.Task[None]] = []
        self.state = State.CONNECTING
        self.query_id: str | None = None
        self.columns: list[Column] = []
        self.received = 0
        self.dropped = 0
        self.reconnects = 0
        self.tokens: dict[str, str] = {}
        self.end: str | None = None
        self.problem: KsqlClientError | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="ksqldb query")
        try:
            while self.state is State.CONNECTING:
                await self._wait()
            if self.state is not State.OPEN and self.problem and not self.columns:
                raise await self._explained(self.problem)
        except BaseException:
            await self.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _explained(self, problem: KsqlClientError) -> KsqlClientError:
        """The reason behind an error that only says that there was one: EXPLAIN of the same query tells it."""
        if not isinstance(problem, KsqlServerError) or not problem.message.startswith(_NO_REASON):
            return problem
        try:
            await self._explain()
        except KsqlServerError as reason:
            if reason.error_code // 100 == 400:
                return KsqlServerError(reason.error_code, reason.message, problem.statement)
        except KsqlUnavailable:
            return problem
        return problem

    async def aclose(self) -> None:
        """End the query here and on the server. Safe to call twice."""
        if self._task and not self._task.done():
            self._task.cancel()
        if self._task:
            await asyncio.wait([self._task])
        if self._leaving:
            await asyncio.wait(self._leaving, timeout=CLOSE_PATIENCE)
        self._set(State.CLOSED)

    async def batches(self) -> AsyncIterator[list[Row]]:
        """Rows in lists, as they come, oldest first; ends with the query. A row is a tuple, or a ``Tombstone``."""
        while True:
            while not self._rows:
                if self._task is None or self._task.done():
                    if self.problem and not self._rows:
                        raise self.problem
                    if not self._rows:
                        return
                else:
                    await self._wait()
            rows = list(self._rows)
            self._rows.clear()
            self._room.set()
            yield rows

    async def _wait(self) -> None:
        """Until something changed: rows came, the state is another, the reader ended."""
        await self._changed.wait()
        self._changed.clear()

    def _set(self, state: State) -> None:
        self.state = state
        self._changed.set()

    async def _run(self) -> None:
        delay = FIRST_DELAY
        try:
            while True:
                seen = self.received
                try:
                    await self._read()
                except KsqlUnavailable as problem:
                    if not (self._reconnect and self.columns):
                        raise
                    self.problem = problem
                if not self._reconnect:
                    return
                delay = FIRST_DELAY if self.received > seen else min(delay * 2, LONGEST_DELAY)
                self._set(State.WAITING)
                await asyncio.sleep(delay * random.uniform(0.7, 1.0))
                self._properties["auto.offset.reset"] = "latest"
        except KsqlClientError as problem:
            self.problem = problem
        finally:
            self._set(State.CLOSED)

    async def _read(self) -> None:
        """One connection, from opening it to its end."""
        parts = reader(self._form)
        query_id: str | None = None
        ended = False
        try:
            async with self._open(self._properties) as response:
                if response.status_code != 200:
                    raise from_body(response.status_code, await response.aread())
                try:
                    async for chunk in response.aiter_raw():
                        with understood("/query-stream"):
                            part = parts.feed(chunk)
                        if part.columns is not None:
                            self.columns, self.query_id = part.columns, part.query_id
                            query_id, self.problem = part.query_id, None
                            self.reconnects += self.state is State.WAITING
                            self._set(State.OPEN)
                        self.tokens.update(part.tokens)
                        self.end = part.end or self.end
                        if part.rows:
                            await self._put(part.rows)
                        if part.error:
                            raise part.error
                    ended = True
                finally:
                    if query_id and not ended:
                        self._leave(query_id)
        except (httpx.ConnectError, httpx.ConnectTimeout) as problem:
            raise KsqlUnavailable(f"ksqlDB cannot be reached: {problem or type(problem).__name__}") from problem
        except httpx.HTTPError as problem:
            raise KsqlUnavailable(f"the connection to ksqlDB broke: {problem or type(problem).__name__}") from problem

    def _leave(self, query_id: str) -> None:
        self._leaving = [task for task in self._leaving if not task.done()]
        self._leaving.append(self._forget(query_id))

    async def _put(self, rows: list[Row]) -> None:
        self.received += len(rows)
        self._rows.extend(rows)
        self._changed.set()
        if self._overflow is Overflow.WAIT:
            while len(self._rows) >= self._limit:
                self._room.clear()
                await self._room.wait()
            return
        while len(self._rows) > self._limit:
            self._rows.popleft()
            self.dropped += 1


async def settle(tasks: list[asyncio.Task[None]], patience: float) -> None:
    """Wait for clean-up tasks, then give up on what is left."""
    if not tasks:
        return
    _, late = await asyncio.wait(tasks, timeout=patience)
    for task in late:
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(*late, return_exceptions=True)
