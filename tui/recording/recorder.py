"""Writes down what the ports answer, as it comes, when it is another answer than before."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from tui.ports import Ports, PushQuery, ServiceState, SqlProblem, Table, Unavailable
from tui.recording.calls import FEEDS, KEYED, PROTOCOLS, SNAPSHOTS, SYNCHRONOUS, Opened, Problem, key_of, statement_key
from tui.recording.file import VERSION, Header, Record, RecordingError, Writer
from tui.screens.kafka.port import Batch, Browser, Start

FLUSH_S = 1.0


class Recorder:
    """When the file cannot be written any more, recording stops and the control center goes on."""

    def __init__(self, path: Path, now: Callable[[], float], environment: str, color: str = "") -> None:
        self._now = now
        self._writer: Writer | None = Writer(path, Header(VERSION, self._ms(), environment, color))
        self._last: dict[tuple[str, bytes], tuple[bytes, bool]] = {}
        self._flushed = time.monotonic()
        self._screen: Callable[[], str] = lambda: ""
        self._view: Callable[[], object] = lambda: None
        self._say: Callable[[str], None] = lambda problem: None

    def _ms(self) -> int:
        return int(self._now() * 1000)

    def watch(
        self, screen: Callable[[], str], say: Callable[[str], None], view: Callable[[], object] = lambda: None
    ) -> None:
        """``screen`` and ``view`` tell what is shown and what its lists stand at, for a replay to follow; ``say`` hears
        why recording has stopped."""
        self._screen, self._say, self._view = screen, say, view

    def answered(self, name: str, key: bytes, answer: object, *, failed: bool = False, always: bool = False) -> None:
        """Note an answer; one that is the same as before is noted only when ``always``."""
        if self._writer is None:
            return
        if name not in ("screen", "view") and (screen := self._screen()):
            self.answered("screen", b"", screen)
            if (view := self._view()) is not None:
                self.answered("view", msgspec.msgpack.encode(screen), view)
        data = msgspec.msgpack.encode(answer)
        if not always and self._last.get((name, key)) == (data, failed):
            return
        self._last[name, key] = data, failed
        try:
            self._writer.write(Record(self._ms(), name, key, data, failed))
            if time.monotonic() - self._flushed >= FLUSH_S:
                self._flushed = time.monotonic()
                self._writer.flush()
        except RecordingError as error:
            self._writer = None
            self._say(f"recording has stopped: {error}")

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def ports(self, real: Ports) -> Ports:
        """The same ports, with this listening."""
        wrapped: dict[str, Any] = {name: _Listening(self, name, getattr(real, name)) for name in PROTOCOLS}
        wrapped["ksql"] = _ListeningKsql(self, real.ksql)
        wrapped["cluster"] = _ListeningCluster(self, real.cluster)
        return replace(real, stack=_ListeningStack(self, real.stack, wrapped["scenarios"].catalogue), **wrapped)


class _Listening:
    """A port whose recorded methods are listened to; all else is the port's own."""

    def __init__(self, recorder: Recorder, name: str, port: Any) -> None:
        self._recorder = recorder
        self._name = name
        self._port = port

    def __getattr__(self, method: str) -> Any:
        target = getattr(self._port, method)
        name = f"{self._name}.{method}"
        if name not in SNAPSHOTS and name not in KEYED and name not in FEEDS:
            return target
        if name in SYNCHRONOUS:

            def heard(*arguments: object) -> Any:
                answer = target(*arguments)
                self._recorder.answered(name, b"", answer)
                return answer

            return heard

        async def listened(*arguments: object) -> Any:
            key = _feed_key(name, arguments) if name in FEEDS else key_of(name, arguments)
            try:
                answer = await target(*arguments)
            except Unavailable as error:
                self._recorder.answered(name, key, str(error), failed=True)
                raise
            self._recorder.answered(name, key, answer, always=name in FEEDS and _adds(answer))
            return answer

        return listened


def _feed_key(name: str, arguments: tuple[object, ...]) -> bytes:
    """What a feed's rows belong to: a selection of events, a log file."""
    own = {"eventlog.newest": 0, "eventlog.after": 1, "logs.read": 0}.get(name)
    return b"" if own is None else msgspec.msgpack.encode(arguments[own])


def _adds(answer: Any) -> bool:
    rows = getattr(answer, "entries", getattr(answer, "lines", answer))
    return bool(rows)


class _ListeningStack:
    """``then`` is asked once the stack is up: what never changes belongs into every recording."""

    def __init__(self, recorder: Recorder, port: Any, then: Callable[[], object]) -> None:
        self._recorder = recorder
        self._port = port
        self._then = then

    async def open(self, on_step: Callable[[ServiceState], None]) -> None:
        def heard(state: ServiceState) -> None:
            self._recorder.answered("stack.step", b"", state)
            on_step(state)

        await self._port.open(heard)
        self._then()

    async def close(self) -> None:
        await self._port.close()


class _ListeningKsql(_Listening):
    def __init__(self, recorder: Recorder, port: Any) -> None:
        super().__init__(recorder, "ksql", port)

    async def run(self, sql: str, properties: Mapping[str, str]) -> Sequence[Table] | PushQuery:
        key = statement_key(sql)
        try:
            result: Sequence[Table] | PushQuery = await self._port.run(sql, properties)
        except SqlProblem as problem:
            self._recorder.answered("ksql.problem", key, Problem(problem.message, problem.line, problem.column))
            raise
        if isinstance(result, Sequence):
            shown = [replace(table, rows=tuple(tuple(row) for row in _shown(table.rows))) for table in result]
            self._recorder.answered("ksql.tables", key, shown)
            return result
        opened = Opened(result.query_id, tuple(result.columns), tuple(result.types))
        self._recorder.answered("ksql.opened", key, opened, always=True)
        return _ListeningPush(self._recorder, key, result)


class _ListeningPush:
    def __init__(self, recorder: Recorder, key: bytes, query: PushQuery) -> None:
        self._recorder = recorder
        self._key = key
        self._query = query

    @property
    def dropped(self) -> int:
        return self._query.dropped

    @property
    def waiting(self) -> bool:
        return self._query.waiting

    @property
    def gaps(self) -> int:
        return self._query.gaps

    @property
    def query_id(self) -> str:
        return self._query.query_id

    @property
    def columns(self) -> Sequence[str]:
        return self._query.columns

    @property
    def types(self) -> Sequence[str]:
        return self._query.types

    async def batches(self) -> AsyncIterator[Sequence[Sequence[object]]]:
        async for rows in self._query.batches():
            self._recorder.answered("ksql.rows", self._key, _shown(rows), always=True)
            yield rows
        self._recorder.answered("ksql.rows", self._key, None, always=True)

    async def close(self) -> None:
        await self._query.close()


def _shown(rows: Sequence[Sequence[object]]) -> list[list[object]]:
    """Values may be of any type of the server's: what is neither text nor number is kept as the grid shows it."""
    return [[value if isinstance(value, str | int | float | None) else str(value) for value in row] for row in rows]


class _ListeningCluster(_Listening):
    def __init__(self, recorder: Recorder, port: Any) -> None:
        super().__init__(recorder, "cluster", port)

    async def browse(self, topic: str, start: Start) -> Browser:
        browser: Browser = await self._port.browse(topic, start)
        return _ListeningBrowser(self._recorder, msgspec.msgpack.encode((topic, start)), browser)


class _ListeningBrowser:
    def __init__(self, recorder: Recorder, key: bytes, browser: Browser) -> None:
        self._recorder = recorder
        self._key = key
        self._browser = browser

    async def next(self) -> Batch:
        batch = await self._browser.next()
        if batch.messages or batch.skipped:
            self._recorder.answered("cluster.batch", self._key, batch, always=True)
        return batch

    async def close(self) -> None:
        await self._browser.close()
