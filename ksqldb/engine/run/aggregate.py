"""Grouped aggregation without windows, over streams and over tables (with undo)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ksqldb.engine.run.aggregate_code import AggregateCode
from ksqldb.engine.run.keys import freeze, hashable
from ksqldb.engine.run.records import Batch, Operator
from ksqldb.engine.run.tables import Row


class GroupAggregate(Operator):
    """Input: rows of arguments by group key, ``(key, row, ts, _)`` of a stream or ``(key, new, old, ts, _)`` of a
    table; output: stream records of the projected result. Its rows are what pull queries read."""

    def __init__(self, code: AggregateCode, over_table: bool) -> None:
        super().__init__()
        self.code = code
        self.loop = code.table_loop() if over_table else code.group_loop()
        self.parts: dict[int, dict[Any, list[Any]]] = {}

    def push(self, batch: Batch, partition: int) -> None:
        out: Batch = []
        self.loop(self.parts.setdefault(partition, {}), batch, out.append)
        self.emit(out, partition)

    def rows(self) -> Iterator[list[Row]]:
        for p in sorted(self.parts):
            yield [row for hashed, entry in self.parts[p].items() for row in self._row(hashed, entry)]

    def of_key(self, key: tuple[Any, ...]) -> Iterator[Row]:
        hashed = hashable(key)
        for entries in self.parts.values():
            entry = entries.get(hashed)
            if entry is not None:
                yield from self._row(hashed, entry)

    def _row(self, hashed: Any, entry: list[Any]) -> Iterator[Row]:
        key = self.code.key_of(hashed, entry)
        value = self.code.finish(key, entry, None, None)
        if value is not None:
            yield key, value, entry[0], None

    def snapshot(self) -> Any:
        return [[p, list(entries.items())] for p, entries in self.parts.items()]

    def restore(self, state: Any) -> None:
        self.parts = {p: {freeze(k): e for k, e in entries} for p, entries in state}
