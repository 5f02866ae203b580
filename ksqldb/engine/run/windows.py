"""Windowed aggregation: tumbling and hopping windows, sessions, grace, retention and EMIT FINAL.

Time is event time: a partition's clock is the greatest timestamp it has seen. A window takes records until its end plus
grace is behind the clock; its state is dropped when its retention is over.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ksqldb.engine.run.aggregate import States, _entry, freeze, hashable
from ksqldb.engine.run.records import Batch, Clock, Operator, Report


class _Part:
    """One partition's clock and windows: start -> {key -> entry}."""

    __slots__ = ("clock", "emitted", "highest", "next_look", "swept", "windows")

    def __init__(self) -> None:
        self.clock = -1
        self.windows: dict[int, dict[Any, list[Any]]] = {}
        self.emitted = -1  # windows that end here or before were emitted (EMIT FINAL)
        self.highest = -1  # greatest window start ever put
        self.next_look = 0  # wall clock ms of the next look for closed windows
        self.swept = -1  # windows that started here or before were dropped


class WindowAggregate(Operator):
    """Tumbling (advance == size) and hopping windows of ``size`` ms.

    ``final``: nothing is emitted but each window's last result once it is closed; at most every ``emit_every`` ms of
    wall clock a look for closed windows is taken, and only when a record arrives.
    """

    def __init__(
        self,
        states: States,
        size: int,
        advance: int,
        grace: int,
        retention: int,
        report: Report,
        final: bool = False,
        emit_every: int = 1000,
        clock: Clock = lambda: 0,
        key_bytes: Callable[[Any], bytes | None] | None = None,
    ) -> None:
        super().__init__()
        self.states = states
        self.size, self.advance, self.grace = size, advance, grace
        self.retention = max(retention, size + grace)
        self.report = report
        self.final, self.emit_every, self.clock = final, emit_every, clock
        self.key_bytes = key_bytes
        self.parts: dict[int, _Part] = {}
        self.on_expired: Callable[[int, int], None] | None = None

    def push(self, batch: Batch, partition: int) -> None:
        part = self.parts.get(partition)
        if part is None:
            part = self.parts[partition] = _Part()
        size, advance, grace = self.size, self.advance, self.grace
        windows = part.windows
        new, add = self.states.new, self.states.add
        final = self.final
        out: list[Any] = []
        clock = part.clock
        for key, row, ts, _ in batch:
            if ts > clock:
                clock = ts
            close = clock - grace
            start = ts - size + advance
            start = start - start % advance if start > 0 else 0
            hashed = hashable(key)
            while start <= ts:
                end = start + size
                if end > close:
                    bucket = windows.get(start)
                    if bucket is None:
                        bucket = windows[start] = {}
                        if start > part.highest:
                            part.highest = start
                    entry = bucket.get(hashed)
                    if entry is None:
                        entry = bucket[hashed] = new(ts)
                    old = entry[1]
                    result = add(entry, row, ts)
                    if not final:
                        out.append((key, result, old, entry[0], (start, end)))
                else:
                    self.report("LATE", f"window [{start},{end}) is closed: grace ended at {end + grace}", key)
                start += advance
            if final:
                part.clock = clock
                self._emit_final(part, out)
        if clock > part.clock or final:
            part.clock = clock
            self._expire(part, partition)
        self.emit(out, partition)

    def _emit_final(self, part: _Part, out: list[Any]) -> None:
        if self.emit_every:
            now = self.clock()
            if now < part.next_look:
                return
            part.next_look = now + self.emit_every
        close = part.clock - self.grace
        if close <= part.emitted:
            return
        lost = part.highest - (self.size + self.grace)
        due = sorted(s for s in part.windows if part.emitted < s + self.size <= close and s >= lost)
        for start in due:
            bucket = part.windows[start]
            keys = list(bucket)
            if self.key_bytes is not None:
                encode = self.key_bytes
                keys.sort(key=lambda key: encode(key) or b"")
            for key in keys:
                entry = bucket[key]
                out.append((key, entry[1], None, entry[0], (start, start + self.size)))
        part.emitted = close

    def _expire(self, part: _Part, partition: int) -> None:
        limit = part.clock - self.retention
        windows = part.windows
        if limit < part.swept + self.advance:
            return
        part.swept = limit
        expired = [start for start in windows if start <= limit]
        for start in expired:
            del windows[start]
        if expired and self.on_expired is not None:
            self.on_expired(partition, limit)

    def snapshot(self) -> Any:
        return [
            [
                p,
                [part.clock, part.emitted, part.highest],
                [[start, [[k, e] for k, e in bucket.items()]] for start, bucket in part.windows.items()],
            ]
            for p, part in self.parts.items()
        ]

    def restore(self, state: Any) -> None:
        self.parts = {}
        for p, clocks, windows in state:
            part = self.parts[p] = _Part()
            part.clock, part.emitted, part.highest = clocks
            part.windows = {start: {freeze(k): _entry(e) for k, e in bucket} for start, bucket in windows}


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
        states: States,
        gap: int,
        grace: int,
        retention: int,
        report: Report,
        final: bool = False,
        emit_every: int = 1000,
        clock: Clock = lambda: 0,
        key_bytes: Callable[[Any], bytes | None] | None = None,
    ) -> None:
        super().__init__()
        self.states = states
        self.gap, self.grace = gap, grace
        self.retention = max(retention, gap + grace)
        self.report = report
        self.final, self.emit_every, self.clock = final, emit_every, clock
        self.key_bytes = key_bytes
        self.parts: dict[int, _Sessions] = {}
        self.on_expired: Callable[[int, int], None] | None = None

    def push(self, batch: Batch, partition: int) -> None:
        part = self.parts.get(partition)
        if part is None:
            part = self.parts[partition] = _Sessions()
        out: list[Any] = []
        for key, row, ts, _ in batch:
            if ts > part.clock:
                part.clock = ts
            self._add(part, key, row, ts, out)
            if self.final:
                self._emit_final(part, out)
        self._expire(part, partition)
        self.emit(out, partition)

    def _add(self, part: _Sessions, key: Any, row: Any, ts: int, out: list[Any]) -> None:
        hashed = hashable(key)
        sessions = part.keys.get(hashed, [])
        touched = [s for s in sessions if s[1] >= ts - self.gap and s[0] <= ts + self.gap]
        start = min([ts, *[s[0] for s in touched]])
        end = max([ts, *[s[1] for s in touched]])
        if end < part.clock - self.grace - self.gap:
            self.report("LATE", f"session [{start},{end}] is closed", key)
            return
        entry: list[Any] | None = None
        for session in touched:
            entry = session[2] if entry is None else self.states.merge(entry, session[2])
        replaced = [(s[0], s[1], s[2][1]) for s in touched] if (start, end) != (ts, ts) else []
        if entry is None:
            entry = self.states.new(ts)
        if not self.final:
            for old_start, old_end, old in replaced:
                out.append((key, None, old, old_end, (old_start, old_end)))
        old = None if replaced or not touched else entry[1]
        result = self.states.add(entry, row, ts)
        entry[0] = end
        kept = [s for s in sessions if s not in touched]
        kept.append([start, end, entry])
        kept.sort(key=lambda s: s[0])
        part.keys[hashed] = kept
        if not self.final:
            out.append((key, result, old, end, (start, end)))

    def _emit_final(self, part: _Sessions, out: list[Any]) -> None:
        if self.emit_every:
            now = self.clock()
            if now < part.next_look:
                return
            part.next_look = now + self.emit_every
        close = part.clock - self.grace - self.gap
        if close <= part.emitted:
            return
        due = [
            (session[0], session[1], key, session[2])
            for key, sessions in part.keys.items()
            for session in sessions
            if part.emitted <= session[1] < close
        ]
        encode = self.key_bytes or (lambda key: b"")
        for start, end, key, entry in sorted(due, key=lambda d: (d[1], d[0], encode(d[2]) or b"")):
            out.append((key, entry[1], None, end, (start, end)))
        part.emitted = close

    def _expire(self, part: _Sessions, partition: int) -> None:
        limit = part.clock - self.retention
        if limit <= 0 or part.clock - part.swept < max(self.retention // 8, 1):
            return
        part.swept = part.clock
        for key in list(part.keys):
            kept = [s for s in part.keys[key] if s[1] >= limit]
            if kept:
                part.keys[key] = kept
            else:
                del part.keys[key]
        if self.on_expired is not None:
            self.on_expired(partition, limit)

    def snapshot(self) -> Any:
        return [
            [p, [part.clock, part.emitted], [[k, sessions] for k, sessions in part.keys.items()]]
            for p, part in self.parts.items()
        ]

    def restore(self, state: Any) -> None:
        self.parts = {}
        for p, clocks, keys in state:
            part = self.parts[p] = _Sessions()
            part.clock, part.emitted = clocks
            part.keys = {freeze(k): [[s[0], s[1], _entry(s[2])] for s in sessions] for k, sessions in keys}
