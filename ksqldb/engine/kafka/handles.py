"""What a reader of a query holds: rows in batches until the query is complete, its LIMIT is reached or it is closed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from ksqldb.engine.errors import ServerError
from ksqldb.engine.run.io import Headers
from ksqldb.engine.run.records import Batch
from ksqldb.engine.run.result_rows import ResultRows
from ksqldb.engine.run.results import Column, QueryKind, Row

_FULL = 5_000  # rows held for a slow reader before its query is held back


class RowQueue:
    """Rows on their way from a query to its reader, on one event loop."""

    def __init__(self, results: ResultRows | None = None) -> None:
        self.results = results
        self.limit = None if results is None else results.limit
        self.rows: list[Row] = []
        self.ended = False
        self.error: Exception | None = None
        self.limit_reached = False
        self.news = asyncio.Event()
        self.room = asyncio.Event()
        self.room.set()
        self.on_limit: Callable[[], None] | None = None
        if results is not None and results.limit_reached:
            self._reach_limit()

    def is_full(self) -> bool:
        return len(self.rows) >= _FULL

    def take(self, partition: int, batch: Batch, headers: Headers) -> None:
        """Stream records of a query's result, whose value is the row."""
        if self.ended or self.results is None:
            return
        self.results.add(batch)
        self.rows += self.results.take()
        if self.results.limit_reached:
            self._reach_limit()
        if self.is_full():
            self.room.clear()
        self.news.set()

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
    """A QueryHandle over a row queue; ``end`` stops what feeds it, and is told whether the reader just went away."""

    def __init__(
        self,
        query_id: str,
        kind: QueryKind,
        columns: list[Column],
        queue: RowQueue,
        end: Callable[[bool], Awaitable[None]] | None = None,
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

    def batches(self) -> AsyncIterator[list[Row]]:
        return self.queue.batches()

    async def close(self, reader_left: bool = False) -> None:
        self.queue.end()
        if self._end is not None:
            end, self._end = self._end, None
            await end(reader_left)
