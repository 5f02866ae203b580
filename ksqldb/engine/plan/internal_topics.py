"""The topics a real ksqlDB makes for a query's repartitions and state, by name."""

from __future__ import annotations

from ksqldb.engine.plan.query import PersistentQuery
from ksqldb.engine.plan.steps import AggregateStep, JoinStep, RekeyStep, SourceStep, Step


def internal_topics(query: PersistentQuery) -> list[str]:
    prefix = f"_confluent-ksql-default_query_{query.id}-"
    return [prefix + suffix for suffix in _suffixes(query.plan.output)]


def _suffixes(step: Step) -> list[str]:
    match step:
        case SourceStep():
            return ["KsqlTopic-Reduce-changelog"] if step.is_table else []
        case JoinStep():
            own = [
                f"{name}-repartition"
                for name, side in (("Join-left", step.left), ("Join-right", step.right))
                if _rekeyed(side)
            ]
            return [*own, *_suffixes(step.left), *_suffixes(step.right)]
        case AggregateStep():
            own = ["Aggregate-GroupBy-repartition"] if step.rekeys or _rekeyed(step.input) else []
            return [*own, "Aggregate-Aggregate-Materialize-changelog", *_suffixes(step.input)]
        case _:
            return _suffixes(step.input)


def _rekeyed(step: Step) -> bool:
    """Whether a new key was chosen since the last topic."""
    match step:
        case RekeyStep():
            return True
        case SourceStep() | AggregateStep() | JoinStep():
            return False
        case _:
            return _rekeyed(step.input)
