"""Grouped aggregation without windows: over streams, and over tables with undo."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ksqldb.engine.functions.aggregator import Aggregator
from ksqldb.engine.run.records import Batch, Operator, Report


class States:
    """The states of all aggregates of one group, and how rows change them.

    An entry is a list: [timestamp, last result tuple or None, state of each aggregate ...]. A row reaching here is the
    tuple of each aggregate's arguments (a tuple each).
    """

    def __init__(self, aggregators: Sequence[Aggregator], report: Report) -> None:
        self.aggregators = aggregators
        self.report = report
        self.count = len(aggregators)
        self.adds = tuple((i + 2, a.add) for i, a in enumerate(aggregators))
        self.undos = tuple((i + 2, a.undo) for i, a in enumerate(aggregators) if a.undo is not None)
        self.results = tuple((i + 2, a.result) for i, a in enumerate(aggregators))
        self.merges = tuple((i + 2, a.merge) for i, a in enumerate(aggregators))

    def new(self, ts: int) -> list[Any]:
        return [ts, None, *[a.initialize() for a in self.aggregators]]

    def add(self, entry: list[Any], row: tuple[Any, ...], ts: int) -> tuple[Any, ...]:
        """Add a row and give the new result tuple (also kept in the entry)."""
        for index, add in self.adds:
            try:
                entry[index] = add(entry[index], *row[index - 2])
            except Exception as error:
                self.report("AGGREGATE", str(error), row)
        if ts > entry[0]:
            entry[0] = ts
        return self.result(entry)

    def undo(self, entry: list[Any], row: tuple[Any, ...], ts: int) -> tuple[Any, ...]:
        for index, undo in self.undos:
            try:
                entry[index] = undo(entry[index], *row[index - 2])
            except Exception as error:
                self.report("AGGREGATE", str(error), row)
        if ts > entry[0]:
            entry[0] = ts
        return self.result(entry)

    def merge(self, earlier: list[Any], later: list[Any]) -> list[Any]:
        merged = [max(earlier[0], later[0]), None]
        merged += [merge(earlier[index], later[index]) for index, merge in self.merges]
        return merged

    def result(self, entry: list[Any]) -> tuple[Any, ...]:
        values = []
        for index, result in self.results:
            try:
                values.append(result(entry[index]))
            except Exception as error:
                self.report("AGGREGATE", str(error), entry[index])
                values.append(None)
        entry[1] = row = tuple(values)
        return row


class StreamAggregate(Operator):
    """Input: ``(group key, argument tuples, ts, w)``; output: changes of the group's result."""

    def __init__(self, states: States) -> None:
        super().__init__()
        self.states = states
        self.parts: dict[int, dict[Any, list[Any]]] = {}

    def push(self, batch: Batch, partition: int) -> None:
        entries = self.parts.setdefault(partition, {})
        states = self.states
        out = []
        for key, row, ts, _ in batch:
            hashed = hashable(key)
            entry = entries.get(hashed)
            if entry is None:
                entry = entries[hashed] = states.new(ts)
            old = entry[1]
            out.append((key, states.add(entry, row, ts), old, entry[0], None))
        self.emit(out, partition)

    def snapshot(self) -> Any:
        return [[p, [[k, e] for k, e in entries.items()]] for p, entries in self.parts.items()]

    def restore(self, state: Any) -> None:
        self.parts = {p: {freeze(k): _entry(e) for k, e in entries} for p, entries in state}


class TableAggregate(StreamAggregate):
    """Over a table's changes: ``(new key, new row, old key, old row, ts)``; the old row is taken out first."""

    def push(self, batch: Batch, partition: int) -> None:
        entries = self.parts.setdefault(partition, {})
        states = self.states
        out = []
        for key, row, undo, ts, _ in batch:
            hashed = hashable(key)
            entry = entries.get(hashed)
            if entry is None:
                if row is None:
                    continue
                entry = entries[hashed] = states.new(ts)
            old = entry[1]
            if undo is not None:
                states.undo(entry, undo, ts)
            if row is not None:
                states.add(entry, row, ts)
            out.append((key, entry[1], old, entry[0], None))
        self.emit(out, partition)


def hashable(key: tuple[Any, ...]) -> Any:
    """A key as a dict key; lists, dicts and such inside become tuples."""
    try:
        hash(key)
    except TypeError:
        return freeze(key)
    return key


def freeze(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return tuple(freeze(item) for item in value)
    if isinstance(value, dict):
        return tuple((name, freeze(item)) for name, item in value.items())
    return value


def _entry(saved: Any) -> list[Any]:
    entry = list(saved)
    if entry[1] is not None:
        entry[1] = tuple(entry[1])
    return entry
