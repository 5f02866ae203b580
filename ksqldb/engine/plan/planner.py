"""Plans one query: the checks of its clauses in ksqlDB's order, then its steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ksqldb.engine import ast
from ksqldb.engine.analyse.catalog import Catalog
from ksqldb.engine.analyse.ddl import check_timestamp, location
from ksqldb.engine.analyse.joins import analyse_joins
from ksqldb.engine.analyse.names import AliasGenerator, Names, check_self_joins, query_sources
from ksqldb.engine.analyse.pseudo_timestamps import read_times
from ksqldb.engine.analyse.rewrite import calls, columns, rewrite, unqualify
from ksqldb.engine.ast import Expression
from ksqldb.engine.errors import KsqlError
from ksqldb.engine.metastore import (
    WINDOW_BOUNDS,
    Column,
    FormatInfo,
    Namespace,
    Schema,
    Source,
    TimestampColumn,
    is_system_column,
)
from ksqldb.engine.metastore.model import PSEUDO_COLUMNS, ROWOFFSET, ROWPARTITION
from ksqldb.engine.parse import format_expression
from ksqldb.engine.plan.aggregates import aggregate_steps
from ksqldb.engine.plan.flatmaps import flat_map, table_calls
from ksqldb.engine.plan.functions import fit_literal
from ksqldb.engine.plan.joins import JoinPlan, plan_joins
from ksqldb.engine.plan.projection import (
    Projection,
    Selected,
    key_of,
    missing_keys,
    persistent_schema,
    star_columns,
    transient_columns,
)
from ksqldb.engine.plan.scope import StepScope, check_filter, scope_of, type_of
from ksqldb.engine.plan.steps import (
    FilterStep,
    FlatMapStep,
    QueryPlan,
    RekeyStep,
    SelectStep,
    SourceStep,
    Step,
    source_step,
)
from ksqldb.engine.types import StructType

_KAFKA_VALUES = (
    "The KAFKA format is primarily intended for use as a key format. It can be used as a value format, but can not be "
    "used in any operation that requires a repartition or changelog topic."
)


@dataclass(frozen=True, slots=True)
class Clauses:
    """A query whose references are qualified and whose select items have aliases."""

    query: ast.Query
    select: tuple[ast.SelectItem, ...]
    where: Expression | None
    group_by: tuple[Expression, ...]
    partition_by: tuple[Expression, ...]
    having: Expression | None


def prepare(query: ast.Query, names: Names) -> Clauses:
    """Qualify and alias; PreparationError for ambiguous names."""
    where = None if query.where is None else names.qualify(read_times(query.where))
    group_by = tuple(names.qualify(e) for e in query.group_by)
    partition_by = tuple(names.qualify(e) for e in query.partition_by)
    having = None if query.having is None else names.qualify(query.having)
    select = tuple(names.select_items(query.select))
    for clause, exprs in (("GROUP BY", group_by), ("PARTITION BY", partition_by)):
        for index, expr in enumerate(exprs):
            if expr in exprs[:index]:
                raise KsqlError(f"Duplicate {clause} expression: {format_expression(expr)}")
    return Clauses(query, select, where, group_by, partition_by, having)


class QueryPlanner:
    """``sink``: the name of the source a persistent query writes, None for a push query. ``target``: the schema of an
    existing sink, to which literals are fitted."""

    def __init__(self, query: ast.Query, catalog: Catalog, sink: str | None, target: Schema | None = None) -> None:
        self.catalog = catalog
        self.sink = sink
        self.target = target
        self.query = query
        self.names = Names(query_sources(query, catalog), catalog)
        self.clauses = prepare(query, self.names)
        self.from_ = self.names.sources[0]
        self.join: JoinPlan | None = None
        self.timestamp: TimestampColumn | None = None  # of the sink

    # ------------------------------------------------------------------------------------------ the whole plan

    def plan(self) -> QueryPlan:
        check_self_joins(self.names.sources)
        joins = analyse_joins(self.query, self.names) if self.names.is_join else []
        self.check_clauses()
        if self.sink is not None and any(s.source.window and s.source.is_table for s in self.names.sources):
            raise KsqlError("KSQL does not support persistent queries on windowed tables.")
        step: Step
        if joins:
            self.join = plan_joins(joins, self.names, self.catalog, self._projection(), self._extra_for_join)
            step = self.join.step
        else:
            step = self._source_step()
        if self.clauses.where is not None:
            step = self._filter(step)
        if self.clauses.partition_by:
            step = self._partition_by(step)
        found = table_calls(self.clauses.select, bool(self.clauses.group_by), self.catalog.functions)
        if found:
            step = flat_map(step, [self.plain(call) for call in found], self.catalog.functions)
        if self.clauses.group_by or self._aggregates_without_group():
            plan = self._aggregate(step)
        else:
            plan = self._project(step)
        if self.query.emit is ast.Refinement.FINAL:
            self._check_final()
        return plan

    def _check_final(self) -> None:
        if not self.catalog.flag("ksql.suppress.enabled"):
            raise KsqlError(
                "Suppression is currently disabled. You can enable it by setting ksql.suppress.enabled to true"
            )
        if not (self.clauses.group_by and self.query.window):
            raise KsqlError("EMIT FINAL is only supported for windowed aggregations.")

    def _projection(self) -> Projection:
        return Projection(self.clauses.select)

    # ------------------------------------------------------------------------------------------ checks

    def check_clauses(self) -> None:
        self._check_select()
        self._check_references()
        self._check_kafka_values()

    def _check_select(self) -> None:
        for item in self.clauses.select:
            if not isinstance(item, ast.SingleColumn) or item.alias is None:
                continue
            if is_system_column(item.alias.upper()):
                name = item.alias.upper()
                text = format_expression(item.expression)
                if text.split(".", 1)[-1].upper() != name:
                    raise KsqlError(f"`{name}` is a reserved column name. You cannot use it as an alias for a column.")
                if self.sink is not None:
                    raise KsqlError(f"Reserved column name in select: `{name}`. Please remove or alias the column.")

    def _check_references(self) -> None:
        clauses = self.clauses
        synthetic = not clauses.group_by
        if clauses.where is not None:
            self.names.check(clauses.where, "WHERE", synthetic)
        for expr in clauses.group_by:
            self.names.check(expr, "GROUP BY", synthetic)
        for expr in clauses.partition_by:
            self.names.check(
                expr,
                "PARTITION BY",
                synthetic,
                "'{0}' must be a column in the source schema since PARTITION BY is applied on the input.",
            )
        if clauses.having is not None:
            self.names.check(clauses.having, "HAVING", synthetic)
        for item in clauses.select:
            if isinstance(item, ast.SingleColumn):
                self.names.check(item.expression, "SELECT", synthetic)

    def _check_kafka_values(self) -> None:
        kafka = [s.alias for s in self.names.sources if s.source.value_format.name == "KAFKA"]
        if not kafka:
            return
        for used, what in ((self.names.is_join, "JOIN"), (bool(self.clauses.group_by), "GROUP BY")):
            if used:
                raise KsqlError(
                    f"Source(s) {', '.join(kafka)} are using the 'KAFKA' value format. "
                    f"This format does not yet support {what}.\n{_KAFKA_VALUES}"
                )

    # ------------------------------------------------------------------------------------------ steps

    def _all_expressions(self) -> list[Expression]:
        clauses = self.clauses
        found = [*clauses.group_by, *clauses.partition_by]
        found += [e for e in (clauses.where, clauses.having) if e is not None]
        found += [i.expression for i in clauses.select if isinstance(i, ast.SingleColumn)]
        for join in self.query.source.joins:
            found.append(self.names.qualify(join.criteria))
        return found

    def _used(self, alias: str) -> set[str]:
        return {ref.name for expr in self._all_expressions() for ref in columns(expr) if ref.source in (alias, None)}

    def _source_step(self) -> SourceStep:
        source = self.from_.source
        used = self._used(self.from_.alias)
        extra = tuple(name for name in (ROWPARTITION, ROWOFFSET) if name in used)
        return source_step(source, self.from_.alias, extra)

    def _extra_for_join(self, alias: str) -> tuple[str, ...]:
        """The pseudo columns of a joined source that the query uses."""
        used = self._used(alias)
        stars = [i for i in self.clauses.select if isinstance(i, ast.AllColumns)]
        starred = any(s.source in (None, alias) for s in stars)
        source = next(s.source for s in self.names.sources if s.alias == alias)
        bounds = tuple(WINDOW_BOUNDS) if source.window is not None else ()
        if starred and self.clauses.partition_by:
            return (*PSEUDO_COLUMNS, *bounds)
        return tuple(n for n in PSEUDO_COLUMNS if n in used) + tuple(n for n in bounds if n in used or starred)

    def plain(self, expr: Expression) -> Expression:
        return unqualify(expr, self.names.output_name)

    def _filter(self, step: Step) -> Step:
        assert self.clauses.where is not None
        predicate = self.plain(self.clauses.where)
        check_filter(predicate, scope_of(step, self.catalog.functions), "WHERE", format_expression(predicate))
        return FilterStep(step, predicate, "WHERE")

    def _partition_by(self, step: Step) -> Step:
        exprs = tuple(self.plain(e) for e in self.clauses.partition_by)
        keyless = len(exprs) == 1 and isinstance(exprs[0], ast.NullLiteral)
        key_names = [c.name for c in step.schema.key]
        if [e.name if isinstance(e, ast.ColumnRef) else None for e in exprs] == key_names:
            return step
        if step.window is not None:
            raise KsqlError(
                "Implicit repartitioning of windowed sources is not supported. "
                "See https://github.com/confluentinc/ksql/issues/4385."
            )
        if step.is_table:
            raise KsqlError(
                "Cannot repartition a TABLE source. If this is a join, joins on non-key columns are not yet supported."
            )
        return self._rekey(step, () if keyless else exprs)

    def _rekey(self, step: Step, exprs: tuple[Expression, ...]) -> Step:
        """The former key columns become values, unless they are part of the new key."""
        scope = scope_of(step, self.catalog.functions)
        generator = AliasGenerator(c.name for c in step.schema)
        keys: list[Column] = []
        for expr in exprs:
            name = expr.name if isinstance(expr, ast.ColumnRef) else generator.alias(expr)
            keys.append(Column(name, type_of(expr, scope), Namespace.KEY))
        taken = {c.name for c in keys}
        kept = [c for c in step.schema.value if c.name not in taken]
        kept += [Column(c.name, c.type) for c in step.schema.key if c.name not in taken]
        unique = list({c.name: c for c in kept}.values())
        items = tuple(ast.ColumnRef(c.name) for c in unique)
        schema = Schema((*keys, *unique))
        return RekeyStep(step, exprs, items, schema, self.key_format())

    def _keys_as_selected(self, step: Step, selected: Sequence[Selected]) -> Step:
        """Under ``ksql.new.query.planner.enabled`` a plain stream's key is what was selected of it, in that order."""
        keys = [s.expression for s in selected if key_of(s.expression, step.schema) is not None]
        names = [key.name for key in keys if isinstance(key, ast.ColumnRef)]
        if names == [c.name for c in step.schema.key] or len(set(names)) < len(names):
            return step
        return self._rekey(step, tuple(keys))

    def key_format(self) -> FormatInfo:
        """The format in which keys are serialised to choose a partition."""
        info = self.from_.source.key_format
        if info.name == "NONE":
            return FormatInfo(self.catalog.property("ksql.persistence.default.format.key") or "KAFKA")
        return info

    # ------------------------------------------------------------------------------------------ results

    def _aggregates_without_group(self) -> bool:
        exprs = [item.expression for item in self.clauses.select if isinstance(item, ast.SingleColumn)]
        exprs += [self.clauses.having] if self.clauses.having is not None else []
        return any(self.catalog.functions.aggregate(call.name) is not None for expr in exprs for call in calls(expr))

    def expand(self, step: Step) -> list[Selected]:
        """The select list over a step: stars and struct stars expanded, references unqualified."""
        out: list[Selected] = []
        scope = scope_of(step, self.catalog.functions)
        for item in self.clauses.select:
            if isinstance(item, ast.AllColumns):
                out += [Selected(name, ast.ColumnRef(name)) for name in self._star(step, item.source)]
            elif isinstance(item.expression, ast.DereferenceAll):
                base = self.plain(item.expression.base)
                struct = type_of(base, scope)
                if not isinstance(struct, StructType):
                    raise KsqlError(
                        f"Cannot select fields of {format_expression(base)}: it is a {struct}, not a STRUCT"
                    )
                out += [Selected(f.name, ast.Dereference(base, f.name)) for f in struct.fields]
            else:
                assert item.alias is not None
                expr = self._resolved(step, item.expression)
                out.append(Selected(item.alias, self._fitted(expr, len(out))))
        return out

    def _resolved(self, step: Step, expr: Expression) -> Expression:
        """An item in terms of the step: table functions and partitioning expressions by the columns they became."""
        plain = self.plain(expr)
        if self.clauses.partition_by:
            for index, key in enumerate(self.clauses.partition_by):
                if self.plain(key) == plain and not isinstance(key, ast.NullLiteral):
                    return ast.ColumnRef(step.schema.key[index].name, at=plain.at)
        if isinstance(step, FlatMapStep) and self.sink is not None:  # 0.29 leaves them as they are in push queries
            made = step.calls

            def plugin(node: Expression) -> Expression | None:
                return ast.ColumnRef(f"KSQL_SYNTH_{made.index(node)}") if node in made else None

            plain = rewrite(plain, plugin)
        return plain

    def _fitted(self, expr: Expression, index: int) -> Expression:
        """A literal in the place of an existing sink's DECIMAL column takes that column's precision and scale."""
        if self.target is None or index >= len(self.target.columns):
            return expr
        return fit_literal(expr, self.target.columns[index].type)

    def _star(self, step: Step, source: str | None) -> list[str]:
        if self.join is not None and not self.clauses.partition_by:
            return self.join.star(source)
        names = star_columns(step.schema, step.window is not None)
        return [n for n in names if not n.startswith("KSQL_SYNTH_")] if isinstance(step, FlatMapStep) else names

    def _project(self, step: Step) -> QueryPlan:
        if self.query.window is not None:
            raise KsqlError(f"{location(self.query.window)}WINDOW clause requires a GROUP BY clause.")
        selected = self.expand(step)
        scope = scope_of(step, self.catalog.functions)
        if self.sink is None:
            return self.transient_plan(step, selected, scope)
        for item in selected:
            type_of(item.expression, scope)
        check_timestamp(self.timestamp, Schema(transient_columns(selected, step.schema, scope)))
        chooses = self.join is None and not self.clauses.partition_by and not step.is_table and step.window is None
        if chooses and self.catalog.flag("ksql.new.query.planner.enabled"):
            step = self._keys_as_selected(step, selected)
            scope = scope_of(step, self.catalog.functions)
        else:
            self._check_key_present(step)
        schema, items = persistent_schema(selected, step.schema, scope)
        return self.persistent_plan(SelectStep(step, items, schema), schema)

    def persistent_plan(self, output: Step, schema: Schema) -> QueryPlan:
        window = output.window
        return QueryPlan(output, self._sources(), schema, window, self.catalog.functions, self.query.limit)

    def transient_plan(self, step: Step, selected: Sequence[Selected], scope: StepScope) -> QueryPlan:
        out_columns = transient_columns(selected, step.schema, scope)
        items = tuple(s.expression for s in selected)
        schema = Schema((*step.schema.key, *(replace(c, namespace=Namespace.VALUE) for c in out_columns)))
        keys = frozenset(c.name for c in out_columns if c.namespace is Namespace.KEY)
        output = SelectStep(step, items, schema)
        return QueryPlan(
            output, self._sources(), Schema(out_columns), step.window, self.catalog.functions, self.query.limit, keys
        )

    def _sources(self) -> tuple[Source, ...]:
        return tuple(s.source for s in self.names.sources)

    def _check_key_present(self, step: Step) -> None:
        assert self.sink is not None
        projection = self._projection()
        partition_by = self.clauses.partition_by
        if partition_by:
            keyless = len(partition_by) == 1 and isinstance(partition_by[0], ast.NullLiteral)
            rewritten = [self.plain(e) for e in partition_by]
            if not keyless and not all(
                projection.contains(e) or projection.contains(p) for e, p in zip(partition_by, rewritten, strict=True)
            ):
                texts = [format_expression(e) for e in partition_by]
                raise missing_keys(self.sink, "partitioning expression", texts, "and")
        elif self.join is not None:
            self.join.check_key_present(self.sink, projection)
        else:
            keys = self.from_.source.schema.key
            if not all(projection.contains(ast.ColumnRef(c.name, self.from_.alias)) for c in keys):
                raise missing_keys(self.sink, "key column", [c.name for c in keys], "and")

    def _aggregate(self, step: Step) -> QueryPlan:
        return aggregate_steps(self, step)
