"""Joins of a stream with a table, of two tables, and of two tables by a foreign key.

A side of a join is an operator that hands its batches to the join with its side named. Joined values are the left value
and the right value one behind the other; a missing side is all None. A result's timestamp is the greater of both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ksqldb.engine.ast import JoinType
from ksqldb.engine.run.keys import freeze, hashable
from ksqldb.engine.run.records import Batch, NullKey, Operator, Report

Rows = dict[Any, tuple[Any, int]]  # (key, window) -> (value, ts)


class Side(Operator):
    """The end of one input of a join."""

    def __init__(self, handle: Callable[[Batch, int], None]) -> None:
        super().__init__()
        self.handle = handle

    def push(self, batch: Batch, partition: int) -> None:
        self.handle(batch, partition)


class _Join(Operator):
    def __init__(self, kind: JoinType, left_width: int, right_width: int, report: Report) -> None:
        super().__init__()
        self.kind = kind
        self.no_left = (None,) * left_width
        self.no_right = (None,) * right_width
        self.report = report
        self.keep_left = kind in (JoinType.LEFT, JoinType.FULL)
        self.keep_right = kind in (JoinType.RIGHT, JoinType.FULL)
        self.left = Side(self.push_left)
        self.right = Side(self.push_right)

    def push_left(self, batch: Batch, partition: int) -> None:
        raise NotImplementedError

    def push_right(self, batch: Batch, partition: int) -> None:
        raise NotImplementedError


def _saved(parts: dict[int, Rows]) -> list[Any]:
    return [[p, [[k, v, ts] for k, (v, ts) in rows.items()]] for p, rows in parts.items()]


def _loaded(state: Any) -> dict[int, Rows]:
    return {p: {freeze(k): (tuple(v), ts) for k, v, ts in rows} for p, rows in state}


class StreamTableJoin(_Join):
    """Each stream record with the table's row of its key at that moment; the table's changes give nothing."""

    def __init__(self, kind: JoinType, left_width: int, right_width: int, report: Report) -> None:
        super().__init__(kind, left_width, right_width, report)
        self.parts: dict[int, Rows] = {}

    def push_left(self, batch: Batch, partition: int) -> None:
        rows = self.parts.get(partition, {})
        out = []
        for key, value, ts, window in batch:
            if value is None or type(key) is NullKey:
                self.report("JOIN", "Skipping record due to null join key or value.", (key, value))
                continue
            found = rows.get((hashable(key), window))
            if found is not None:
                out.append((key, value + found[0], ts, window))
            elif self.keep_left:
                out.append((key, value + self.no_right, ts, window))
        self.emit(out, partition)

    def push_right(self, batch: Batch, partition: int) -> None:
        rows = self.parts.setdefault(partition, {})
        for key, new, _, ts, window in batch:
            place = (hashable(key), window)
            if new is None:
                rows.pop(place, None)
            else:
                rows[place] = (new, ts)

    def snapshot(self) -> Any:
        return _saved(self.parts)

    def restore(self, state: Any) -> None:
        self.parts = _loaded(state)


class TableTableJoin(_Join):
    """Both tables' rows of a key; a change of either gives a change of the joined row."""

    def __init__(self, kind: JoinType, left_width: int, right_width: int, report: Report) -> None:
        super().__init__(kind, left_width, right_width, report)
        self.left_parts: dict[int, Rows] = {}
        self.right_parts: dict[int, Rows] = {}

    def push_left(self, batch: Batch, partition: int) -> None:
        self._push(batch, partition, self.left_parts, self.right_parts, left=True)

    def push_right(self, batch: Batch, partition: int) -> None:
        self._push(batch, partition, self.right_parts, self.left_parts, left=False)

    def _push(self, batch: Batch, partition: int, own: dict[int, Rows], others: dict[int, Rows], left: bool) -> None:
        mine = own.setdefault(partition, {})
        other_rows = others.get(partition, {})
        out = []
        for key, new, old, ts, window in batch:
            place = (hashable(key), window)
            if new is None:
                mine.pop(place, None)
            else:
                mine[place] = (new, ts)
            found = other_rows.get(place)
            other = None if found is None else found[0]
            alone = self.keep_left if left else self.keep_right
            other_alone = self.keep_right if left else self.keep_left
            if other is None and not alone:
                continue
            if other is None and new is None and old is None:
                continue
            joined = self._joined(new, other, left, alone, other_alone)
            before = self._joined(old, other, left, alone, other_alone)
            when = ts if found is None else max(ts, found[1])
            out.append((key, joined, before, when, window))
        self.emit(out, partition)

    def _joined(self, mine: Any, other: Any, left: bool, alone: bool, other_alone: bool) -> Any:
        if mine is None and (other is None or not other_alone):
            return None
        if other is None and not alone:
            return None
        first, second = (mine, other) if left else (other, mine)
        return (self.no_left if first is None else first) + (self.no_right if second is None else second)

    def snapshot(self) -> Any:
        return [_saved(self.left_parts), _saved(self.right_parts)]

    def restore(self, state: Any) -> None:
        self.left_parts, self.right_parts = (_loaded(side) for side in state)


class ForeignKeyJoin(_Join):
    """Left rows with the right row that their foreign key names; the result has the left's key.

    ``foreign_key(k, v, ts, w)`` gives a left row's key tuple. Left rows may live in any partition: the state is whole.
    """

    def __init__(
        self,
        kind: JoinType,
        left_width: int,
        right_width: int,
        report: Report,
        foreign_key: Callable[[Any, Any, int, Any], Any],
        key_bytes: Callable[[Any], bytes | None],
    ) -> None:
        super().__init__(kind, left_width, right_width, report)
        self.foreign_key = foreign_key
        self.key_bytes = key_bytes
        self.left_rows: dict[Any, tuple[Any, Any, int, int]] = {}  # key -> (key, value, ts, partition)
        self.right_rows: dict[Any, tuple[Any, int]] = {}
        self.subscribers: dict[Any, dict[Any, None]] = {}  # foreign key -> left keys

    def push_left(self, batch: Batch, partition: int) -> None:
        out = []
        for key, new, old, ts, window in batch:
            change = self._left(key, new, old, ts, partition)
            if change is not None:
                out.append((key, *change, window))
        self.emit(out, partition)

    def _left(self, key: Any, new: Any, old: Any, ts: int, partition: int) -> tuple[Any, Any, int] | None:
        place = hashable(key)
        if new is None:
            self.left_rows.pop(place, None)
        else:
            self.left_rows[place] = (key, new, ts, partition)
        old_fk = None if old is None else self._fk(key, old, ts)
        new_fk = None if new is None else self._fk(key, new, ts)
        if old is not None and old_fk is None:
            self.report("JOIN", "Skipping record due to null foreign key.", key)
            return None
        if new is not None and new_fk is None:
            self.report("JOIN", "Skipping record due to null foreign key.", key)
            return None
        if old is None and new is None:
            return None
        if old_fk is not None and old_fk != new_fk:
            subscribed = self.subscribers.get(old_fk)
            if subscribed is not None:
                subscribed.pop(place, None)
        if new_fk is None:
            found = self.right_rows.get(old_fk)
            return None, self._joined(old, found), ts if found is None else max(ts, found[1])
        self.subscribers.setdefault(new_fk, {})[place] = None
        found = self.right_rows.get(new_fk)
        if found is None and old is None and not self.keep_left:
            return None
        when = ts if found is None else max(ts, found[1])
        before = None if old is None else self._joined(old, self.right_rows.get(old_fk))
        return self._joined(new, found), before, when

    def _fk(self, key: Any, value: Any, ts: int) -> Any:
        try:
            found = self.foreign_key(key, value, ts, None)
        except Exception as error:
            self.report("JOIN", str(error), (key, value))
            return None
        return None if found[0] is None else hashable(found)

    def _joined(self, left: Any, right: tuple[Any, int] | None) -> Any:
        if left is None:
            return None
        if right is None:
            return left + self.no_right if self.keep_left else None
        return left + right[0]

    def push_right(self, batch: Batch, partition: int) -> None:
        for key, new, old, ts, window in batch:
            place = hashable(key)
            if new is None:
                self.right_rows.pop(place, None)
            else:
                self.right_rows[place] = (new, ts)
            by_partition: dict[int, Batch] = {}
            subscribed = sorted(self.subscribers.get(place, ()), key=lambda left_key: self.key_bytes(left_key) or b"")
            for left_place in subscribed:
                left = self.left_rows.get(left_place)
                if left is None:
                    continue
                left_key, value, left_ts, left_partition = left
                joined = self._joined(value, None if new is None else (new, ts))
                before = self._joined(value, None if old is None else (old, ts))
                record = (left_key, joined, before, max(ts, left_ts), window)
                by_partition.setdefault(left_partition, []).append(record)
            for target, records in by_partition.items():
                self.emit(records, target)

    def snapshot(self) -> Any:
        left = [[k, v, ts, p] for k, v, ts, p in self.left_rows.values()]
        return [
            left,
            [[k, v, ts] for k, (v, ts) in self.right_rows.items()],
            [[fk, list(keys)] for fk, keys in self.subscribers.items()],
        ]

    def restore(self, state: Any) -> None:
        left, right, subscribers = state
        self.left_rows = {freeze(k): (tuple(k), tuple(v), ts, p) for k, v, ts, p in left}
        self.right_rows = {freeze(k): (tuple(v), ts) for k, v, ts in right}
        self.subscribers = {freeze(fk): dict.fromkeys(map(freeze, keys)) for fk, keys in subscribers}
