"""Generates what an aggregation does with a row: the loop over a batch with every aggregate, HAVING and the projection
in it. Results are stream records of a changelog: nothing behind an aggregate asks what a row was before.

A group's entry is a list: ``[timestamp, passed, state of each aggregate ...]``, where ``passed`` tells whether its last
result went out (HAVING). Where a key cannot be a dict key as it is, the key itself comes behind the states.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from ksqldb.engine.analyse.rewrite import columns
from ksqldb.engine.ast import Expression
from ksqldb.engine.compile import Slot
from ksqldb.engine.functions.aggregator import Aggregator, identity
from ksqldb.engine.functions.registry import Registry
from ksqldb.engine.metastore import WINDOW_BOUNDS, Schema
from ksqldb.engine.metastore.model import ROWTIME
from ksqldb.engine.plan.scope import StepScope
from ksqldb.engine.run.codegen import Function, Source, predicate, values
from ksqldb.engine.run.keys import freeze
from ksqldb.engine.run.records import Report
from ksqldb.engine.types import BIGINT, Base, SqlType

_FIRST = 2  # index of the first state in an entry
_UNHASHABLE = frozenset({Base.ARRAY, Base.MAP, Base.STRUCT})


class _ResultScope(StepScope):
    """Aggregate results as local variables, the key as ``k``, window bounds as ``start`` and ``end``."""

    def __init__(self, schema: Schema, windowed: bool, functions: Registry) -> None:
        super().__init__(schema, windowed, functions)
        self.slots[ROWTIME] = Slot("e[0]", BIGINT)
        for index, column in enumerate(schema.value):
            self.slots[column.name] = Slot(f"r{index}", column.type)
        if windowed:
            for name, source in zip(WINDOW_BOUNDS, ("start", "end"), strict=True):
                self.slots[name] = Slot(source, BIGINT)


@dataclass(frozen=True, slots=True)
class AggregateSpec:
    """What is to be generated. ``schema`` is the aggregate step's; ``widths`` how many arguments each call has."""

    aggregators: Sequence[Aggregator]
    widths: Sequence[int]
    schema: Schema
    windowed: bool
    functions: Registry
    having: Expression | None
    items: Sequence[Expression]
    targets: Sequence[SqlType]

    @property
    def plain_keys(self) -> bool:
        """Whether key tuples can be dict keys as they are."""
        return not any(c.type.base in _UNHASHABLE for c in self.schema.key)

    @property
    def key_index(self) -> int:
        return _FIRST + len(self.aggregators)


class AggregateCode:
    """The generated functions of one aggregation.

    * ``finish(k, e, start, end)``: the projected value, None where HAVING is not met
    * ``add(e, row, ts)``, ``undo(e, row, ts)``: take a row of arguments in, or out again
    * ``merge(e, f)``: the entry of two sessions
    """

    def __init__(self, spec: AggregateSpec, report: Report) -> None:
        self.spec = spec
        self.report = report
        self.finish = self._finish()
        self.add = self._change("add")
        self.undo = self._change("undo")
        self._merges = tuple((_FIRST + i, a.merge) for i, a in enumerate(spec.aggregators))
        self._initials = tuple(a.initialize for a in spec.aggregators)

    def new(self, ts: int, key: Any) -> list[Any]:
        entry = [ts, False, *[initial() for initial in self._initials]]
        if not self.spec.plain_keys:
            entry.append(key)
        return entry

    def key_of(self, hashed: Any, entry: list[Any]) -> Any:
        return hashed if self.spec.plain_keys else entry[self.spec.key_index]

    def merge(self, earlier: list[Any], later: list[Any]) -> list[Any]:
        merged = list(earlier)
        merged[0], merged[1] = max(earlier[0], later[0]), False
        for index, merge in self._merges:
            merged[index] = merge(earlier[index], later[index])
        return merged

    # ------------------------------------------------------------------------------------------ generating

    def _source(self) -> Source:
        source = Source(self.report)
        for index, aggregator in enumerate(self.spec.aggregators):
            source.env[f"_add{index}"] = aggregator.add
            source.env[f"_undo{index}"] = aggregator.undo
            source.env[f"_result{index}"] = aggregator.result
            source.env[f"_initial{index}"] = aggregator.initialize
        source.env["_freeze"] = freeze
        return source

    def _finish(self) -> Function:
        source = self._source()
        source.line(0, "def finish(k, e, start, end):")
        source.line(1, "v = None")
        self._result_lines(source, 1)
        passes = self._having_lines(source, 1)
        if passes:
            source.line(1, "if not _passes: return None")
        made = self._value(source, 1)
        source.line(1, f"return {made}")
        return source.function("finish")

    def _change(self, what: str) -> Function:
        source = self._source()
        source.line(0, f"def {what}(e, row, ts):")
        source.line(1, "if ts > e[0]: e[0] = ts")
        self._unpack(source, 1)
        self._change_lines(source, 1, what)
        return source.function(what)

    def _unpack(self, source: Source, indent: int) -> None:
        names = [f"a{i}" for i in range(sum(self.spec.widths))]
        if names:
            source.line(indent, f"{', '.join(names)}, = row")

    def _change_lines(self, source: Source, indent: int, what: str) -> None:
        at = 0
        for index, width in enumerate(self.spec.widths):
            args = "".join(f", a{at + i}" for i in range(width))
            state = f"e[{_FIRST + index}]"
            changed = f"_{what}{index}({state}{args})"
            aggregator = self.spec.aggregators[index]
            if what == "add" and aggregator.inline:
                names = {name: f"_{name}{index}" for name in aggregator.inline_names}
                source.env.update({names[name]: value for name, value in aggregator.inline_names.items()})
                changed = aggregator.inline.format(s=state, a=f"a{at}", **names)
            at += width
            source.line(indent, "try:")
            source.line(indent + 1, f"{state} = {changed}")
            source.line(indent, "except Exception as _error:")
            source.line(indent + 1, "_report('AGGREGATE', str(_error), row)")

    def _result_lines(self, source: Source, indent: int, chosen: Collection[int] | None = None) -> None:
        for index, aggregator in enumerate(self.spec.aggregators):
            if chosen is not None and index not in chosen:
                continue
            if aggregator.result is identity:
                source.line(indent, f"r{index} = e[{_FIRST + index}]")
                continue
            source.line(indent, "try:")
            source.line(indent + 1, f"r{index} = _result{index}(e[{_FIRST + index}])")
            source.line(indent, "except Exception as _error:")
            source.line(indent + 1, f"r{index} = None")
            source.line(indent + 1, "_report('AGGREGATE', str(_error), e)")

    def _scope(self) -> _ResultScope:
        return _ResultScope(self.spec.schema, self.spec.windowed, self.spec.functions)

    def _having_lines(self, source: Source, indent: int) -> bool:
        if self.spec.having is None:
            return False
        predicate(source, self._scope(), self.spec.having, indent, "_passes")
        return True

    def _value(self, source: Source, indent: int) -> str:
        return values(source, self._scope(), self.spec.items, indent, "_x", list(self.spec.targets))

    def _emit_lines(self, source: Source, indent: int, window: str) -> None:
        """Lines that put the entry's result out, or a tombstone where it stops passing HAVING."""
        every = set(range(len(self.spec.aggregators)))
        first = every if self.spec.having is None else self._read_by(self.spec.having)
        self._result_lines(source, indent, first)
        if self._having_lines(source, indent):
            source.line(indent, "if _passes:")
            source.line(indent + 1, "e[1] = True")
            self._result_lines(source, indent + 1, every - first)
            made = self._value(source, indent + 1)
            source.line(indent + 1, f"out((k, {made}, e[0], {window}))")
            source.line(indent, "elif e[1]:")
            source.line(indent + 1, "e[1] = False")
            source.line(indent + 1, f"out((k, None, e[0], {window}))")
        else:
            made = self._value(source, indent)
            source.line(indent, f"out((k, {made}, e[0], {window}))")

    def _read_by(self, expr: Expression) -> set[int]:
        """The aggregates whose results an expression reads."""
        names = {ref.name for ref in columns(expr)}
        values = self.spec.schema.value[: len(self.spec.aggregators)]
        return {index for index, column in enumerate(values) if column.name in names}

    def _entry_lines(self, source: Source, indent: int, table: str) -> None:
        """Lines that find or make the entry ``e`` of the key in a dict."""
        initials = ", ".join(f"_initial{i}()" for i in range(len(self.spec.aggregators)))
        own = "" if self.spec.plain_keys else ", k"
        source.line(indent, f"e = {table}.get(hashed)")
        source.line(indent, "if e is None:")
        source.line(indent + 1, f"e = {table}[hashed] = [ts, False, {initials}{own}]")
        source.line(indent, "elif ts > e[0]: e[0] = ts")

    @property
    def _hashed(self) -> str:
        return "k" if self.spec.plain_keys else "_freeze(k)"

    def group_loop(self) -> Function:
        """``run(entries, batch, out)``: groups without windows over a stream."""
        source = self._source()
        source.line(0, "def run(entries, batch, out):")
        source.line(1, "v = w = None")
        source.line(1, "for k, row, ts, _ in batch:")
        source.line(2, f"hashed = {self._hashed}")
        self._entry_lines(source, 2, "entries")
        self._unpack(source, 2)
        self._change_lines(source, 2, "add")
        self._emit_lines(source, 2, "None")
        return source.function("run")

    def table_loop(self) -> Function:
        """``run(entries, batch, out)``: groups over a table's changes ``(k, row, row to undo, ts, _)``."""
        source = self._source()
        source.line(0, "def run(entries, batch, out):")
        source.line(1, "v = w = None")
        source.line(1, "for k, new, old, ts, _ in batch:")
        source.line(2, f"hashed = {self._hashed}")
        source.line(2, "if new is None and hashed not in entries: continue")
        self._entry_lines(source, 2, "entries")
        for row, what in (("old", "undo"), ("new", "add")):
            source.line(2, f"if {row} is not None:")
            source.line(3, f"row = {row}")
            self._unpack(source, 3)
            self._change_lines(source, 3, what)
        self._emit_lines(source, 2, "None")
        return source.function("run")

    def window_loop(self, size: int, advance: int, grace: int, emits: bool) -> Function:
        """``run(part, batch, out)``: every window of each row; gives nothing out where ``emits`` is false."""
        source = self._source()
        source.line(0, "def run(part, batch, out):")
        source.line(1, "v = None")
        source.line(1, "windows, clock, highest = part.windows, part.clock, part.highest")
        source.line(1, "for k, row, ts, _ in batch:")
        source.line(2, "if ts > clock: clock = ts")
        source.line(2, f"close = clock - {grace}")
        if advance == size:
            source.line(2, f"start = ts - ts % {advance}")
        else:
            source.line(2, f"start = ts - {size - advance}")
            source.line(2, f"start = start - start % {advance} if start > 0 else 0")
        source.line(2, f"hashed = {self._hashed}")
        self._unpack(source, 2)
        source.line(2, "while start <= ts:")
        source.line(3, f"end = start + {size}")
        source.line(3, "if end > close:")
        source.line(4, "table = windows.get(start)")
        source.line(4, "if table is None:")
        source.line(5, "table = windows[start] = {}")
        source.line(5, "if start > highest: highest = start")
        self._entry_lines(source, 4, "table")
        self._change_lines(source, 4, "add")
        if emits:
            self._emit_lines(source, 4, "(start, end)")
        source.line(3, "else:")
        source.line(4, "_report('LATE', f'window [{start},{end}) is closed', k)")
        source.line(3, f"start += {advance}")
        source.line(1, "part.clock, part.highest = clock, highest")
        return source.function("run")
