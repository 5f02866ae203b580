"""The topics a real ksqlDB makes for a query's repartitions and state, by name."""

from __future__ import annotations

from ksqldb.engine.ast import JoinType
from ksqldb.engine.plan.query import PersistentQuery, group_of
from ksqldb.engine.plan.steps import AggregateStep, JoinStep, RekeyStep, SourceStep, Step

# Kafka Streams numbers the nodes of a topology; a stream-stream join's stores come after those of its sides.
_FIRST_STORE, _NODES_OF_REPARTITION = 8, 4


def internal_topics(query: PersistentQuery, service_id: str = "default_") -> list[str]:
    prefix = f"{group_of(query.id, service_id)}-"
    return [prefix + suffix for suffix in _suffixes(query.plan.output)]


def _suffixes(step: Step, side: str = "") -> list[str]:
    """``side``: which side of a join the step is."""
    match step:
        case SourceStep():
            return [f"{f'KafkaTopic_{side}' if side else 'KsqlTopic'}-Reduce-changelog"] if step.is_table else []
        case JoinStep():
            return [*_of_join(step), *_suffixes(step.left, "Left"), *_suffixes(step.right, "Right")]
        case AggregateStep():
            own = ["Aggregate-GroupBy-repartition"] if step.rekeys or _rekeyed(step.input) else []
            return [*own, "Aggregate-Aggregate-Materialize-changelog", *_suffixes(step.input, side)]
        case _:
            return _suffixes(step.input, side)


def _of_join(step: JoinStep) -> list[str]:
    """Sides are repartitioned for a new key, or to have the key in the other side's format."""
    if step.foreign_key is not None:
        return []
    left, right = _key_format(step.left), _key_format(step.right)
    chosen = left or right
    moved = [
        (name, side)
        for name, side, found in (("left", step.left, left), ("right", step.right, right))
        if found is None or found != chosen
    ]
    own: list[str] = []
    for name, side in moved:
        if side.is_table:
            source = f"{name.capitalize()}SourceKeyed"
            own += [f"{source}-SelectKey-repartition", f"{source}-Materialize-changelog"]
        else:
            own.append("Join-repartition" if step.right.is_table else f"Join-{name}-repartition")
    if not step.left.is_table and not step.right.is_table:
        number = _FIRST_STORE + _NODES_OF_REPARTITION * len(moved)
        this, other = _STORES[step.type]
        own.append(f"KSTREAM-{this}THIS-{number:010d}-store-changelog")
        own.append(f"KSTREAM-{other}OTHER-{number + 1:010d}-store-changelog")
    return own


_STORES = {
    JoinType.INNER: ("JOIN", "JOIN"),
    JoinType.LEFT: ("JOIN", "OUTER"),
    JoinType.RIGHT: ("OUTER", "JOIN"),
    JoinType.FULL: ("OUTER", "OUTER"),
}


def _key_format(step: Step) -> str | None:
    """The format in which a join's side has its key; None where a new key was chosen since the last topic."""
    match step:
        case SourceStep():
            return step.source.key_format.name
        case RekeyStep():
            return None
        case AggregateStep():
            return step.key_format.name
        case JoinStep():
            return _key_format(step.left) or _key_format(step.right)
        case _:
            return _key_format(step.input)


def _rekeyed(step: Step) -> bool:
    """Whether a new key was chosen since the last topic."""
    match step:
        case RekeyStep():
            return True
        case SourceStep() | AggregateStep() | JoinStep():
            return False
        case _:
            return _rekeyed(step.input)
