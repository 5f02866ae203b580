"""What a reader of a query holds: rows in batches until the query is complete, its LIMIT is reached or it is closed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from ksqldb.engine.errors import ServerError
from ksqldb.engine.run.io import Headers
from ksqldb.engine.run.records import Batch
from ksqldb.engine.run.results import Column, QueryKind, Row

_FULL = 5_000  # rows held for a slow reader before its query is held back


class RowQueue:
    """Rows on their way from a query to its reader, on one event loop."""

    def __init__(self, width: int, key_columns: list[int], keep_tombstones: bool, limit: int | None) -> None:
        self.width = width
        self.key_columns = key_columns
        self.keep_tombstones = keep_tombstones
        self.limit = limit
        self.rows: list[Row] = []
        self.given = 0
        self.ended = False
        self.error: Exception | None = None
        self.limit_reached = False
        self.news = asyncio.Event()
        self.room = asyncio.Event()
        self.room.set()
        self.on_limit: Callable[[], None] | None = None
        if limit == 0:
            self._reach_limit()

    def is_full(self) -> bool:
        return len(self.rows) >= _FULL

    def take(self, partition: int, batch: Batch, headers: Headers) -> None:
        """Stream records of a query's result, whose value is the row. A null value is a tombstone in tables."""
        if self.ended:
            return
        rows = self.rows
        for key, value, _, _ in batch:
            if value is not None:
                rows.append(Row(value))
            elif self.keep_tombstones:
                rows.append(self._tombstone(key))
            else:
                continue
            self.given += 1
            if self.limit is not None and self.given >= self.limit:
                self._reach_limit()
                break
        if len(rows) >= _FULL:
            self.room.clear()
        self.news.set()

    def _tombstone(self, key: tuple[object, ...]) -> Row:
        values: list[object] = [None] * self.width
        for place, index in enumerate(self.key_columns):
            if index >= 0 and place < len(key):
                values[index] = key[place]
        return Row(tuple(values), tombstone=True)

    def _reach_limit(self) -> None:
        self.limit_reached = True
        self.end()
        if self.on_limit is not None:
            self.on_limit()

    def end(self, error: Exception | None = None) -> None:
        self.ended = True
        self.error = self.error or error
        self.news.set()
        self.room.set()

    async def batches(self) -> AsyncIterator[list[Row]]:
        while True:
            if self.rows:
                taken, self.rows = self.rows, []
                self.room.set()
                yield taken
                continue
            if self.ended:
                if self.error is not None:
                    raise ServerError(str(self.error))
                return
            self.news.clear()
            await self.news.wait()


class Handle:
    """A QueryHandle over a row queue; ``end`` stops what feeds it."""

    def __init__(
        self,
        query_id: str,
        kind: QueryKind,
        columns: list[Column],
        queue: RowQueue,
        end: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.query_id = query_id
        self.kind: QueryKind = kind
        self.columns = columns
        self.queue = queue
        self.limit = queue.limit
        self._end = end
        self.statement = ""
        self.sources: tuple[str, ...] = ()

    @property
    def limit_reached(self) -> bool:
        return self.queue.limit_reached

    @property
    def shed(self) -> int:
        """Never any: a slow reader's query is held back instead."""
        return 0

    def batches(self) -> AsyncIterator[list[Row]]:
        return self.queue.batches()

    async def close(self) -> None:
        self.queue.end()
        if self._end is not None:
            end, self._end = self._end, None
            await end()
