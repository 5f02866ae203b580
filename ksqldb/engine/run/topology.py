"""A query at work: its plan's steps as linked operators, fed with decoded records, giving the records of its result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ksqldb.engine.analyse.rewrite import columns
from ksqldb.engine.analyse.serdes import build_key_codec, kafka_can_hold
from ksqldb.engine.ast import Expression, WindowKind
from ksqldb.engine.functions.registry import TableVariant
from ksqldb.engine.metastore import Column, FormatInfo, Schema
from ksqldb.engine.plan.functions import table_variant
from ksqldb.engine.plan.scope import StepScope, scope_of
from ksqldb.engine.plan.steps import (
    AggregateStep,
    FilterStep,
    FlatMapStep,
    JoinStep,
    QueryPlan,
    RekeyStep,
    SelectStep,
    SinkStep,
    SourceStep,
    Step,
    SuppressStep,
)
from ksqldb.engine.plan.windowing import lengths
from ksqldb.engine.run import stateless
from ksqldb.engine.run.aggregate import GroupAggregate
from ksqldb.engine.run.aggregate_code import AggregateCode, AggregateSpec
from ksqldb.engine.run.codegen import Source, values
from ksqldb.engine.run.joins import ForeignKeyJoin, StreamTableJoin, TableTableJoin
from ksqldb.engine.run.partitioner import partition_for
from ksqldb.engine.run.records import Batch, Clock, Operator, Report
from ksqldb.engine.run.stream_join import StreamStreamJoin
from ksqldb.engine.run.tables import Rows, TableSource, View
from ksqldb.engine.run.windows import SessionAggregate, WindowAggregate, WindowSpec
from ksqldb.engine.types import SqlType

EMIT_FINAL = "__emit.interval.ms.kstreams.windowed.aggregation__"
EMIT_OUTER = "__emit.interval.ms.kstreams.outer.join.spurious.results.fix__"
_UNDO_WITH_ADDITION = (3, 5)


class Collector(Operator):
    """The end of a query: keeps what came out, with its partition, until it is taken."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[tuple[int, Batch]] = []

    def push(self, batch: Batch, partition: int) -> None:
        self.batches.append((partition, batch))

    def take(self) -> list[tuple[int, Batch]]:
        taken, self.batches = self.batches, []
        return taken


@dataclass(frozen=True, slots=True)
class Environment:
    """What a topology needs from around it.

    ``partitions``: how many partitions re-keyed records are spread over (None: all stay in partition 0).
    """

    report: Report
    clock: Clock = lambda: 0
    partitions: int | None = None
    properties: Mapping[str, str] = field(default_factory=dict)

    def interval(self, name: str) -> int:
        return int(self._streams(name) or 1000)

    @property
    def undoes_apart(self) -> bool:
        """Whether a change within a group is an undo and an addition of its own: so it was before Kafka Streams 3.5,
        which `upgrade.from` brings back."""
        return (old := _version(self._streams("upgrade.from"))) is not None and old < _UNDO_WITH_ADDITION

    def _streams(self, name: str) -> str | None:
        """A property of Kafka Streams, with its prefix or without."""
        return self.properties.get(f"ksql.streams.{name}", self.properties.get(name))


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a source's records enter; ``wanted`` are the value columns the query needs (None: all)."""

    step: SourceStep
    operator: Operator
    wanted: frozenset[str] | None


class Topology:
    """Feed it with ``push``; results are taken from ``take`` as stream records by partition."""

    def __init__(self, plan: QueryPlan, environment: Environment, keep_view: bool = False) -> None:
        self.plan = plan
        self.environment = environment
        self.report = environment.report
        self.entries: list[Entry] = []
        self.stateful: list[Operator] = []
        self.collector = Collector()
        view = View() if keep_view and plan.output.is_table else None
        self.view: Rows | None = view
        self.aggregates = False
        output = plan.output
        last = self._build(output.input if isinstance(output, SinkStep) else output, False, None)
        after: Operator = self.collector
        if self.view is view and view is not None:
            self.stateful.append(view)
            view.next = self.collector
            after = view
        elif plan.output.is_table and not self.aggregates:
            after = stateless.Mapping(changes_to_records)
            after.next = self.collector
        last.next = after

    # ------------------------------------------------------------------------------------------ running

    def push(self, entry: Entry, batch: Batch, partition: int) -> None:
        entry.operator.push(batch, partition)

    def take(self) -> list[tuple[int, Batch]]:
        return self.collector.take()

    def snapshot(self) -> list[Any]:
        return [operator.snapshot() for operator in self.stateful]

    def restore(self, states: list[Any]) -> None:
        if len(states) != len(self.stateful):
            raise ValueError("the snapshot is of another query")
        for operator, state in zip(self.stateful, states, strict=True):
            operator.restore(state)

    # ------------------------------------------------------------------------------------------ building

    def _keep(self, operator: Operator) -> Operator:
        self.stateful.append(operator)
        return operator

    def _chain(self, step: Step, operator: Operator, needs_old: bool, wanted: set[str] | None) -> Operator:
        self._build(step, needs_old, wanted).next = operator
        return operator

    def _build(self, step: Step, needs_old: bool, wanted: set[str] | None) -> Operator:
        """The last operator of a step. ``needs_old``: what follows uses the old values of a table's changes;
        ``wanted``: the columns that what follows uses, None for all."""
        match step:
            case SourceStep():
                return self._source(step, wanted)
            case FilterStep():
                function = stateless.filter_function(
                    step.predicate, scope_of(step.input, self.plan.functions), step.is_table, self.report
                )
                more = None if wanted is None else wanted | names(step.predicate)
                return self._chain(step.input, stateless.Mapping(function), True, more)
            case SelectStep():
                aggregate, having = _aggregate_under(step.input)
                if aggregate is not None:
                    return self._aggregate(step, having, aggregate)
                return self._select(step, needs_old)
            case RekeyStep():
                return self._rekey(step)
            case FlatMapStep():
                return self._flat_map(step, wanted)
            case AggregateStep() | SuppressStep():
                raise AssertionError("an aggregate is built with its projection")
            case JoinStep():
                return self._join(step)
            case SinkStep():
                return self._build(step.input, needs_old, wanted)

    def _source(self, step: SourceStep, wanted: set[str] | None) -> Operator:
        head: Operator = self._keep(TableSource(self.report)) if step.is_table else stateless.Pass()
        needed = None if wanted is None else frozenset(c.name for c in step.source.schema.value if c.name in wanted)
        if needed is not None and step.source.timestamp is not None:
            needed |= {step.source.timestamp.name}
        self.entries.append(Entry(step, head, needed))
        return head

    def _select(self, step: SelectStep, needs_old: bool) -> Operator:
        targets = [c.type for c in step.schema.value]
        function = stateless.select_function(
            step.items, scope_of(step.input, self.plan.functions), step.is_table, self.report, targets, needs_old
        )
        used = {name for item in step.items for name in names(item)}
        return self._chain(step.input, stateless.Mapping(function), needs_old, used)

    def _rekey(self, step: RekeyStep) -> Operator:
        keys = frozenset(c.name for c in step.input.schema.key)
        function = stateless.rekey_function(
            step.key, step.items, scope_of(step.input, self.plan.functions), keys, self.report
        )
        used = {name for expr in (*step.key, *step.items) for name in names(expr)}
        operator = stateless.Repartition(function, self._partitioner(step.key_format, step.schema.key))
        return self._chain(step.input, operator, False, used)

    def _partitioner(self, info: FormatInfo, key: tuple[Column, ...]) -> Callable[[Any], int] | None:
        count = self.environment.partitions
        if count is None:
            return None
        if info.name == "KAFKA" and not kafka_can_hold(key):
            info = FormatInfo("JSON")  # the key's real format is the sink's own
        return partition_for(build_key_codec(info, key), count)

    def _flat_map(self, step: FlatMapStep, wanted: set[str] | None) -> Operator:
        scope = scope_of(step.input, self.plan.functions)
        calls: list[tuple[Callable[..., Any], Sequence[Expression], list[SqlType | None]]] = []
        for call in step.calls:
            variant: TableVariant = table_variant(call, scope)
            targets = [t if isinstance(t, SqlType) else None for t in variant.param_types]
            calls.append((variant.fn, call.args, targets))
        function = stateless.flat_map_function(calls, scope, self.report)
        more = None if wanted is None else wanted | {n for call in step.calls for n in names(call)}
        return self._chain(step.input, stateless.Mapping(function), False, more)

    def _aggregate(self, select: SelectStep, having: Expression | None, step: AggregateStep) -> Operator:
        """An aggregate with its HAVING and its projection in one loop."""
        functions = self.plan.functions
        scope = scope_of(step.input, functions)
        arguments = [arg for args in step.arguments for arg in args]
        used = {name for expr in (*step.groups, *arguments) for name in names(expr)}
        if step.input.is_table:
            apart = self.environment.undoes_apart
            function = stateless.group_table_function(step.groups, arguments, scope, self.report, apart)
        else:
            function = stateless.group_function(step.groups, arguments, scope, self.report)
        partitioner = self._partitioner(step.key_format, step.schema.key) if step.rekeys else None
        group = stateless.Repartition(function, partitioner)
        self._chain(step.input, group, True, used)
        spec = AggregateSpec(
            step.aggregators,
            [len(args) for args in step.arguments],
            step.schema,
            step.spec is not None,
            functions,
            having,
            select.items,
            [c.type for c in select.schema.value],
        )
        operator = self._aggregate_operator(step, AggregateCode(spec, self.report))
        self.aggregates = True
        self.view = self.view and operator
        group.next = self._keep(operator)
        return operator

    def _aggregate_operator(
        self, step: AggregateStep, code: AggregateCode
    ) -> GroupAggregate | WindowAggregate | SessionAggregate:
        window = step.spec
        if window is None:
            return GroupAggregate(code, step.input.is_table)
        spec = WindowSpec(*lengths(window, step.emit_final), step.emit_final, self.environment.interval(EMIT_FINAL))
        encode = None
        if step.emit_final and (step.key_format.name != "KAFKA" or kafka_can_hold(step.schema.key)):
            encode = build_key_codec(step.key_format, step.schema.key).encode
        clock = self.environment.clock
        if window.kind is WindowKind.SESSION:
            return SessionAggregate(code, spec, self.report, clock, encode)
        return WindowAggregate(code, spec, clock, encode)

    def _join(self, step: JoinStep) -> Operator:
        left, right = step.left, step.right
        widths = (len(left.schema.value), len(right.schema.value))
        join: StreamStreamJoin | StreamTableJoin | TableTableJoin | ForeignKeyJoin
        if step.foreign_key is not None:
            join = ForeignKeyJoin(step.type, *widths, self.report, *self._foreign_key(step.foreign_key, left))
        elif step.is_table:
            join = TableTableJoin(step.type, *widths, self.report)
        elif right.is_table:
            join = StreamTableJoin(step.type, *widths, self.report)
        else:
            join = self._stream_join(step, widths)
        self._build(left, True, None).next = join.left
        self._build(right, True, None).next = join.right
        return self._keep(join)

    def _stream_join(self, step: JoinStep, widths: tuple[int, int]) -> StreamStreamJoin:
        within = step.within
        assert within is not None
        return StreamStreamJoin(
            step.type,
            *widths,
            self.report,
            within.before.ms,
            within.after.ms,
            None if within.grace is None else within.grace.ms,
            self.environment.interval(EMIT_OUTER),
            self.environment.clock,
        )

    def _foreign_key(
        self, expr: Expression, left: Step
    ) -> tuple[Callable[[Any, Any, int, Any], Any], Callable[[Any], bytes | None]]:
        scope = StepScope(Schema((*left.schema.key, *left.schema.value)), left.window is not None, self.plan.functions)
        source = Source(self.report)
        source.line(0, "def foreign_key(k, v, ts, w):")
        made = values(source, scope, [expr], 1, "_f")
        source.line(1, f"return {made}")
        start: Step = left
        while not isinstance(start, SourceStep):
            assert not isinstance(start, JoinStep)
            start = start.input
        codec = build_key_codec(start.source.key_format, start.schema.key)
        return source.function("foreign_key"), codec.encode


def _version(text: str | None) -> tuple[int, ...] | None:
    """`3.4` as numbers."""
    return None if text is None else tuple(int(part) for part in text.split(".") if part.isdigit())


def _aggregate_under(step: Step) -> tuple[AggregateStep | None, Expression | None]:
    """The aggregate a projection reads, with its HAVING."""
    having = None
    if isinstance(step, FilterStep) and step.clause == "HAVING":
        having, step = step.predicate, step.input
    if isinstance(step, SuppressStep):
        step = step.input
    return (step, having) if isinstance(step, AggregateStep) else (None, None)


def names(expr: Expression) -> set[str]:
    return {ref.name for ref in columns(expr)}


def changes_to_records(batch: Batch) -> Batch:
    return [(key, new, ts, window) for key, new, _, ts, window in batch]
