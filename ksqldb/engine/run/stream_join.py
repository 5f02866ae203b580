"""The join of two streams within a span of event time.

Without a grace period a record that finds no partner is given out at once with the other side missing (and again when
a partner comes), as ksqlDB does then. With one it waits until no partner can come any more.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from typing import Any

from ksqldb.engine.ast import JoinType
from ksqldb.engine.run.joins import _Join
from ksqldb.engine.run.keys import freeze, hashable
from ksqldb.engine.run.records import Batch, Clock, NullKey, Report

DAY_MS = 86_400_000


class _Buffer:
    """One side's records of one partition: key -> [(ts, sequence, value)] by ts."""

    __slots__ = ("clock", "rows", "swept")

    def __init__(self) -> None:
        self.clock = -1
        self.rows: dict[Any, list[tuple[int, int, Any]]] = {}
        self.swept = -1


class _Part:
    __slots__ = ("buffers", "clock", "earliest", "next_look", "sequence", "waiting")

    def __init__(self) -> None:
        self.buffers = (_Buffer(), _Buffer())  # left, right
        self.clock = -1
        self.sequence = 0
        # records without a partner yet, by (ts, right side?, sequence): key, value, window
        self.waiting: dict[tuple[int, bool, int], tuple[Any, Any, Any]] = {}
        self.earliest: float = float("inf")
        self.next_look = 0


class StreamStreamJoin(_Join):
    """``before``/``after``: how much earlier/later than the left record a right one may be, ms."""

    def __init__(
        self,
        kind: JoinType,
        left_width: int,
        right_width: int,
        report: Report,
        before: int,
        after: int,
        grace: int | None,
        emit_every: int = 1000,
        clock: Clock = lambda: 0,
    ) -> None:
        super().__init__(kind, left_width, right_width, report)
        self.before, self.after = before, after
        self.waits = grace is not None and kind is not JoinType.INNER
        self.grace = max(DAY_MS - before - after, 0) if grace is None else grace
        self.retention = before + after + self.grace
        self.emit_every, self.clock = emit_every, clock
        self.parts: dict[int, _Part] = {}

    def push_left(self, batch: Batch, partition: int) -> None:
        self._push(batch, partition, 0)

    def push_right(self, batch: Batch, partition: int) -> None:
        self._push(batch, partition, 1)

    def _push(self, batch: Batch, partition: int, side: int) -> None:
        part = self.parts.get(partition)
        if part is None:
            part = self.parts[partition] = _Part()
        out: Batch = []
        for key, value, ts, window in batch:
            if value is None or type(key) is NullKey:
                self.report("JOIN", "Skipping record due to null key or value.", (key, value))
                continue
            self._one(part, side, key, value, ts, window, out)
        self._sweep(part)
        self.emit(out, partition)

    def _one(self, part: _Part, side: int, key: Any, value: Any, ts: int, window: Any, out: Batch) -> None:
        own, other = part.buffers[side], part.buffers[1 - side]
        back, ahead = (self.before, self.after) if side == 0 else (self.after, self.before)
        place = (hashable(key), window)
        part.sequence += 1
        own.clock = max(own.clock, ts)
        if ts > own.clock - self.retention:
            insort(own.rows.setdefault(place, []), (ts, part.sequence, value), key=lambda row: row[:2])
        part.clock = max(part.clock, ts)
        if self.waits and ts == part.clock:
            self._give_out_waiting(part, out)
        alone = self.keep_left if side == 0 else self.keep_right
        low, high = max(0, ts - back), ts + ahead
        rows = other.rows.get(place, ())
        first = bisect_left(rows, low, key=lambda row: row[0])
        last = bisect_right(rows, high, key=lambda row: row[0])
        oldest = other.clock - self.retention
        matched = False
        for index in range(first, last):
            other_ts, sequence, other_value = rows[index]
            if other_ts <= oldest:
                continue
            matched = True
            if part.waiting:
                part.waiting.pop((other_ts, side == 0, sequence), None)
            joined = value + other_value if side == 0 else other_value + value
            out.append((key, joined, max(ts, other_ts), window))
        if matched or not alone:
            return
        if self.waits and high >= part.clock:
            part.waiting[(ts, side == 1, part.sequence)] = (key, value, window)
            part.earliest = min(part.earliest, ts)
        else:
            out.append((key, self._single(side, value), ts, window))

    def _single(self, side: int, value: Any) -> Any:
        return value + self.no_right if side == 0 else self.no_left + value

    def _give_out_waiting(self, part: _Part, out: Batch) -> None:
        """Records whose partners would come too late by now, in order of time; looked at once in ``emit_every``."""
        if part.earliest >= part.clock - max(self.before, self.after) - self.grace:
            return
        now = self.clock()
        if now < part.next_look:
            return
        part.next_look = now + self.emit_every
        part.earliest = float("inf")
        for place in sorted(part.waiting):
            ts, is_right, _ = place
            part.earliest = min(part.earliest, ts)
            ahead = self.before if is_right else self.after
            if ts + ahead + self.grace >= part.clock:
                continue
            key, value, window = part.waiting.pop(place)
            out.append((key, self._single(int(is_right), value), ts, window))

    def _sweep(self, part: _Part) -> None:
        for buffer in part.buffers:
            limit = buffer.clock - self.retention
            if limit <= 0 or buffer.clock - buffer.swept < max(self.retention // 4, 1):
                continue
            buffer.swept = buffer.clock
            for place in list(buffer.rows):
                rows = buffer.rows[place]
                cut = bisect_right(rows, limit, key=lambda row: row[0])
                if cut == len(rows):
                    del buffer.rows[place]
                elif cut:
                    del rows[:cut]

    def snapshot(self) -> Any:
        return [
            [
                p,
                [part.clock, part.sequence, None if part.earliest == float("inf") else part.earliest],
                [[b.clock, [[k, rows] for k, rows in b.rows.items()]] for b in part.buffers],
                [[place, row] for place, row in part.waiting.items()],
            ]
            for p, part in self.parts.items()
        ]

    def restore(self, state: Any) -> None:
        self.parts = {}
        for p, (clock, sequence, earliest), buffers, waiting in state:
            part = self.parts[p] = _Part()
            part.clock, part.sequence = clock, sequence
            part.earliest = float("inf") if earliest is None else earliest
            for buffer, (buffer_clock, rows) in zip(part.buffers, buffers, strict=True):
                buffer.clock = buffer_clock
                buffer.rows = {freeze(k): [(ts, seq, tuple(v)) for ts, seq, v in found] for k, found in rows}
            part.waiting = {
                (ts, right, seq): (tuple(key), tuple(value), None if window is None else tuple(window))
                for (ts, right, seq), (key, value, window) in waiting
            }
