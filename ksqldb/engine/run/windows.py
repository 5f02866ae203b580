"""Windowed aggregation: tumbling and hopping windows, sessions, grace, retention and EMIT FINAL.

Time is event time: a partition's clock is the greatest timestamp it has seen. A window takes records until its end plus
grace is behind the clock: then groups that do not meet HAVING, which nobody can see, are dropped. The rest is kept for
pull queries until the window's retention is over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ksqldb.engine.run.aggregate_code import AggregateCode
from ksqldb.engine.run.keys import freeze, hashable
from ksqldb.engine.run.records import Batch, Clock, Operator, Report
from ksqldb.engine.run.tables import Row


@dataclass(frozen=True, slots=True)
class WindowSpec:
    """Lengths in ms; ``size`` is a session's gap. ``final``: nothing goes out but each window's last result once it is
    closed; a look for closed windows is taken when a record arrives, at most every ``emit_every`` ms of wall clock."""

    size: int
    advance: int
    grace: int
    retention: int
    final: bool = False
    emit_every: int = 1000

    @property
    def kept(self) -> int:
        return max(self.retention, self.size + self.grace)


class _Part:
    """One partition's clock and windows: start -> {key -> entry}."""

    __slots__ = ("clock", "closed", "emitted", "highest", "next_look", "swept", "windows")

    def __init__(self) -> None:
        self.clock = -1
        self.windows: dict[int, dict[Any, list[Any]]] = {}
        self.emitted = -1  # windows that end here or before were emitted (EMIT FINAL)
        self.highest = -1  # greatest window start ever put
        self.next_look = 0  # wall clock ms of the next look for closed windows
        self.swept = -1  # windows that started here or before were dropped
        self.closed = -1  # windows that ended here or before hold only what meets HAVING


class WindowAggregate(Operator):
    """Tumbling (advance == size) and hopping windows. ``key_bytes`` orders the keys of windows emitted together."""

    def __init__(
        self,
        code: AggregateCode,
        spec: WindowSpec,
        clock: Clock = lambda: 0,
        key_bytes: Callable[[Any], bytes | None] | None = None,
    ) -> None:
        super().__init__()
        self.code, self.spec, self.clock = code, spec, clock
        self.key_bytes = key_bytes
        self.loop = code.window_loop(spec.size, spec.advance, spec.grace, emits=not spec.final)
        self.parts: dict[int, _Part] = {}

    def push(self, batch: Batch, partition: int) -> None:
        part = self.parts.get(partition)
        if part is None:
            part = self.parts[partition] = _Part()
        out: Batch = []
        if self.spec.final:
            for record in batch:
                self.loop(part, (record,), out.append)
                self._emit_final(part, out)
                self._expire(part)
        else:
            self.loop(part, batch, out.append)
            self._forget_unseen(part)
            self._expire(part)
        self.emit(out, partition)

    def _emit_final(self, part: _Part, out: Batch) -> None:
        if self.spec.emit_every:
            now = self.clock()
            if now < part.next_look:
                return
            part.next_look = now + self.spec.emit_every
        close = part.clock - self.spec.grace
        if close <= part.emitted:
            return
        size = self.spec.size
        lost = part.highest - (size + self.spec.grace)
        for start in sorted(s for s in part.windows if part.emitted < s + size <= close and s >= lost):
            bucket = part.windows[start]
            keys = list(bucket)
            if self.key_bytes is not None:
                encode = self.key_bytes
                keys.sort(key=lambda hashed: encode(self.code.key_of(hashed, bucket[hashed])) or b"")
            for hashed in keys:
                out.extend(self._row(hashed, bucket[hashed], start))
        part.emitted = close

    def _forget_unseen(self, part: _Part) -> None:
        """Drop from closed windows the groups that do not meet HAVING."""
        close = part.clock - self.spec.grace
        if self.code.spec.having is None or close < part.closed + self.spec.advance:
            return
        size, windows = self.spec.size, part.windows
        for start in [start for start in windows if part.closed < start + size <= close]:
            windows[start] = {hashed: entry for hashed, entry in windows[start].items() if entry[1]}
        part.closed = close

    def _expire(self, part: _Part) -> None:
        limit = part.clock - self.spec.kept
        if limit < part.swept + self.spec.advance:
            return
        part.swept = limit
        for start in [start for start in part.windows if start <= limit]:
            del part.windows[start]

    # ------------------------------------------------------------------------------------------ pull queries

    def rows(self) -> Iterator[list[Row]]:
        for p in sorted(self.parts):
            windows = self.parts[p].windows
            yield [
                row
                for start in sorted(windows)
                for hashed, entry in windows[start].items()
                for row in self._row(hashed, entry, start)
            ]

    def of_key(self, key: tuple[Any, ...]) -> Iterator[Row]:
        """The rows of one key in order of their windows."""
        hashed = hashable(key)
        for part in self.parts.values():
            for start in sorted(part.windows):
                entry = part.windows[start].get(hashed)
                if entry is not None:
                    yield from self._row(hashed, entry, start)

    def _row(self, hashed: Any, entry: list[Any], start: int) -> Iterator[Row]:
        key, end = self.code.key_of(hashed, entry), start + self.spec.size
        value = self.code.finish(key, entry, start, end)
        if value is not None:
            yield key, value, entry[0], (start, end)

    def snapshot(self) -> Any:
        return [
            [
                p,
                [part.clock, part.emitted, part.highest, part.swept, part.closed],
                [[start, list(bucket.items())] for start, bucket in part.windows.items()],
            ]
            for p, part in self.parts.items()
        ]

    def restore(self, state: Any) -> None:
        self.parts = {}
        for p, clocks, windows in state:
            part = self.parts[p] = _Part()
            part.clock, part.emitted, part.highest, part.swept, part.closed = clocks
            known: dict[Any, Any] = {}  # a key is one object in all its windows
            for start, bucket in windows:
                keys = ((freeze(key), entry) for key, entry in bucket)
                part.windows[start] = {known.setdefault(key, key): entry for key, entry in keys}


class _Sessions:
    __slots__ = ("clock", "emitted", "keys", "next_look", "swept")

    def __init__(self) -> None:
        self.clock = -1
        self.keys: dict[Any, list[list[Any]]] = {}  # key -> [start, end, entry] by start
        self.emitted = -1
        self.next_look = 0
        self.swept = -1


class SessionAggregate(Operator):
    """Windows that last while a key's records come within ``gap`` ms (inclusive) of one another.

    A record that reaches into sessions replaces them: a tombstone for each, then the merged session's result.
    """

    def __init__(
        self,
        code: AggregateCode,
        spec: WindowSpec,
        report: Report,
        clock: Clock = lambda: 0,
        key_bytes: Callable[[Any], bytes | None] | None = None,
    ) -> None:
        super().__init__()
        self.code, self.spec, self.report, self.clock = code, spec, report, clock
        self.key_bytes = key_bytes
        self.parts: dict[int, _Sessions] = {}

    def push(self, batch: Batch, partition: int) -> None:
        part = self.parts.get(partition)
        if part is None:
            part = self.parts[partition] = _Sessions()
        out: Batch = []
        for key, row, ts, _ in batch:
            kept_since = part.clock - self.spec.kept  # as the store is when it looks: without this record's time
            if ts > part.clock:
                part.clock = ts
            self._add(part, key, row, ts, kept_since, out)
            if self.spec.final:
                self._emit_final(part, out)
        self._expire(part)
        self.emit(out, partition)

    def _add(self, part: _Sessions, key: Any, row: Any, ts: int, kept_since: int, out: Batch) -> None:
        hashed = hashable(key)
        sessions = part.keys.get(hashed, [])
        gap = self.spec.size
        touched = [s for s in sessions if s[1] >= ts - gap and s[0] <= ts + gap and s[1] > kept_since]
        start = min([ts, *[s[0] for s in touched]])
        end = max([ts, *[s[1] for s in touched]])
        if end < part.clock - self.spec.grace - gap:
            self.report("LATE", f"session [{start},{end}] is closed", key)
            return
        emits = not self.spec.final
        entry: list[Any] | None = None
        for session in touched:
            entry = session[2] if entry is None else self.code.merge(entry, session[2])
            if emits and (start, end) != (ts, ts) and session[2][1]:
                out.append((key, None, session[1], (session[0], session[1])))
        if entry is None:
            entry = self.code.new(ts, key)
        passed = entry[1] and (start, end) == (ts, ts)
        self.code.add(entry, row, ts)
        entry[0] = end
        kept = [s for s in sessions if not any(s is t for t in touched)]
        kept.append([start, end, entry])
        kept.sort(key=lambda s: s[0])
        part.keys[hashed] = kept
        if emits:
            value = self.code.finish(key, entry, start, end)
            entry[1] = value is not None
            if value is not None or passed:
                out.append((key, value, end, (start, end)))

    def _emit_final(self, part: _Sessions, out: Batch) -> None:
        if self.spec.emit_every:
            now = self.clock()
            if now < part.next_look:
                return
            part.next_look = now + self.spec.emit_every
        close = part.clock - self.spec.grace - self.spec.size
        if close <= part.emitted:
            return
        due = [
            (session[0], session[1], self.code.key_of(hashed, session[2]), session[2])
            for hashed, sessions in part.keys.items()
            for session in sessions
            if part.emitted <= session[1] < close
        ]
        encode = self.key_bytes or (lambda key: b"")
        for start, end, key, entry in sorted(due, key=lambda d: (d[1], d[0], encode(d[2]) or b"")):
            value = self.code.finish(key, entry, start, end)
            if value is not None:
                out.append((key, value, end, (start, end)))
        part.emitted = close

    def _expire(self, part: _Sessions) -> None:
        limit = part.clock - self.spec.kept
        if limit <= 0 or part.clock - part.swept < max(self.spec.kept // 8, 1):
            return
        part.swept = part.clock
        for key in list(part.keys):
            kept = [s for s in part.keys[key] if s[1] >= limit]
            if kept:
                part.keys[key] = kept
            else:
                del part.keys[key]

    def rows(self) -> Iterator[list[Row]]:
        for p in sorted(self.parts):
            yield [row for hashed, found in self.parts[p].keys.items() for row in self._rows(hashed, found)]

    def of_key(self, key: tuple[Any, ...]) -> Iterator[Row]:
        hashed = hashable(key)
        for part in self.parts.values():
            yield from self._rows(hashed, part.keys.get(hashed, []))

    def _rows(self, hashed: Any, sessions: list[list[Any]]) -> Iterator[Row]:
        for start, end, entry in sessions:
            key = self.code.key_of(hashed, entry)
            value = self.code.finish(key, entry, start, end)
            if value is not None:
                yield key, value, end, (start, end)

    def snapshot(self) -> Any:
        return [[p, [part.clock, part.emitted], list(part.keys.items())] for p, part in self.parts.items()]

    def restore(self, state: Any) -> None:
        self.parts = {}
        for p, clocks, keys in state:
            part = self.parts[p] = _Sessions()
            part.clock, part.emitted = clocks
            part.keys = {freeze(k): sessions for k, sessions in keys}
