"""One run of statements: results that are complete, or a push query that is drained into a bounded buffer."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from tui.ports import KsqlPort, PushQuery, SqlProblem, Table, Unavailable
from tui.tasks import note_fault

BUFFER_ROWS = 20_000
RATE_SECONDS = 3.0

Row = tuple[int, Sequence[object]]


class Runner:
    """``state`` is idle, running, live, ended, stopped or failed; ``take`` gives numbered rows in order."""

    def __init__(self, port: KsqlPort, clock: Callable[[], float]) -> None:
        self._port = port
        self._clock = clock
        self._query: PushQuery | None = None
        self._task: asyncio.Task[None] | None = None
        self._rows: deque[Row] = deque()
        self._counts: deque[tuple[float, int]] = deque()
        self.state = "idle"
        self.columns: Sequence[str] = ()
        self.types: Sequence[str] = ()
        self.tables: Sequence[Table] = ()
        self.problem: SqlProblem | None = None
        self.total = 0
        self.dropped = 0
        self._dropped_here = 0
        self._gaps = 0
        self._away_since: float | None = None
        self.away_s = 0.0
        """Seconds for which the server is away now; else 0."""
        self.lost_s = 0.0
        """Seconds of the gaps together."""
        self._settled = asyncio.Event()
        self.generation = 0
        """Rises when the columns change, so that the grid knows to begin anew."""
        self._started = 0.0
        self._ended: float | None = None

    @property
    def busy(self) -> bool:
        return self._task is not None and not self._task.done()

    @property
    def lifetime(self) -> float:
        """Seconds that the query has run."""
        return 0.0 if not self._started else (self._ended or self._clock()) - self._started

    @property
    def rate(self) -> float:
        """Rows per second over the last three seconds."""
        now = self._clock()
        while self._counts and self._counts[0][0] < now - RATE_SECONDS:
            self._counts.popleft()
        return sum(count for _, count in self._counts) / max(0.5, min(RATE_SECONDS, self.lifetime))

    @property
    def waiting(self) -> bool:
        """Whether the server is away while the query is live."""
        return self._query is not None and self._query.waiting

    @property
    def gaps(self) -> int:
        """How often the query was opened again; rows between are not seen."""
        return self._gaps if self._query is None else self._query.gaps

    def watch(self) -> None:
        """Take the time of an outage; called as often as it is painted."""
        if self.waiting:
            if self._away_since is None:
                self._away_since = self._clock()
            self.away_s = self._clock() - self._away_since
        elif self._away_since is not None:
            self.lost_s += self._clock() - self._away_since
            self._away_since, self.away_s = None, 0.0

    async def start(self, sql: str, properties: Mapping[str, str]) -> None:
        """Run; what ran before is stopped first."""
        await self.stop()
        self._rows.clear()
        self._counts.clear()
        self.problem, self.tables = None, ()
        self.columns, self.types = (), ()
        self.total = self.dropped = self._dropped_here = self._gaps = 0
        self.away_s = self.lost_s = 0.0
        self._away_since = None
        self._settled.clear()
        self.generation += 1
        self._started, self._ended = self._clock(), None
        self.state = "running"
        self._task = asyncio.create_task(self._run(sql, properties), name="ksqldb panel")

    async def _run(self, sql: str, properties: Mapping[str, str]) -> None:
        try:
            result = await self._port.run(sql, properties)
            if not isinstance(result, Sequence):
                await self._drain(result)
            else:
                self.tables = result
                self.generation += 1
                self.state = "ended"
        except SqlProblem as problem:
            self.problem, self.state = problem, "failed"
        except Unavailable as error:
            self.problem, self.state = SqlProblem(str(error)), "failed"
        except asyncio.CancelledError:
            self.state = "stopped"
            raise
        except Exception as error:
            self.problem, self.state = SqlProblem(note_fault("ksqlDB panel", error)), "failed"
        finally:
            self._ended = self._clock()
            self._settled.set()

    async def _drain(self, query: PushQuery) -> None:
        self._query = query
        self.columns, self.types = query.columns, query.types
        self.generation += 1
        self.state = "live"
        self._settled.set()
        try:
            async for batch in query.batches():
                self._take_in(batch)
                self.dropped = query.dropped + self._dropped_here
            self.state = "ended"
        finally:
            self._gaps = query.gaps
            self._query = None
            await query.close()

    def _take_in(self, batch: Sequence[Sequence[object]]) -> None:
        first = self.total
        self.total += len(batch)
        self._rows.extend(enumerate(batch, first))
        excess = len(self._rows) - BUFFER_ROWS
        if excess > 0:
            for _ in range(excess):
                self._rows.popleft()
            self._dropped_here += excess
        self._counts.append((self._clock(), len(batch)))

    def take(self) -> list[Row]:
        """Rows since the last call."""
        rows = list(self._rows)
        self._rows.clear()
        return rows

    async def settled(self) -> None:
        """Wait until the query is live, or has ended or failed."""
        await self._settled.wait()

    async def stop(self) -> None:
        """End what runs: the server's query is closed before this returns."""
        task = self._task
        if task is None:
            return
        self._task = None
        if not task.done():
            task.cancel()
        await asyncio.gather(task, return_exceptions=True)
