"""CREATE OR REPLACE: what may take the place of what."""

from __future__ import annotations

from ksqldb.engine.errors import KsqlError
from ksqldb.engine.metastore import Source
from ksqldb.engine.plan.query import PersistentQuery
from ksqldb.engine.plan.steps import (
    AggregateStep,
    FilterStep,
    FlatMapStep,
    JoinStep,
    RekeyStep,
    SelectStep,
    SinkStep,
    SourceStep,
    Step,
    SuppressStep,
)
from ksqldb.engine.types import quote


def check_replace_source(old: Source, new: Source) -> None:
    """Same kind, topic, key and formats; columns may only be added behind the old ones."""
    prefix = f"Cannot upgrade data source {quote(new.name)}: "
    if old.kind is not new.kind:
        raise KsqlError(f"{prefix}DataSources have different types: {old.kind.value} -> {new.kind.value}")
    if old.topic != new.topic:
        raise KsqlError(f"{prefix}DataSource's topics differ: {old.topic} -> {new.topic}")
    for what, before, after in (
        ("key formats", old.key_format, new.key_format),
        ("value formats", old.value_format, new.value_format),
        ("windows", old.window, new.window),
    ):
        if before != after:
            raise KsqlError(f"{prefix}DataSource's {what} differ")
    if old.schema.key != new.schema.key:
        raise KsqlError(f"{prefix}Key columns must be identical. {_schemas(old, new)}")
    if new.schema.value[: len(old.schema.value)] != old.schema.value:
        raise KsqlError(f"{prefix}The following columns are changed, missing or reordered: [{_changed(old, new)}]")


def _schemas(old: Source, new: Source) -> str:
    return f"Existing: [{', '.join(map(str, old.schema.key))}]; new: [{', '.join(map(str, new.schema.key))}]"


def _changed(old: Source, new: Source) -> str:
    after = list(new.schema.value)
    return ", ".join(
        str(column) for index, column in enumerate(old.schema.value) if index >= len(after) or after[index] != column
    )


def check_replace_query(old: PersistentQuery, new: PersistentQuery) -> None:
    """The new query must read the old one's state: only filters and projections before and behind it may change."""
    before, after = _skeleton(old.plan.output), _skeleton(new.plan.output)
    if before == after:
        return
    raise KsqlError(
        f"Cannot upgrade data source {quote(new.sink.name)}: Upgrades not yet supported for "
        f"{_difference(before, after)}"
    )


def _difference(before: list[object], after: list[object]) -> str:
    for old, new in zip(before, after, strict=False):
        if old != new:
            return str(new[0] if isinstance(new, tuple) else new)
    longer = before if len(before) > len(after) else after
    first = longer[min(len(before), len(after))]
    return str(first[0] if isinstance(first, tuple) else first)


def _skeleton(step: Step) -> list[object]:
    """The steps that keep state or place records, outermost first; WHERE and projections are left out."""
    match step:
        case SourceStep():
            return [("Source", step.source.name)]
        case JoinStep():
            made: object = ("Join", step.type, step.within, step.foreign_key)
            return [made, *_skeleton(step.left), *_skeleton(step.right)]
        case AggregateStep():
            state = tuple((a.name, args) for a, args in zip(step.aggregators, step.arguments, strict=True))
            return [("Aggregate", step.groups, state, step.spec, step.emit_final), *_skeleton(step.input)]
        case RekeyStep():
            return [("SelectKey", step.key), *_skeleton(step.input)]
        case FilterStep() if step.clause == "HAVING":
            return [("TableFilter", step.predicate), *_skeleton(step.input)]
        case SuppressStep() | FilterStep() | SelectStep() | FlatMapStep() | SinkStep():
            return _skeleton(step.input)
