"""Plans the joins of a query: each source keyed by its side of the criterion, then joined left to right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ksqldb.engine import ast
from ksqldb.engine.analyse.catalog import Catalog
from ksqldb.engine.analyse.joins import JOIN_TEXT, Join
from ksqldb.engine.analyse.names import AliasedSource, Names, prefixed, synthetic_key
from ksqldb.engine.analyse.rewrite import unqualify
from ksqldb.engine.analyse.serdes import check_no_map
from ksqldb.engine.ast import Expression, JoinType
from ksqldb.engine.errors import KsqlError
from ksqldb.engine.functions.registry import Registry
from ksqldb.engine.metastore import WINDOW_BOUNDS, Column, FormatInfo, Namespace, Schema
from ksqldb.engine.parse import format_expression
from ksqldb.engine.plan.projection import Projection, missing_keys
from ksqldb.engine.plan.scope import scope_of, type_of
from ksqldb.engine.plan.steps import JoinStep, RekeyStep, SelectStep, SourceStep, Step, source_step
from ksqldb.engine.types import SqlType, quote


@dataclass(frozen=True, slots=True)
class JoinPlan:
    """``viable``: the columns that hold the key (empty: a synthetic one does). ``foreign``: the key is the left
    table's own."""

    step: JoinStep
    viable: tuple[ast.ColumnRef, ...]
    foreign: AliasedSource | None
    sources: tuple[AliasedSource, ...]

    @property
    def synthetic(self) -> bool:
        return not self.viable and self.foreign is None

    def star(self, alias: str | None) -> list[str]:
        names = []
        if alias is None and self.synthetic:
            names.append(self.step.schema.key[0].name)
        for s in self.sources:
            if alias is not None and s.alias != alias:
                continue
            schema = s.source.schema
            bounds = list(WINDOW_BOUNDS) if s.source.window is not None else []
            rest = [c.name for c in schema if c.namespace is not Namespace.KEY]
            names += [prefixed(s.alias, n) for n in ([c.name for c in schema.key] + bounds + rest)]
        return names

    def check_key_present(self, sink: str, projection: Projection) -> None:
        if self.foreign is not None:
            self._check_foreign_keys(self.foreign, projection)
            return
        key = self.step.schema.key[0].name
        if self.synthetic:
            if not projection.contains(ast.ColumnRef(key)):
                raise missing_keys(
                    sink,
                    "join expression",
                    [key],
                    "or",
                    f"\n{key} was added as a synthetic key column because the join criteria did not match any source "
                    "column. This expression must be included in the projection and may be aliased.",
                )
        elif not any(projection.contains(ref) for ref in self.viable):
            texts = [format_expression(ref) for ref in self.viable]
            raise missing_keys(sink, "join expression", texts, "or")

    @staticmethod
    def _check_foreign_keys(left: AliasedSource, projection: Projection) -> None:
        missing = [c for c in left.source.schema.key if not projection.contains(ast.ColumnRef(c.name, left.alias))]
        if missing:
            noun = "column" if len(missing) == 1 else "columns"
            listed = ", ".join(quote(c.name) for c in missing)
            raise KsqlError(
                f"Primary key {noun} missing in projection. For foreign-key table-table joins, the projection must "
                f"include all primary key columns from the left input table ({quote(left.source.name)}). "
                f"Missing {noun}: {listed}."
            )


@dataclass(frozen=True, slots=True)
class _Tree:
    """What was joined so far: ``equivalent`` are the expressions the current key equals."""

    step: Step
    sources: tuple[AliasedSource, ...]
    equivalent: tuple[Expression, ...]


def plan_joins(
    joins: list[Join],
    names: Names,
    catalog: Catalog,
    projection: Projection,
    extra_of: Callable[[str], tuple[str, ...]],
) -> JoinPlan:
    def source(s: AliasedSource) -> SourceStep:
        return source_step(s.source, s.alias, extra_of(s.alias))

    first = joins[0].left
    tree = _Tree(source(first), (first,), ())
    plan: JoinPlan | None = None
    for index, join in enumerate(joins):
        last = index == len(joins) - 1
        plan = _plan_one(tree, join, source(join.right), names, catalog, projection if last else None)
        viable: tuple[Expression, ...] = plan.viable
        if plan.foreign is not None:
            viable = tuple(ast.ColumnRef(c.name, first.alias) for c in first.source.schema.key)
        tree = _Tree(plan.step, (*tree.sources, join.right), _equivalents(tree, join, viable, plan.foreign is not None))
    assert plan is not None
    return plan


def _equivalents(tree: _Tree, join: Join, viable: tuple[Expression, ...], foreign: bool) -> tuple[Expression, ...]:
    if join.type is JoinType.FULL:
        return ()
    if foreign:
        return viable
    earlier = tree.equivalent if join.left_expr in tree.equivalent else ()
    return tuple(dict.fromkeys([*earlier, *viable, join.left_expr, join.right_expr]))


def _plan_one(
    tree: _Tree,
    join: Join,
    right_source: SourceStep,
    names: Names,
    catalog: Catalog,
    projection: Projection | None,
) -> JoinPlan:
    left_source = tree.step
    functions = catalog.functions
    foreign = _verify(join, tree, right_source, functions)
    sources = (*tree.sources, join.right)
    key_format = _key_format(sources, catalog)
    if foreign is not None:
        left = _all_columns(left_source, join.left.alias)
        right = _all_columns(right_source, join.right.alias)
    else:
        left = (
            _keyed(left_source, join.left, join.left_expr, key_format, functions)
            if isinstance(left_source, SourceStep)
            else _rekeyed_join(left_source, join.left_expr, tree, names, key_format, functions)
        )
        right = _keyed(right_source, join.right, join.right_expr, key_format, functions)
        if left.window != right.window:
            raise _windowed_repartition()
        _check_key_types(left, right)
        _check_partitions(tree, join, catalog)
    _check_within(join, left, right)
    value = left.schema.value + right.schema.value
    if foreign is not None:
        keys = tuple(Column(prefixed(join.left.alias, c.name), c.type, Namespace.KEY) for c in left_source.schema.key)
        expr = unqualify(foreign, lambda ref: prefixed(join.left.alias, ref.name))
        step = JoinStep(left, right, join.type, Schema((*keys, *value)), None, expr)
        return JoinPlan(step, (), join.left, sources)
    viable = _viable(tree, join)
    key_name = _key_name(viable, sources, projection)
    key = Column(key_name, left.schema.key[0].type, Namespace.KEY)
    check_no_map(key)
    kept = value
    step = JoinStep(left, right, join.type, Schema((key, *kept)), join.within)
    return JoinPlan(step, viable, None, sources)


def _key_format(sources: tuple[AliasedSource, ...], catalog: Catalog) -> FormatInfo:
    for s in sources:
        if s.source.key_format.name != "NONE":
            return s.source.key_format
    return FormatInfo(catalog.property("ksql.persistence.default.format.key") or "KAFKA")


def _viable(tree: _Tree, join: Join) -> tuple[ast.ColumnRef, ...]:
    if join.type is JoinType.FULL:
        return ()
    earlier = tree.equivalent if join.left_expr in tree.equivalent else ()
    found = dict.fromkeys([*earlier, join.left_expr, join.right_expr])
    return tuple(e for e in found if isinstance(e, ast.ColumnRef))


def _key_name(
    viable: tuple[ast.ColumnRef, ...], sources: tuple[AliasedSource, ...], projection: Projection | None
) -> str:
    if not viable:
        return synthetic_key(c.name for s in sources for c in s.source.schema)
    chosen = viable[0]
    if projection is not None:
        chosen = next((ref for ref in viable if projection.contains(ref)), chosen)
    assert chosen.source is not None
    return prefixed(chosen.source, chosen.name)


def _side_schema(step: SourceStep, alias: str) -> tuple[Column, ...]:
    """A source's columns as a join's value holds them: its values, then its keys."""
    return tuple(Column(prefixed(alias, c.name), c.type) for c in (*step.schema.value, *step.schema.key))


def _all_columns(step: Step, alias: str) -> Step:
    assert isinstance(step, SourceStep)
    items = tuple(ast.ColumnRef(c.name) for c in (*step.schema.value, *step.schema.key))
    return SelectStep(step, items, Schema((*step.schema.key, *_side_schema(step, alias))))


def _keyed(
    step: SourceStep, source: AliasedSource, expr: Expression, key_format: FormatInfo, functions: Registry
) -> Step:
    plain = unqualify(expr, lambda ref: ref.name)
    keys = [c.name for c in step.schema.key]
    if isinstance(plain, ast.ColumnRef) and keys == [plain.name]:
        return _all_columns(step, source.alias)
    _check_repartition(step)
    key = Column("KEY", type_of(plain, scope_of(step, functions)), Namespace.KEY)
    items = tuple(ast.ColumnRef(c.name) for c in (*step.schema.value, *step.schema.key))
    return RekeyStep(step, (plain,), items, Schema((key, *_side_schema(step, source.alias))), key_format)


def _rekeyed_join(
    step: Step, expr: Expression, tree: _Tree, names: Names, key_format: FormatInfo, functions: Registry
) -> Step:
    if expr in tree.equivalent:
        return step
    _check_repartition(step)
    plain = unqualify(expr, names.output_name)
    key = Column("KEY", type_of(plain, scope_of(step, functions)), Namespace.KEY)
    items = tuple(ast.ColumnRef(c.name) for c in step.schema.value)
    return RekeyStep(step, (plain,), items, Schema((key, *step.schema.value)), key_format)


def _check_repartition(step: Step) -> None:
    if step.window is not None:
        raise _windowed_repartition()
    if step.is_table:
        raise KsqlError(
            "Cannot repartition a TABLE source. If this is a join, joins on non-key columns are not yet supported."
        )


def _windowed_repartition() -> KsqlError:
    return KsqlError(
        "Implicit repartitioning of windowed sources is not supported. "
        "See https://github.com/confluentinc/ksql/issues/4385."
    )


def _on_key(expr: Expression, source: AliasedSource) -> bool:
    keys = source.source.schema.key
    return isinstance(expr, ast.ColumnRef) and len(keys) == 1 and keys[0].name == expr.name


def _verify(join: Join, tree: _Tree, right: SourceStep, functions: Registry) -> Expression | None:
    """The left expression of a foreign-key join, None for the other kinds."""
    names = f"{join.left.source.name} {JOIN_TEXT[join.type]} {join.right.source.name}"
    if not tree.step.is_table:
        if right.is_table:
            if join.type is JoinType.FULL:
                raise KsqlError(f"Invalid join type: full-outer join not supported for stream-table join. Got {names}.")
            if not _on_key(join.right_expr, join.right):
                raise KsqlError(
                    "Invalid join condition: stream-table joins require to join on the table's primary key. "
                    f"Got {join.criterion}."
                )
            if join.type is JoinType.RIGHT:
                raise KsqlError(f"Invalid join type encountered: {JOIN_TEXT[join.type]}")
        return None
    if not right.is_table:
        raise KsqlError(
            f"Invalid join order: table-stream joins are not supported; only stream-table joins. Got {names}."
        )
    if not _on_key(join.right_expr, join.right):
        raise KsqlError(
            "Invalid join condition: table-table joins require to join on the primary key of the right input table. "
            f"Got {join.criterion}."
        )
    left_type: SqlType
    right_type = right.schema.key[0].type
    if _on_key(join.left_expr, join.left):
        left_type = join.left.source.schema.key[0].type
        _verify_types(join, left_type, right_type)
        return None
    if join.type is JoinType.FULL:
        raise KsqlError(
            f"Invalid join type: full-outer join not supported for foreign-key table-table join. Got {names}."
        )
    if not isinstance(tree.step, SourceStep):
        raise KsqlError(
            "Invalid join condition: foreign-key table-table joins are not supported as part of n-way joins. "
            f"Got {join.criterion}."
        )
    left_type = type_of(unqualify(join.left_expr, lambda ref: ref.name), scope_of(tree.step, functions))
    _verify_types(join, left_type, right_type)
    if right.window is not None:
        raise KsqlError("Foreign-key table-table joins are not supported on windowed tables.")
    if join.type is JoinType.RIGHT:
        raise KsqlError("RIGHT OUTER JOIN on a foreign key is not supported")
    return join.left_expr


def _verify_types(join: Join, left: SqlType, right: SqlType) -> None:
    if left == right:
        return
    first, second = join.written
    first_type, second_type = (right, left) if join.flipped else (left, right)
    raise KsqlError(
        f"Invalid join condition: types don't match. Got {format_expression(first)}{{{first_type}}} = "
        f"{format_expression(second)}{{{second_type}}}."
    )


def _check_key_types(left: Step, right: Step) -> None:
    if len(left.schema.key) != 1 or len(right.schema.key) != 1:
        raise KsqlError("JOINs are not supported with multiple key columns: " + str(list(map(str, left.schema.key))))
    if left.schema.key[0].type != right.schema.key[0].type:
        raise KsqlError(f"Invalid join. Key types differ: {left.schema.key[0].type} vs {right.schema.key[0].type}")


def _check_partitions(tree: _Tree, join: Join, catalog: Catalog) -> None:
    left = catalog.partitions(tree.sources[-1].source.topic)
    right = catalog.partitions(join.right.source.topic)
    if left != right:
        left_name, right_name = quote(tree.sources[0].alias), quote(join.right.alias)
        raise KsqlError(
            f"Can't join {left_name} with {right_name} since the number of partitions don't match. "
            f"{left_name} partitions = {left}; {right_name} partitions = {right}. "
            "Please repartition either one so that the number of partitions match."
        )


def _check_within(join: Join, left: Step, right: Step) -> None:
    if not left.is_table and not right.is_table:
        if join.within is None:
            raise KsqlError(
                "Stream-Stream joins must have a WITHIN clause specified. None was provided. To learn about how to "
                "specify a WITHIN clause with a stream-stream join, please visit: "
                "https://docs.confluent.io/current/ksql/docs/syntax-reference.html#create-stream-as-select"
            )
    elif join.within is not None:
        kind = "Table-Table" if left.is_table else "Stream-Table"
        raise KsqlError(
            f"A window definition was provided for a {kind} join. These joins are not windowed. Please drop the "
            "window definition (ie. the WITHIN clause) and try to execute your join again."
        )
