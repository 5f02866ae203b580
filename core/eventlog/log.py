"""The event log's door: append one or many, read forward, read a stream, subscribe."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any
from uuid import UUID

import asyncpg

from core.eventlog.append import append_bulk
from core.eventlog.archive import Archive, Archived
from core.eventlog.reading import Page, Selection, pages, read_page, read_stream
from core.eventlog.record import Item, Meta, Recorded, Verdict
from core.eventlog.tail import Tail, survive
from core.eventlog.unconditional import append_unconditional, unconditional
from schema.events import Event

_COALESCED = 2_000
_RETRIES = 5


class EventLog:
    """Append-only log over a pool of connections. Concurrent ``append`` calls share transactions.

    ``await close()`` at the end. With an ``archive`` events of archived partitions are read too; without one, asking
    for them raises ``core.eventlog.archive.Archived``.
    """

    def __init__(self, pool: Any, archive: Archive | None = None) -> None:
        self._pool = pool
        self._archive = archive
        self._tail = Tail(pool)
        self._waiting: list[tuple[Item, asyncio.Future[Verdict]]] = []
        self._drain: asyncio.Task[None] | None = None

    async def close(self) -> None:
        """Finish the appends under way and stop listening; the pool stays its owner's."""
        if self._drain is not None:
            await self._drain
        await self._tail.close()

    async def append(
        self,
        stream: str,
        events: Sequence[Event],
        *,
        meta: Meta,
        expected_version: int | None = None,
        command_id: UUID | None = None,
    ) -> Verdict:
        """Append to one stream; see ``Item`` and ``Verdict``. Returns when the events are durable."""
        future: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self._waiting.append((Item(stream, events, meta, expected_version, command_id), future))
        if self._drain is None or self._drain.done():
            self._drain = asyncio.create_task(self._append_waiting())
        return await future  # a caller that gives up cancels its future; the append goes on with its batch

    async def append_many(self, items: Sequence[Item]) -> list[Verdict]:
        """Append items of many streams in one transaction, one verdict an item: a conflict of one stops no other."""
        swift = unconditional(items)
        for attempt in range(_RETRIES):
            try:
                async with self._pool.acquire() as conn:
                    if swift:
                        return await append_unconditional(conn, items)
                    async with conn.transaction():
                        return await append_bulk(conn, items)
            except (asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
                if attempt == _RETRIES - 1:
                    raise
        raise AssertionError("unreachable")

    async def _append_waiting(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:_COALESCED], self._waiting[_COALESCED:]
            try:
                verdicts = await self.append_many([item for item, _ in batch])
            except Exception as error:
                # One bad item must not fail its neighbours; a fault of the service fails each of them the same way.
                if len(batch) > 1 and isinstance(
                    error, (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, ValueError)
                ):
                    await self._append_singly(batch)
                else:
                    _fail(batch, error)
                continue
            for (_, future), verdict in zip(batch, verdicts, strict=True):
                if not future.done():
                    future.set_result(verdict)

    async def _append_singly(self, batch: Sequence[tuple[Item, asyncio.Future[Verdict]]]) -> None:
        for item, future in batch:
            try:
                (verdict,) = await self.append_many([item])
            except Exception as error:
                _fail([(item, future)], error)
            else:
                if not future.done():
                    future.set_result(verdict)

    async def head(self) -> int:
        """The last position; 0 while the log is empty."""
        head: int = await self._pool.fetchval("select pos from log.head")
        return head

    async def wait_for(self, position: int) -> int:
        """Wait until the log holds ``position``; returns its head. While PostgreSQL is away it waits for that too."""
        return await self._tail.wait_for(position)

    async def read(
        self,
        from_pos: int,
        limit: int = 1_000,
        prefix: str | None = None,
        types: Sequence[str] | None = None,
        upto: int | None = None,
    ) -> list[Recorded]:
        """At most ``limit`` events from ``from_pos`` on (inclusive, to ``upto`` inclusive), in order of position.

        ``prefix`` keeps the streams whose names begin so, ``types`` the event types named.
        """
        return (await self._page(from_pos, limit, Selection(prefix, types, upto))).events()

    async def read_stream(self, stream: str, from_version: int = 0) -> list[Recorded]:
        """The events of one stream from ``from_version`` on; versions begin at 1."""
        page = await read_stream(self._pool, stream, from_version)
        found = page.events()
        if page.kept_from > 1 and (not found or found[0].version > max(from_version, 1)):
            raise Archived(page.kept_from)
        return found

    async def subscribe(
        self,
        from_pos: int,
        prefix: str | None = None,
        types: Sequence[str] | None = None,
        limit: int = 1_000,
        upto: int | None = None,
    ) -> AsyncIterator[list[Recorded]]:
        """Batches of events from ``from_pos`` on (``await head() + 1``: only new ones), none skipped.

        Goes on for ever, or to position ``upto``. Reads at full speed until the head, a page or two ahead of its
        reader, then waits for a notification or the poll floor. The reader's own pace is the back-pressure. While
        PostgreSQL is away it waits and goes on.
        """
        position = from_pos
        while upto is None or position <= upto:
            head = await self.wait_for(position)
            stop = head if upto is None else min(head, upto)
            selection = Selection(prefix, types)
            async with aclosing(pages(self._read_patiently, position, limit, selection, stop)) as found:
                async for page in found:
                    if page.size:
                        yield page.events()
            position = stop + 1

    async def _read_patiently(self, start: int, limit: int, selection: Selection) -> Page:
        return await survive(lambda: self._page(start, limit, selection))

    async def _page(self, from_pos: int, limit: int, selection: Selection) -> Page:
        page = await read_page(self._pool, from_pos, limit, selection)
        if from_pos >= page.kept_from:
            return page
        if self._archive is None:
            raise Archived(page.kept_from)
        before = await asyncio.to_thread(self._archive.page, from_pos, limit, selection, page.kept_from)
        if before.size == limit:
            return before
        after = await read_page(self._pool, page.kept_from, limit - before.size, selection)
        return before.followed_by(after)


def _fail(batch: Sequence[tuple[Item, asyncio.Future[Verdict]]], error: Exception) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(error)
