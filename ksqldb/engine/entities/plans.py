"""What EXPLAIN tells of how a query runs: its steps in the words of ksqlDB's plan summary, and its topology."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import replace

from ksqldb.engine.metastore import Column, Namespace
from ksqldb.engine.plan.compiled import seen_columns
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

_INDENT = 2 * "\t"
Line = tuple[str, Iterable[Column], str]  # operation, the columns that come out, where its errors are logged


def execution_plan(plan: QueryPlan, query_id: str) -> str:
    """The steps, last first, each further in than the one it feeds."""
    return "".join(
        f"{_INDENT * depth} > [ {name} ] | Schema: {_text(seen)} | Logger: {query_id}.{logger}\n"
        for depth, (name, seen, logger) in _lines(plan.output, "")
    )


def _text(columns: Iterable[Column]) -> str:
    return ", ".join(str(column) for column in columns).replace("`", "")


def _lines(step: Step, side: str) -> Iterator[tuple[int, Line]]:
    """The lines of a step and what feeds it, with their depth. ``side``: of a join, `Left`, `L_Right` and so on."""
    own = _own(step, side)
    yield from enumerate(own)
    for branch, part in _inputs(step, side):
        yield from ((depth + len(own), line) for depth, line in _lines(part, branch))


def _inputs(step: Step, side: str = "") -> list[tuple[str, Step]]:
    match step:
        case SourceStep():
            return []
        case JoinStep():
            prefix = _prefix(side)
            return [(f"{prefix}Left", step.left), (f"{prefix}Right", step.right)]
        case _:
            return [(side, step.input)]


def _prefix(side: str) -> str:
    """`L_` for what is joined on the left side of another join."""
    return side.replace("Left", "L_").replace("Right", "R_")


def _own(step: Step, side: str) -> list[Line]:
    seen = list(seen_columns(step))
    match step:
        case SourceStep():
            return [("SOURCE", seen, f"KafkaTopic_{side}.Source" if side else "KsqlTopic.Source")]
        case FilterStep():
            return [("FILTER", seen, "WhereFilter" if step.clause == "WHERE" else "Aggregate.HavingFilter")]
        case SelectStep():
            grouped = "Aggregate." if _is_of_aggregate(step.input) else ""
            return [("PROJECT", seen, f"PrependAlias{side}" if side else f"{grouped}Project")]
        case RekeyStep():
            return [("REKEY", seen, f"{side}SourceKeyed.SelectKey" if side else "PartitionBy")]
        case FlatMapStep():
            return [("FLAT_MAP", seen, "FlatMap")]
        case AggregateStep():
            return _grouping(step, seen)
        case SuppressStep():
            return [("SUPPRESS", seen, "Suppress")]
        case JoinStep():
            return [("JOIN" if step.foreign_key is None else "FK_JOIN", seen, f"{_prefix(side)}Join")]
        case SinkStep():
            return [("SINK", step.source.schema, step.source.name)]


def _grouping(step: AggregateStep, seen: list[Column]) -> list[Line]:
    """An aggregation reads what it needs, groups it, then aggregates."""
    given = {column.name: replace(column, namespace=Namespace.VALUE) for column in seen_columns(step.input)}
    needed = [given[name] for name in step.required if name in given]
    return [
        ("AGGREGATE", seen, "Aggregate.Aggregate"),
        ("GROUP_BY", [*step.schema.key, *needed], "Aggregate.GroupBy"),
        ("PROJECT", [*step.input.schema.key, *needed], "Aggregate.Prepare"),
    ]


def _is_of_aggregate(step: Step) -> bool:
    if isinstance(step, FilterStep | SuppressStep):
        return _is_of_aggregate(step.input)
    return isinstance(step, AggregateStep)


def topology_text(plan: QueryPlan) -> str:
    """The sources, processors and sink of a query, in the shape of Kafka Streams' description."""
    lines: list[str] = []
    numbers = itertools.count()

    def visit(part: Step, side: str, after: str) -> str:
        """The lines of a step whose results go to ``after``; its name."""
        word, _, logger = _own(part, side)[0]
        match word:
            case "SOURCE":
                name = f"KSTREAM-SOURCE-{next(numbers):010d}"
            case "SINK":
                name = f"KSTREAM-SINK-{len(plan.sources):010d}"
            case _:
                name = logger.replace(".", "-")
        before = [visit(other, branch, name) for branch, other in _inputs(part, side)]
        match part:
            case SourceStep():
                lines.append(f"    Source: {name} (topics: [{part.source.topic}])")
            case SinkStep():
                lines.append(f"    Sink: {name} (topic: {part.topic})")
            case _:
                lines.append(f"    Processor: {name} (stores: [])")
        if not isinstance(part, SinkStep):
            lines.append(f"      --> {after}")
        if before:
            lines.append(f"      <-- {', '.join(before)}")
        return name

    visit(plan.output, "", "none")
    return "\n".join(["Topologies:", "   Sub-topology: 0", *lines]) + "\n\n"
