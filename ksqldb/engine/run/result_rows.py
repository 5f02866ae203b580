"""A query's results as rows for its reader: values in select order, tombstones with their keys."""

from __future__ import annotations

from ksqldb.engine import ast
from ksqldb.engine.metastore import WINDOW_BOUNDS, Namespace, Schema
from ksqldb.engine.plan.projection import key_of
from ksqldb.engine.plan.steps import QueryPlan, SelectStep
from ksqldb.engine.run.records import Batch, Window
from ksqldb.engine.run.results import Column, Row


class ResultRows:
    """Collects stream records whose value is a row, up to the plan's LIMIT. A null value is a tombstone in tables and
    nothing in streams."""

    def __init__(self, plan: QueryPlan) -> None:
        output = plan.output
        assert isinstance(output, SelectStep)
        self.width = len(output.items)
        self.places = [-1] * len(output.input.schema.key)
        for index, item in enumerate(output.items):
            place = key_of(item, output.input.schema)
            if place is not None:
                self.places[place] = index
        self.bounds = [
            (index, list(WINDOW_BOUNDS).index(item.name))
            for index, item in enumerate(output.items)
            if isinstance(item, ast.ColumnRef) and item.name in WINDOW_BOUNDS
        ]
        self.is_table = output.is_table
        self.limit = plan.limit
        self.rows: list[Row] = []
        self.given = 0
        self.limit_reached = plan.limit == 0

    def add(self, batch: Batch) -> None:
        for key, value, _, window in batch:
            if self.limit_reached:
                return
            if value is not None:
                self.rows.append(Row(value))
            elif self.is_table:
                self.rows.append(self._tombstone(key, window))
            else:
                continue
            self.given += 1
            self.limit_reached = self.limit is not None and self.given >= self.limit

    def take(self) -> list[Row]:
        taken, self.rows = self.rows, []
        return taken

    def _tombstone(self, key: tuple[object, ...], window: Window) -> Row:
        values: list[object] = [None] * self.width
        for place, index in enumerate(self.places):
            if index >= 0 and place < len(key):
                values[index] = key[place]
        for index, bound in self.bounds:
            values[index] = None if window is None else window[bound]
        return Row(tuple(values), tombstone=True)


def columns_of(schema: Schema, mark_keys: bool) -> list[Column]:
    return [Column(c.name, c.type, mark_keys and c.namespace is Namespace.KEY) for c in schema]
