"""The steps of a query as values. Expressions name the columns of the step they read, unqualified.

A step's schema holds its key columns and the columns of its value, in the order of the tuples that flow: a record's
value is a tuple of ``schema.value``, its key a tuple of ``schema.key``. A value column may carry the name of a key
column (a copy); the name then means the key.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ksqldb.engine import ast
from ksqldb.engine.ast import Expression, JoinType
from ksqldb.engine.functions.aggregator import Aggregator
from ksqldb.engine.functions.registry import Registry
from ksqldb.engine.metastore import (
    PSEUDO_COLUMNS,
    WINDOW_BOUNDS,
    Column,
    FormatInfo,
    Namespace,
    Schema,
    Source,
    TimestampColumn,
    WindowInfo,
)


@dataclass(frozen=True, slots=True)
class SourceStep:
    """Reads a source. ``extra`` are pseudo columns (ROWPARTITION, ROWOFFSET, and for joins ROWTIME and the window
    bounds) that the query uses, appended to the value."""

    source: Source
    alias: str
    extra: tuple[str, ...]
    schema: Schema

    @property
    def is_table(self) -> bool:
        return self.source.is_table

    @property
    def window(self) -> WindowInfo | None:
        return self.source.window


@dataclass(frozen=True, slots=True)
class FilterStep:
    input: Step
    predicate: Expression
    clause: str  # WHERE or HAVING

    @property
    def schema(self) -> Schema:
        return self.input.schema

    @property
    def is_table(self) -> bool:
        return self.input.is_table

    @property
    def window(self) -> WindowInfo | None:
        return self.input.window


@dataclass(frozen=True, slots=True)
class SelectStep:
    """A new value from expressions; the key stays (its columns may be renamed)."""

    input: Step
    items: tuple[Expression, ...]
    schema: Schema

    @property
    def is_table(self) -> bool:
        return self.input.is_table

    @property
    def window(self) -> WindowInfo | None:
        return self.input.window


@dataclass(frozen=True, slots=True)
class RekeyStep:
    """A new key from expressions (none: no key), the value from ``items``; records go to the key's partition."""

    input: Step
    key: tuple[Expression, ...]
    items: tuple[Expression, ...]
    schema: Schema
    key_format: FormatInfo

    @property
    def is_table(self) -> bool:
        return self.input.is_table

    @property
    def window(self) -> WindowInfo | None:
        return None


@dataclass(frozen=True, slots=True)
class FlatMapStep:
    """One row per element of table functions; their values are appended to the value, shorter ones padded with null."""

    input: Step
    calls: tuple[ast.FunctionCall, ...]
    schema: Schema

    @property
    def is_table(self) -> bool:
        return False

    @property
    def window(self) -> WindowInfo | None:
        return self.input.window


@dataclass(frozen=True, slots=True)
class AggregateStep:
    """GROUP BY with aggregates: the value is the tuple of their results."""

    input: Step
    groups: tuple[Expression, ...]
    arguments: tuple[tuple[Expression, ...], ...]  # of each aggregate, literals left out
    aggregators: tuple[Aggregator, ...]
    spec: ast.Window | None
    schema: Schema
    key_format: FormatInfo
    rekeys: bool  # whether groups differ from the input's key
    emit_final: bool = False
    required: tuple[str, ...] = ()  # the input's columns the query names, as they come up
    is_table: bool = True

    @property
    def window(self) -> WindowInfo | None:
        if self.spec is None:
            return None
        size = None if self.spec.kind is ast.WindowKind.SESSION else self.spec.size.ms
        return WindowInfo(self.spec.kind, size, self.emit_final)


@dataclass(frozen=True, slots=True)
class SuppressStep:
    """EMIT FINAL: only the last value of each window, once it is closed."""

    input: AggregateStep
    grace_ms: int
    schema: Schema
    is_table: bool = True

    @property
    def window(self) -> WindowInfo | None:
        return self.input.window


@dataclass(frozen=True, slots=True)
class JoinStep:
    """A join of two inputs on their keys; the value is left key + left value + right key + right value.

    ``within`` is set for stream-stream joins. ``foreign_key`` names the left expression of a foreign-key join, where
    the key stays the left's.
    """

    left: Step
    right: Step
    type: JoinType
    schema: Schema
    within: ast.Within | None = None
    foreign_key: Expression | None = None

    @property
    def is_table(self) -> bool:
        return self.left.is_table and self.right.is_table

    @property
    def window(self) -> WindowInfo | None:
        return self.left.window


@dataclass(frozen=True, slots=True)
class SinkStep:
    """Writes to a topic; ``timestamp`` is the column of the result that gives the record time."""

    input: Step
    topic: str
    source: Source
    timestamp: TimestampColumn | None

    @property
    def schema(self) -> Schema:
        return self.input.schema

    @property
    def is_table(self) -> bool:
        return self.input.is_table

    @property
    def window(self) -> WindowInfo | None:
        return self.input.window


@dataclass(frozen=True, slots=True)
class QueryPlan:
    """A whole query: its last step, what it reads in the order it is fed, and the pieces a description shows."""

    output: Step
    sources: tuple[Source, ...]
    columns: Schema  # of the result, in select order
    window: WindowInfo | None
    functions: Registry = field(compare=False, repr=False)
    limit: int | None = None
    key_columns: frozenset[str] = field(default=frozenset())


Step = (
    SourceStep | FilterStep | SelectStep | RekeyStep | FlatMapStep | AggregateStep | SuppressStep | JoinStep | SinkStep
)


def source_steps(step: Step) -> list[SourceStep]:
    """The sources under a step, left to right."""
    match step:
        case SourceStep():
            return [step]
        case JoinStep():
            return source_steps(step.left) + source_steps(step.right)
        case _:
            return source_steps(step.input)


def source_step(source: Source, alias: str, extra: tuple[str, ...]) -> SourceStep:
    """A source with the pseudo columns a query uses behind its own columns."""
    values = [Column(c.name, c.type) for c in source.schema if c.namespace is not Namespace.KEY]
    values += [Column(name, (PSEUDO_COLUMNS | WINDOW_BOUNDS)[name]) for name in extra]
    return SourceStep(source, alias, extra, Schema((*source.schema.key, *values)))
