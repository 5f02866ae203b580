"""Tables: the current row of each key, with what it was before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol, TypeAlias

from ksqldb.engine.run.keys import freeze, hashable
from ksqldb.engine.run.records import Batch, NullKey, Operator, Report

Row: TypeAlias = "tuple[tuple[Any, ...], tuple[Any, ...], int, tuple[int, int] | None]"  # key, value, ts, window


class TableSource(Operator):
    """Stream records of a table's topic to changes ``(key, new, old, ts, window)``; null keys are dropped."""

    def __init__(self, report: Report) -> None:
        super().__init__()
        self.report = report
        self.parts: dict[int, dict[Any, tuple[Any, int]]] = {}

    def push(self, batch: Batch, partition: int) -> None:
        rows = self.parts.setdefault(partition, {})
        out = []
        for key, value, ts, window in batch:
            if type(key) is NullKey:
                self.report("TABLE", "Skipping record due to null key.", value)
                continue
            hashed = hashable(key) if window is None else (hashable(key), window)
            old = rows.get(hashed)
            if value is None:
                rows.pop(hashed, None)
            else:
                rows[hashed] = (value, ts)
            out.append((key, value, None if old is None else old[0], ts, window))
        self.emit(out, partition)

    def snapshot(self) -> Any:
        return [[p, [[k, v, ts] for k, (v, ts) in rows.items()]] for p, rows in self.parts.items()]

    def restore(self, state: Any) -> None:
        self.parts = {p: {freeze(k): (tuple(v), ts) for k, v, ts in rows} for p, rows in state}


class _Rows:
    """One partition's rows: without a window by key, else by window start, then (key, window end)."""

    __slots__ = ("plain", "windows")

    def __init__(self) -> None:
        self.plain: dict[Any, Row] = {}
        self.windows: dict[int, dict[tuple[Any, int], Row]] = {}


class Rows(Protocol):
    """What pull queries read."""

    def rows(self) -> Iterator[list[Row]]:
        """All rows, partition by partition."""

    def of_key(self, key: tuple[Any, ...]) -> Iterator[Row]: ...


class View(Operator):
    """What pull queries read of a table without an aggregate: the last row of each key (and window).

    Passes changes on as stream records, which is what a topic takes.
    """

    def __init__(self) -> None:
        super().__init__()
        self.parts: dict[int, _Rows] = {}

    def push(self, batch: Batch, partition: int) -> None:
        part = self.parts.get(partition)
        if part is None:
            part = self.parts[partition] = _Rows()
        plain, windows = part.plain, part.windows
        out = []
        for key, value, _, ts, window in batch:
            hashed = hashable(key)
            if window is None:
                if value is None:
                    plain.pop(hashed, None)
                else:
                    plain[hashed] = (key, value, ts, None)
            else:
                start, end = window
                if value is None:
                    bucket = windows.get(start)
                    if bucket is not None:
                        bucket.pop((hashed, end), None)
                        if not bucket:
                            del windows[start]
                else:
                    bucket = windows.get(start)
                    if bucket is None:
                        bucket = windows[start] = {}
                    bucket[(hashed, end)] = (key, value, ts, window)
            out.append((key, value, ts, window))
        self.emit(out, partition)

    def rows(self) -> Iterator[list[Row]]:
        for p in sorted(self.parts):
            part = self.parts[p]
            windowed = (row for start in sorted(part.windows) for row in part.windows[start].values())
            yield [*part.plain.values(), *windowed]

    def of_key(self, key: tuple[Any, ...]) -> Iterator[Row]:
        """The rows of one key, windows in order of their start."""
        hashed = hashable(key)
        for part in self.parts.values():
            row = part.plain.get(hashed)
            if row is not None:
                yield row
            for start in sorted(part.windows):
                for (place, _), found in part.windows[start].items():
                    if place == hashed:
                        yield found

    def snapshot(self) -> Any:
        return [[p, [[key, value, ts, window] for key, value, ts, window in self._of(part)]]
                for p, part in self.parts.items()]  # fmt: skip

    @staticmethod
    def _of(part: _Rows) -> Iterator[Row]:
        yield from part.plain.values()
        for bucket in part.windows.values():
            yield from bucket.values()

    def restore(self, state: Any) -> None:
        self.parts = {}
        for p, rows in state:
            part = self.parts[p] = _Rows()
            for saved_key, value, ts, window in rows:
                key, hashed = tuple(saved_key), freeze(saved_key)
                if window is None:
                    part.plain[hashed] = (key, tuple(value), ts, None)
                else:
                    start, end = window
                    part.windows.setdefault(start, {})[(hashed, end)] = (key, tuple(value), ts, (start, end))
