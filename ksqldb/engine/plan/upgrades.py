"""CREATE OR REPLACE of a query: whether the new plan can go on from the state of the old one.

The server compares the two chains of its execution steps, from the sinks on. Filters and projections may come, go and
change; what keeps state or places records must be the same; steps it has no rule for it refuses. A step that may change
hands the comparison over to the other chain, so that the two swap roles: that is why a HAVING can be dropped but not
added.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from ksqldb.engine import ast
from ksqldb.engine.errors import KsqlError
from ksqldb.engine.metastore.model import ROWTIME
from ksqldb.engine.parse import format_expression
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

_REFUSED = "Query is not upgradeable. "


class _Rule(Enum):
    PASSIVE = "may change"
    ENFORCING = "must be the same"
    SOURCE = "must be found under what may change"
    NONE = "not supported"


@dataclass(frozen=True, slots=True)
class _Link:
    """A step as the server has it; ``facts`` are what must match, by name, as they are printed."""

    name: str
    rule: _Rule
    facts: tuple[tuple[str, str], ...] = ()
    sources: tuple[_Link, ...] = field(default=())

    @property
    def java(self) -> str:
        return f"class io.confluent.ksql.execution.plan.{self.name}"


def check_upgrade(old: Step, new: Step) -> None:
    """KsqlError, in the server's words, where the new query cannot take over."""
    _compare(_link(old), _link(new))


def _compare(this: _Link, other: _Link) -> None:
    match this.rule:
        case _Rule.PASSIVE:
            _compare(other, this.sources[0])
        case _Rule.NONE:
            raise _unsupported(this)
        case _Rule.SOURCE:
            _match(this, _source_under(this, other))
        case _Rule.ENFORCING:
            _match(this, other)
            _compare(this.sources[0], other.sources[0])


def _unsupported(link: _Link) -> KsqlError:
    return KsqlError(f"Upgrades not yet supported for {link.name}")


def _source_under(this: _Link, other: _Link) -> _Link:
    while other.name != this.name:
        if not other.sources:
            raise KsqlError(
                f"{_REFUSED}The root source node of the upgrade tree must be {this.name}, but was {other.java}"
            )
        if len(other.sources) > 1:
            raise KsqlError(f"{_REFUSED}Cannot change a non-join source into a join source.")
        if other.rule is _Rule.NONE:
            raise _unsupported(other)
        if other.rule is not _Rule.PASSIVE:
            raise KsqlError(f"{_REFUSED}Cannot add a {other.java} step that is not in the original query plan.")
        (other,) = other.sources
    return other


def _match(this: _Link, other: _Link) -> None:
    known = dict(other.facts)
    for name, value in (("class", this.java), *this.facts):
        found = other.java if name == "class" else known[name]
        if found != value:
            raise KsqlError(
                f"{_REFUSED}Plan step of type {this.name} must have matching {name}. Values differ: {value} vs. {found}"
            )


# ---------------------------------------------------------------------------------------------- steps of the server


def _link(step: Step) -> _Link:
    kind = "Table" if step.is_table else "Stream"
    match step:
        case SourceStep():
            return _source(step, kind)
        case JoinStep():
            return _Link(_join_name(step), _Rule.NONE, (), (_link(step.left), _link(step.right)))
        case AggregateStep():
            return _aggregate(step)
        case SinkStep():
            return _Link(f"{kind}Sink", _Rule.ENFORCING, (("topicName", step.topic),), (_link(step.input),))
        case SelectStep():
            return _Link(f"{kind}Select", _Rule.PASSIVE, (), (_link(step.input),))
        case FilterStep():
            return _Link(f"{kind}Filter", _Rule.PASSIVE, (), (_link(step.input),))
        case RekeyStep():
            return _Link(f"{kind}SelectKey", _Rule.ENFORCING, (("keyExpressions", _listed(step.key)),),
                         (_link(step.input),))  # fmt: skip
        case FlatMapStep():
            return _Link("StreamFlatMap", _Rule.NONE, (), (_link(step.input),))
        case SuppressStep():
            return _Link("TableSuppress", _Rule.NONE, (), (_link(step.input),))


def _source(step: SourceStep, kind: str) -> _Link:
    if step.window is not None:
        return _Link(f"Windowed{kind}Source", _Rule.NONE)
    timestamp = step.source.timestamp
    column = "Optional.empty" if timestamp is None else f"Optional[`{timestamp.name}`]"
    facts = (("topicName", step.source.topic), ("timestampColumn", column))
    return _Link(f"{kind}Source", _Rule.SOURCE, facts)


def _join_name(step: JoinStep) -> str:
    if step.foreign_key is not None:
        return "ForeignKeyTableTableJoin"
    sides = ("Table" if side.is_table else "Stream" for side in (step.left, step.right))
    return "".join(sides) + "Join"


def _aggregate(step: AggregateStep) -> _Link:
    """An aggregate, the grouping under it, and the projection that prepares its rows."""
    prepared = _Link("TableSelect" if step.input.is_table else "StreamSelect", _Rule.PASSIVE, (), (_link(step.input),))
    if step.input.is_table:
        return _Link("TableAggregate", _Rule.NONE, (), (prepared,))
    groups = (("groupByExpressions", _listed(step.groups)),)
    grouped = _Link("StreamGroupBy" if step.rekeys else "StreamGroupByKey", _Rule.ENFORCING,
                    groups if step.rekeys else (), (prepared,))  # fmt: skip
    if step.spec is not None:
        return _Link("StreamWindowedAggregate", _Rule.NONE, (), (grouped,))
    facts = (
        ("columns not part of aggregate", _names(step.required)),
        ("aggregate functions", _functions(step)),
    )
    return _Link("StreamAggregate", _Rule.ENFORCING, facts, (grouped,))


def _functions(step: AggregateStep) -> str:
    """Calls over the prepared rows, where arguments that are no columns have names of their own."""
    made: dict[ast.Expression, str] = {}

    def shown(expr: ast.Expression) -> str:
        if isinstance(expr, ast.ColumnRef):
            return expr.name
        return made.setdefault(expr, f"KSQL_INTERNAL_COL_{len(step.required) + len(made)}")

    texts = []
    for aggregator, arguments in zip(step.aggregators, step.arguments, strict=True):
        given = [shown(argument) for argument in arguments] or [ROWTIME]
        texts.append(f"{aggregator.name}({', '.join(given)})")
    return f"[{', '.join(texts)}]"


def _names(names: tuple[str, ...]) -> str:
    return f"[{', '.join(f'`{name}`' for name in names)}]"


def _listed(exprs: tuple[ast.Expression, ...]) -> str:
    return f"[{', '.join(map(format_expression, exprs))}]"
