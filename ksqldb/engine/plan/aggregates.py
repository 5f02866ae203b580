"""Plans GROUP BY: which calls aggregate, what may stand beside them, and the steps up to the projection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeGuard

from ksqldb.engine import ast
from ksqldb.engine.analyse.names import AliasGenerator
from ksqldb.engine.analyse.rewrite import calls, children, rewrite, walk
from ksqldb.engine.ast import Expression, Refinement
from ksqldb.engine.errors import KsqlError
from ksqldb.engine.functions.aggregator import Aggregator
from ksqldb.engine.functions.registry import Registry
from ksqldb.engine.metastore import WINDOW_BOUNDS, Column, Namespace, Schema
from ksqldb.engine.metastore.model import ROWTIME
from ksqldb.engine.parse import format_expression
from ksqldb.engine.plan.functions import aggregator
from ksqldb.engine.plan.projection import Selected, check_duplicates, clash_error, joined, missing_keys
from ksqldb.engine.plan.scope import StepScope, check_filter, scope_of, type_of
from ksqldb.engine.plan.steps import AggregateStep, FilterStep, QueryPlan, SelectStep, Step, SuppressStep
from ksqldb.engine.types import Base, quote

if TYPE_CHECKING:
    from ksqldb.engine.plan.planner import QueryPlanner


def _is_aggregate(node: Expression, functions: Registry) -> TypeGuard[ast.FunctionCall]:
    return isinstance(node, ast.FunctionCall) and functions.aggregate(node.name) is not None


def _with_default_argument(call: ast.FunctionCall) -> ast.FunctionCall:
    return call if call.args else ast.FunctionCall(call.name, (ast.ColumnRef(ROWTIME),), at=call.at)


class _Analyser:
    """Collects the aggregate calls of a query and checks what stands outside them."""

    def __init__(self, groups: Sequence[Expression], windowed: bool, functions: Registry) -> None:
        self.functions = functions
        self.groups = list(groups)
        self.windowed = windowed
        self.found: list[ast.FunctionCall] = []
        self.plain_selects: list[Expression] = []
        self.loose_columns: list[Expression] = []
        self.loose_having: list[Expression] = []

    def _is_group(self, expr: Expression) -> bool:
        if self.windowed and isinstance(expr, ast.ColumnRef) and expr.name in WINDOW_BOUNDS:
            return True
        return expr in self.groups

    def _loose(self, expr: Expression, inside: str | None, out: list[Expression]) -> bool:
        """Collect columns outside aggregates and grouping expressions; True where an aggregate was met."""
        if inside is None and self._is_group(expr):
            return False
        if isinstance(expr, ast.ColumnRef):
            if inside is not None:
                self._refuse_bounds(expr)
            elif not self._is_group(expr):
                out.append(expr)
            return False
        met = False
        if isinstance(expr, ast.FunctionCall):
            self.functions.find(expr.name)
        if isinstance(expr, ast.FunctionCall) and _is_aggregate(expr, self.functions):
            if inside is not None:
                raise KsqlError(f"Aggregate functions can not be nested: {inside}({expr.name}())")
            call = _with_default_argument(expr)
            if call not in self.found:
                self.found.append(call)
            inside, met = expr.name, True
        for child in children(expr):
            met = self._loose(child, inside, out) or met
        return met

    def _refuse_bounds(self, expr: Expression) -> None:
        if self.windowed and isinstance(expr, ast.ColumnRef) and expr.name in WINDOW_BOUNDS:
            raise KsqlError(
                f"Window bounds column {expr.name} can only be used in the SELECT clause of windowed aggregations "
                "and can not be passed to aggregate functions.\nSee https://github.com/confluentinc/ksql/issues/4397"
            )

    def _refuse_all_bounds(self, expr: Expression) -> None:
        self._refuse_bounds(expr)
        for child in children(expr):
            self._refuse_all_bounds(child)

    def select(self, expr: Expression) -> None:
        loose: list[Expression] = []
        if self._loose(expr, None, loose):
            self.loose_columns += loose
        elif loose:
            self.plain_selects.append(expr)

    def group(self, expr: Expression) -> None:
        for call in calls(expr):
            if _is_aggregate(call, self.functions):
                raise KsqlError(f"GROUP BY does not support aggregate functions: {call.name} is an aggregate function.")
        self._refuse_all_bounds(expr)

    def having(self, expr: Expression) -> None:
        self._refuse_all_bounds(expr)
        self._loose(expr, None, self.loose_having)

    def check(self) -> None:
        if not self.found:
            raise KsqlError("GROUP BY requires aggregate functions in either the SELECT or HAVING clause.")
        advice = "\nEither add the column(s) to the GROUP BY or remove them from the SELECT."
        for exprs, text in (
            (self.plain_selects, "Non-aggregate SELECT expression(s) not part of GROUP BY: "),
            (
                self.loose_columns,
                "Column used in aggregate SELECT expression(s) outside of aggregate functions not part of GROUP BY: ",
            ),
        ):
            if exprs:
                listed = ", ".join(dict.fromkeys(map(format_expression, exprs)))
                raise KsqlError(text + listed + advice)
        if self.loose_having:
            listed = ", ".join(dict.fromkeys(map(format_expression, self.loose_having)))
            raise KsqlError(
                f"Non-aggregate HAVING expression not part of GROUP BY: {listed}\n"
                "Consider switching the HAVING clause to a WHERE clause before the GROUP BY."
            )


def _variable(index: int) -> str:
    return f"KSQL_AGG_VARIABLE_{index}"


class _AfterAggregate:
    """Rewrites expressions over grouped rows into ones over the aggregate's row."""

    def __init__(
        self,
        groups: Sequence[Expression],
        keys: Sequence[str],
        found: Sequence[ast.FunctionCall],
        functions: Registry,
    ) -> None:
        self.functions = functions
        self.groups, self.keys, self.found = list(groups), list(keys), list(found)

    def __call__(self, expr: Expression) -> Expression:
        def plugin(node: Expression) -> Expression | None:
            if node in self.groups:
                return ast.ColumnRef(self.keys[self.groups.index(node)], at=node.at)
            if isinstance(node, ast.FunctionCall) and _is_aggregate(node, self.functions):
                return ast.ColumnRef(_variable(self.found.index(_with_default_argument(node))), at=node.at)
            return None

        return rewrite(expr, plugin)


def aggregate_steps(planner: QueryPlanner, step: Step) -> QueryPlan:
    """The plan of an aggregate query over a step."""
    query = planner.query
    functions = planner.catalog.functions
    scope = scope_of(step, functions)
    implicit = not planner.clauses.group_by
    groups = tuple(planner.plain(e) for e in planner.clauses.group_by) or (ast.IntegerLiteral(1),)
    selected = planner.expand(step)
    analyser = _Analyser(groups, query.window is not None, functions)
    having = None if planner.clauses.having is None else planner.plain(planner.clauses.having)
    for item in selected:
        analyser.select(item.expression)
    if planner.clauses.where is not None and query.window is not None:
        analyser._refuse_all_bounds(planner.plain(planner.clauses.where))
    for group in groups:
        analyser.group(group)
    if having is not None:
        analyser.having(having)
    analyser.check()
    if implicit and planner.sink is not None:
        call = format_expression(analyser.found[0])
        raise KsqlError(
            f"CREATE TABLE AS SELECT statement does not support aggregate function [{call}] without a GROUP BY clause."
        )
    names, key_schema = _key_columns(groups, selected, step, scope)
    aggregators = tuple(aggregator(call, scope, planner.catalog.properties) for call in analyser.found)
    if step.is_table:
        _check_undo(aggregators)
    _check_intermediate(planner, aggregators)
    results = [Column(_variable(i), a.return_type) for i, a in enumerate(aggregators)]
    aggregate = AggregateStep(
        step,
        groups,
        tuple(call.args[: a.inputs] for call, a in zip(analyser.found, aggregators, strict=True)),
        aggregators,
        query.window,
        Schema((*key_schema, *results)),
        planner.key_format(),
        _rekeys(groups, step),
        query.emit is Refinement.FINAL,
        _required(planner, selected, groups, having),
    )
    after = _AfterAggregate(groups, names, analyser.found, functions)
    output: Step = aggregate
    if query.emit is Refinement.FINAL and query.window is not None:
        grace = query.window.grace
        output = SuppressStep(aggregate, 0 if grace is None else grace.ms, aggregate.schema)
    if having is not None:
        _check_having(having, after, scope_of(output, functions), analyser.found)
        output = FilterStep(output, after(having), "HAVING")
    final = [Selected(s.name, after(s.expression)) for s in selected]
    out_scope = scope_of(output, functions)
    if planner.sink is None:
        return planner.transient_plan(output, final, out_scope)
    schema, items = _persistent(planner, groups, names, selected, final, output, out_scope)
    return planner.persistent_plan(SelectStep(output, items, schema), schema)


def _required(
    planner: QueryPlanner, selected: Sequence[Selected], groups: Sequence[Expression], having: Expression | None
) -> tuple[str, ...]:
    """The columns of the rows that are grouped, in the order in which the query names them."""
    where = None if planner.clauses.where is None else planner.plain(planner.clauses.where)
    exprs = [*(item.expression for item in selected), where, *groups, having]
    named: list[str] = []
    for node in (node for expr in exprs if expr is not None for node in walk(expr)):
        if isinstance(node, ast.ColumnRef):
            named.append(node.name)
        elif _is_aggregate(node, planner.catalog.functions) and not node.args:
            named.append(ROWTIME)
    return tuple(name for name in dict.fromkeys(named) if name not in WINDOW_BOUNDS)


def _rekeys(groups: Sequence[Expression], step: Step) -> bool:
    if step.window is not None or step.is_table:
        return True
    return [g.name if isinstance(g, ast.ColumnRef) else None for g in groups] != [c.name for c in step.schema.key]


def _key_columns(
    groups: Sequence[Expression], selected: Sequence[Selected], step: Step, scope: StepScope
) -> tuple[list[str], list[Column]]:
    """The aggregate's key columns: named by the select item that is the grouping expression, where there is one."""
    generator = AliasGenerator(c.name for c in step.schema)
    columns: list[Column] = []
    for group in groups:
        aliases = [s.name for s in selected if s.expression == group]
        if len(aliases) > 1:
            raise KsqlError(
                f"The projection contains a key column more than once: {joined(map(quote, aliases), 'and')}.\n"
                "Each key column must only be in the projection once. If you intended to copy the key into the value, "
                "then consider using the `AS_VALUE` function to indicate which key reference should be copied."
            )
        plain = group.name if isinstance(group, ast.ColumnRef) else None
        name = aliases[0] if aliases else plain or generator.alias(group)
        columns.append(Column(name, type_of(group, scope), Namespace.KEY))
    return [c.name for c in columns], columns


def _persistent(
    planner: QueryPlanner,
    groups: Sequence[Expression],
    names: Sequence[str],
    selected: Sequence[Selected],
    final: Sequence[Selected],
    output: Step,
    scope: StepScope,
) -> tuple[Schema, tuple[Expression, ...]]:
    assert planner.sink is not None
    missing = [g for g in groups if not any(s.expression == g for s in selected)]
    values = [(item, s) for item, s in zip(final, selected, strict=True) if s.expression not in groups]
    columns = [Column(item.name, type_of(item.expression, scope)) for item, _ in values]
    check_duplicates(columns)
    if not columns:
        raise KsqlError("The projection contains no value columns.")
    if missing:
        raise missing_keys(planner.sink, "grouping expression", [format_expression(g) for g in missing], "and")
    clash = [c for c in columns if c.name in names]
    if clash:
        if any(s.name == c.name for c in clash for s in selected if s.expression in groups):
            raise KsqlError(f"Duplicate value columns found in schema: {clash[0]}")
        raise clash_error([c.name for c in clash])
    return Schema((*output.schema.key, *columns)), tuple(item.expression for item, _ in values)


def _check_undo(aggregators: Sequence[Aggregator]) -> None:
    names = list(dict.fromkeys(a.name for a in aggregators if a.undo is None))
    if names:
        noun = "function" if len(names) == 1 else "functions"
        raise KsqlError(
            f"The aggregation {noun} {joined(names, 'and')} cannot be applied to a table source, only to a stream "
            "source."
        )


def _check_intermediate(planner: QueryPlanner, aggregators: Sequence[Aggregator]) -> None:
    """State travels in the value format of the source: DELIMITED and KAFKA hold no structured types."""
    if planner.from_.source.value_format.name not in ("DELIMITED", "KAFKA"):
        return
    if any(a.state_type.base in (Base.ARRAY, Base.MAP, Base.STRUCT) for a in aggregators):
        raise KsqlError(
            "One of the functions used in the statement has an intermediate type that the value format can not "
            "handle. Please remove the function or change the format."
        )


def _check_having(
    having: Expression, after: _AfterAggregate, scope: StepScope, found: Sequence[ast.FunctionCall]
) -> None:
    """As a filter over the aggregate's row, with the calls named in the error as they were written."""
    try:
        check_filter(after(having), scope, "HAVING", format_expression(having))
    except KsqlError as error:
        text = str(error)
        for index, call in reversed(list(enumerate(found))):
            text = text.replace(_variable(index), format_expression(call))
        raise KsqlError(text) from error
