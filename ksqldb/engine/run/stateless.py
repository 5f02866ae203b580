"""Operators that keep nothing between records: filter, projection, new keys, table functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ksqldb.engine import ast
from ksqldb.engine.analyse.rewrite import columns
from ksqldb.engine.ast import Expression
from ksqldb.engine.plan.scope import StepScope
from ksqldb.engine.run.codegen import Function, Source, compile_expression, predicate, values
from ksqldb.engine.run.records import Batch, NullKey, Operator, Report
from ksqldb.engine.types import SqlType

Partitioner = Callable[[tuple[Any, ...]], int]


class Mapping(Operator):
    """Runs a generated function over each batch."""

    def __init__(self, function: Function) -> None:
        super().__init__()
        self.function = function

    def push(self, batch: Batch, partition: int) -> None:
        self.emit(self.function(batch), partition)


class Repartition(Operator):
    """Runs a generated function, then sends each record to the partition of its key."""

    def __init__(self, function: Function, partitioner: Partitioner | None) -> None:
        super().__init__()
        self.function = function
        self.partitioner = partitioner

    def push(self, batch: Batch, partition: int) -> None:
        out = self.function(batch)
        if self.partitioner is None:
            self.emit(out, partition)
            return
        chosen = self.partitioner
        by_partition: dict[int, Batch] = {}
        for record in out:
            by_partition.setdefault(chosen(record[0]), []).append(record)
        for target, records in by_partition.items():
            self.emit(records, target)


def filter_function(expr: Expression, scope: StepScope, is_table: bool, report: Report) -> Function:
    source = Source(report)
    source.line(0, "def run(batch):")
    source.line(1, "out = []")
    if not is_table:
        source.line(1, "for rec in batch:")
        source.line(2, "k, v, ts, w = rec")
        source.line(2, "if v is None: continue")
        predicate(source, scope, expr, 2, "_passes")
        source.line(2, "if _passes: out.append(rec)")
    else:
        source.line(1, "for k, _new, _old, ts, w in batch:")
        for side in ("_new", "_old"):
            source.line(2, f"v = {side}")
            source.line(2, "if v is not None:")
            predicate(source, scope, expr, 3, "_passes")
            source.line(3, f"if not _passes: {side} = None")
        source.line(2, "if _new is not None or _old is not None: out.append((k, _new, _old, ts, w))")
    source.line(1, "return out")
    return source.function("run")


def select_function(
    exprs: Sequence[Expression],
    scope: StepScope,
    is_table: bool,
    report: Report,
    targets: Sequence[SqlType | None] | None = None,
    needs_old: bool = True,
) -> Function:
    """A new value from expressions. ``needs_old``: the old values of table changes are projected too."""
    source = Source(report)
    source.line(0, "def run(batch):")
    source.line(1, "out = []")
    if not is_table:
        source.line(1, "for k, v, ts, w in batch:")
        source.line(2, "if v is None:")
        source.line(3, "out.append((k, None, ts, w)); continue")
        made = values(source, scope, exprs, 2, "_x", targets)
        source.line(2, f"out.append((k, {made}, ts, w))")
    else:
        source.line(1, "for k, _new, _old, ts, w in batch:")
        for side in ("_new", "_old"):
            if side == "_old" and not needs_old:
                source.line(2, "_old = None")
                continue
            source.line(2, f"if {side} is not None:")
            source.line(3, f"v = {side}")
            made = values(source, scope, exprs, 3, f"_x{side}", targets)
            source.line(3, f"{side} = {made}")
        source.line(2, "out.append((k, _new, _old, ts, w))")
    source.line(1, "return out")
    return source.function("run")


def rekey_function(
    keys: Sequence[Expression],
    items: Sequence[Expression],
    scope: StepScope,
    key_columns: frozenset[str],
    report: Report,
) -> Function:
    """A new key and value for stream records; a null value leaves the parts of the key that need none."""
    source = Source(report)
    source.env["NullKey"] = NullKey
    width = len(keys)
    source.line(0, "def run(batch):")
    source.line(1, "out = []")
    source.line(1, "for k, v, ts, w in batch:")
    source.line(2, "if v is None:")
    parts = [expr if all(ref.name in key_columns for ref in columns(expr)) else ast.NullLiteral() for expr in keys]
    made = values(source, scope, parts, 3, "_n")
    source.line(3, f"_key = {made}")
    source.line(3, "_value = None")
    source.line(2, "else:")
    made_key = values(source, scope, keys, 3, "_k")
    made_items = values(source, scope, items, 3, "_x")
    source.line(3, f"_key = {made_key}")
    source.line(3, f"_value = {made_items}")
    if width == 1:
        source.line(2, "if _key[0] is None: _key = NullKey(_key)")
    source.line(2, "out.append((_key, _value, ts, w))")
    source.line(1, "return out")
    return source.function("run")


def group_function(
    groups: Sequence[Expression],
    arguments: Sequence[Expression],
    scope: StepScope,
    report: Report,
) -> Function:
    """Stream records to ``(group key, arguments, ts, None)``; a null value or group column drops the record."""
    source = Source(report)
    source.line(0, "def run(batch):")
    source.line(1, "out = []")
    source.line(1, "for k, v, ts, w in batch:")
    source.line(2, "if v is None: continue")
    key = values(source, scope, groups, 2, "_g")
    source.line(2, f"_key = {key}")
    source.line(2, "if None in _key:")
    source.line(3, "_report('GROUP BY', 'Group-by column resolved to null. The source row will be excluded from the "
                   "table.', (k, v))")  # fmt: skip
    source.line(3, "continue")
    row = values(source, scope, arguments, 2, "_a")
    source.line(2, f"out.append((_key, {row}, ts, None))")
    source.line(1, "return out")
    return source.function("run")


def group_table_function(
    groups: Sequence[Expression],
    arguments: Sequence[Expression],
    scope: StepScope,
    report: Report,
    apart: bool = False,
) -> Function:
    """Table changes to ``(group key, new row, row to undo, ts, w)``. A change that moves a row to another group is
    two, the undo first; one within a group is a single change, or two as well where ``apart``."""
    source = Source(report)
    source.line(0, "def run(batch):")
    source.line(1, "out = []")
    source.line(1, "for k, _new, _old, ts, w in batch:")
    for side in ("_new", "_old"):
        source.line(2, f"_key{side} = _row{side} = None")
        source.line(2, f"if {side} is not None:")
        source.line(3, f"v = {side}")
        key = values(source, scope, groups, 3, f"_g{side}")
        source.line(3, f"_key{side} = {key}")
        source.line(3, f"if None in _key{side}:")
        source.line(4, f"_key{side} = None")
        source.line(3, "else:")
        row = values(source, scope, arguments, 4, f"_a{side}")
        source.line(4, f"_row{side} = {row}")
    if not apart:
        source.line(2, "if _key_old is not None and _key_new == _key_old:")
        source.line(3, "out.append((_key_new, _row_new, _row_old, ts, None))")
        source.line(3, "continue")
    source.line(2, "if _key_old is not None: out.append((_key_old, None, _row_old, ts, None))")
    source.line(2, "if _key_new is not None: out.append((_key_new, _row_new, None, ts, None))")
    source.line(1, "return out")
    return source.function("run")


def flat_map_function(
    calls: Sequence[tuple[Function, Sequence[Expression], Sequence[SqlType | None]]], scope: StepScope, report: Report
) -> Function:
    """One record per element of the longest result; the others are padded with None. No elements: no record."""
    source = Source(report)
    source.line(0, "def run(batch):")
    source.line(1, "out = []")
    source.line(1, "for k, v, ts, w in batch:")
    source.line(2, "if v is None: continue")
    lists = []
    for index, (function, args, targets) in enumerate(calls):
        source.env[f"_call{index}"] = function
        codes = [compile_expression(source, scope, a, t) for a, t in zip(args, targets, strict=True)]
        made = ", ".join(code.source for code in codes)
        source.line(2, "try:")
        source.line(3, f"_list{index} = _call{index}({made}) or ()")
        source.line(2, "except Exception as _error:")
        source.line(3, f"_list{index} = ()")
        source.line(3, "_report('table function', str(_error), (k, v))")
        lists.append(f"_list{index}")
    source.env["_longest"] = zip_longest_all
    source.line(2, f"for _row in _longest({', '.join(lists)}):")
    source.line(3, "out.append((k, v + _row, ts, w))")
    source.line(1, "return out")
    return source.function("run")


def zip_longest_all(*lists: Sequence[Any]) -> list[tuple[Any, ...]]:
    longest = max(map(len, lists))
    return [tuple(items[i] if i < len(items) else None for items in lists) for i in range(longest)]


class Pass(Operator):
    """Hands on what it gets."""

    def push(self, batch: Batch, partition: int) -> None:
        self.emit(batch, partition)
