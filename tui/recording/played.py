"""Ports that answer from a recording. Nothing can be changed; what was not recorded is said to be so."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from tui.ports import Alert, Ports, PushQuery, Refused, ServiceState, SqlProblem, Table, Unavailable, Verdict
from tui.recording.calls import (
    KEYED,
    PROTOCOLS,
    SNAPSHOTS,
    SYNCHRONOUS,
    Opened,
    Problem,
    answer_type,
    key_of,
    statement_key,
)
from tui.recording.player import Clock, Grown, Recording
from tui.screens.eventlog.port import Entry, Selection, Tail
from tui.screens.health.port import LogChunk, LogLine
from tui.screens.kafka.port import Batch, Browser, Start
from tui.tasks import as_service, keep_up

LOOK_S = 0.1
"""Between two looks of an open stream at the clock."""
AHEAD_MS = 5_000
NOTHING = Refused("a replay changes nothing")
_BEFORE = "the recording does not hold this"


def played_ports(recording: Recording, clock: Clock, mode: Callable[[], str], operator: str) -> Ports:
    """Every port of a control center that shows the recording."""
    ports: dict[str, Any] = {name: _Played(recording, clock, name) for name in PROTOCOLS}
    ports["alerts"] = _PlayedAlerts(recording, clock)
    ports["eventlog"] = _PlayedEvents(recording, clock)
    ports["logs"] = _PlayedLogs(recording, clock)
    ports["ksql"] = _PlayedKsql(recording, clock)
    ports["cluster"] = _PlayedCluster(recording, clock)
    commands: Any = _NoCommands()
    return Ports(
        stack=_PlayedStack(recording, clock),
        commands=commands,
        environment=recording.header.environment,
        operator=operator,
        now=lambda: clock.now_ms() / 1000,
        color=recording.header.color,
        mode=mode,
        **ports,
    )


class _NoCommands:
    def __getattr__(self, name: str) -> Any:
        async def refused(*arguments: object) -> Verdict:
            return NOTHING

        return refused


class _Played:
    """Answers snapshots and keyed questions; every other method changes something, and is refused."""

    def __init__(self, recording: Recording, clock: Clock, name: str) -> None:
        self._recording = recording
        self._clock = clock
        self._name = name

    def __getattr__(self, method: str) -> Any:
        name = f"{self._name}.{method}"
        if name in SYNCHRONOUS:
            return lambda *arguments: self._at(name, b"") or ()
        if name in SNAPSHOTS or name in KEYED:

            async def answered(*arguments: object) -> Any:
                key = key_of(name, arguments)
                if self._recording.track(name, key).count(self._when(name, key)) == 0:
                    raise Unavailable(f"{_BEFORE}: {name.replace('.', ' ')}")
                return self._at(name, key)

            return answered
        if self._name == "watchdog":
            return lambda *arguments: None

        async def refused(*arguments: object) -> Verdict:
            return NOTHING

        return refused

    def _when(self, name: str, key: bytes) -> int:
        """Now; or a moment ahead, when the question was asked then for the first time: a screen that is followed asks
        a little earlier than the operator's did."""
        now, times = self._clock.now_ms(), self._recording.track(name, key).times
        return times[0] if name in KEYED and times and now < times[0] <= now + AHEAD_MS else now

    def _at(self, name: str, key: bytes) -> Any:
        return self._recording.track(name, key).newest(self._when(name, key), answer_type(name))


class _PlayedStack:
    """The services as they were; ``open`` tells those of the time, and then every change as it comes."""

    def __init__(self, recording: Recording, clock: Clock) -> None:
        self._recording = recording
        self._clock = clock
        self._following: asyncio.Task[None] | None = None

    async def open(self, on_step: Callable[[ServiceState], None]) -> None:
        track, told = self._recording.track("stack.step"), 0

        def tell() -> None:
            nonlocal told
            now = self._clock.now_ms()
            for state in track.between(told, now, ServiceState):
                on_step(state)
            told = max(told, track.count(now))

        async def follow() -> None:
            while True:
                await asyncio.sleep(LOOK_S)
                tell()

        await self.close()
        tell()
        self._following = keep_up(follow, "replay", as_service("replay", on_step))

    async def close(self) -> None:
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
            self._following = None


class _PlayedAlerts(_Played):
    """The feed of alerts from all rows that had come, each in its newest state by then."""

    def __init__(self, recording: Recording, clock: Clock) -> None:
        super().__init__(recording, clock, "alerts")
        tracks = [recording.track("alerts.newest"), recording.track("alerts.changed_after")]
        self._grown: Grown[dict[str, Alert]] = Grown(tracks, list[Alert], dict, _take_alerts)

    def _by_now(self) -> list[Alert]:
        return list(self._grown.at(self._clock.now_ms()).values())

    async def newest(self, limit: int) -> Sequence[Alert]:
        return sorted(self._by_now(), key=lambda row: row.first_pos)[-limit:]

    async def changed_after(self, position: int, limit: int) -> Sequence[Alert]:
        return sorted((row for row in self._by_now() if row.last_pos > position), key=lambda row: row.last_pos)[:limit]


def _take_alerts(known: dict[str, Alert], rows: Sequence[Alert]) -> None:
    for row in rows:
        before = known.get(row.alert_id)
        if before is None or row.last_pos >= before.last_pos:
            known[row.alert_id] = row


@dataclass
class _Tailed:
    """Events of one selection; the log was looked at up to ``position``."""

    entries: dict[int, Entry] = field(default_factory=dict)
    position: int = 0

    def take(self, tail: Tail) -> None:
        self.entries.update((entry.position, entry) for entry in tail.entries)
        self.position = max(self.position, tail.position)

    def after(self, position: int) -> list[Entry]:
        return [self.entries[at] for at in sorted(self.entries) if at > position]


class _PlayedEvents(_Played):
    def __init__(self, recording: Recording, clock: Clock) -> None:
        super().__init__(recording, clock, "eventlog")
        self._grown: dict[Selection, Grown[_Tailed]] = {}

    def _by_now(self, selection: Selection) -> _Tailed:
        if selection not in self._grown:
            key = msgspec.msgpack.encode(selection)
            tracks = [self._recording.track(name, key) for name in ("eventlog.newest", "eventlog.after")]
            self._grown[selection] = Grown(tracks, Tail, _Tailed, _Tailed.take)
        return self._grown[selection].at(self._clock.now_ms())

    async def newest(self, selection: Selection, limit: int) -> Tail:
        tailed = self._by_now(selection)
        return Tail(tuple(tailed.after(0)[-limit:]), tailed.position, tailed.position)

    async def after(self, position: int, selection: Selection, limit: int) -> Tail:
        tailed = self._by_now(selection)
        if tailed.position <= position:
            return Tail((), position, position)
        return Tail(tuple(tailed.after(position)[:limit]), tailed.position, tailed.position)


@dataclass
class _Read:
    """Lines of one log file, in order."""

    lines: list[LogLine] = field(default_factory=list)
    position: int = 0

    def take(self, chunk: LogChunk) -> None:
        self.lines += [line for line in chunk.lines if line.at >= self.position]
        self.position = max(self.position, chunk.position)


class _PlayedLogs(_Played):
    def __init__(self, recording: Recording, clock: Clock) -> None:
        super().__init__(recording, clock, "logs")
        self._grown: dict[str, Grown[_Read]] = {}

    async def read(self, name: str, position: int | None) -> LogChunk:
        if name not in self._grown:
            track = self._recording.track("logs.read", msgspec.msgpack.encode(name))
            self._grown[name] = Grown([track], LogChunk, _Read, _Read.take)
        read = self._grown[name].at(self._clock.now_ms())
        begin = 0 if position is None else bisect_left(read.lines, position, key=lambda line: line.at)
        return LogChunk(tuple(read.lines[begin:]), max(read.position, position or 0))


class _PlayedKsql(_Played):
    def __init__(self, recording: Recording, clock: Clock) -> None:
        super().__init__(recording, clock, "ksql")

    async def run(self, sql: str, properties: Mapping[str, str]) -> Sequence[Table] | PushQuery:
        key, now = statement_key(sql), self._clock.now_ms()
        opened = self._recording.track("ksql.opened", key)
        if (query := opened.newest(now, Opened)) is not None:
            return _PlayedPush(self._recording, self._clock, key, query, opened.times[opened.count(now) - 1])
        tables: list[Table] | None = self._recording.track("ksql.tables", key).newest(now, list[Table])
        if tables is not None:
            return tables
        problem = self._recording.track("ksql.problem", key).newest(now, Problem)
        if problem is not None:
            raise SqlProblem(problem.message, problem.line, problem.column)
        raise SqlProblem(f"{_BEFORE}: this statement was not run by {self._clock_text()}")

    def _clock_text(self) -> str:
        from tui import format as show

        return show.clock(self._clock.now_ms())


class _PlayedPush:
    """Rows of a push query from its beginning on, each batch at its time."""

    def __init__(self, recording: Recording, clock: Clock, key: bytes, opened: Opened, since: int) -> None:
        self._opened = opened
        self._track = recording.track("ksql.rows", key)
        self._clock = clock
        self._since = since

    @property
    def query_id(self) -> str:
        return self._opened.query_id

    @property
    def columns(self) -> Sequence[str]:
        return self._opened.columns

    @property
    def types(self) -> Sequence[str]:
        return self._opened.types

    @property
    def dropped(self) -> int:
        return 0

    @property
    def waiting(self) -> bool:
        return False

    @property
    def gaps(self) -> int:
        return 0

    async def batches(self) -> AsyncIterator[Sequence[Sequence[object]]]:
        told = self._track.count(self._since - 1)
        while True:
            now = self._clock.now_ms()
            for rows in self._track.between(told, now, list[list[Any]] | None):
                if rows is None:
                    return
                yield rows
            told = max(told, self._track.count(now))
            await asyncio.sleep(LOOK_S)

    async def close(self) -> None:
        """Nothing runs anywhere."""


class _PlayedCluster(_Played):
    def __init__(self, recording: Recording, clock: Clock) -> None:
        super().__init__(recording, clock, "cluster")

    async def browse(self, topic: str, start: Start) -> Browser:
        return _PlayedBrowser(self._recording, self._clock, msgspec.msgpack.encode((topic, start)))


class _PlayedBrowser:
    def __init__(self, recording: Recording, clock: Clock, key: bytes) -> None:
        self._track = recording.track("cluster.batch", key)
        self._clock = clock
        self._told = 0

    async def next(self) -> Batch:
        await asyncio.sleep(LOOK_S)
        now = self._clock.now_ms()
        batches = list(self._track.between(self._told, now, Batch))
        self._told = max(self._told, self._track.count(now))
        messages = tuple(message for batch in batches for message in batch.messages)
        return Batch(messages, sum(batch.skipped for batch in batches))

    async def close(self) -> None:
        """Nothing is open."""
