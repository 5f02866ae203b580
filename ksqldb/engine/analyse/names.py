"""The names of a query: its sources, whose column a reference means, and the alias of every select item."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ksqldb.engine import ast
from ksqldb.engine.analyse.catalog import Catalog
from ksqldb.engine.analyse.ddl import did_you_mean, location, resolve_type
from ksqldb.engine.analyse.rewrite import rewrite, walk
from ksqldb.engine.ast import Expression
from ksqldb.engine.errors import KsqlError
from ksqldb.engine.metastore import PSEUDO_COLUMNS, WINDOW_BOUNDS, Source
from ksqldb.engine.parse import format_expression

_SYNTHETIC = re.compile(r"ROWKEY(_\d+)?")


class PreparationError(KsqlError):
    """Found while names were looked up; ksqlDB prefixes the message with the stage."""


@dataclass(frozen=True, slots=True)
class AliasedSource:
    alias: str
    source: Source

    def has(self, column: str) -> bool:
        if column in PSEUDO_COLUMNS:
            return True
        if column in WINDOW_BOUNDS:
            return self.source.window is not None
        return self.source.schema.find(column) is not None


def prefixed(alias: str, column: str) -> str:
    """The name a source's column has behind a join."""
    return f"{alias}_{column}"


def query_sources(query: ast.Query, catalog: Catalog) -> list[AliasedSource]:
    """The sources of a query in FROM order; PreparationError for an unknown one."""
    found: list[AliasedSource] = []
    tables = [query.source.first, *(join.right for join in query.source.joins)]
    for table in tables:
        source = catalog.metastore.source(table.name)
        if source is None:
            raise PreparationError(f"{table.name} does not exist.{did_you_mean(table.name, catalog)}")
        found.append(AliasedSource(table.alias, source))
    return found


def known_types(expr: Expression, catalog: Catalog) -> Expression:
    """The expression with the custom types of its casts looked up."""

    def plugin(node: Expression) -> Expression | None:
        if not isinstance(node, ast.Cast) or node.type.known is not None:
            return None
        found = resolve_type(node.type, catalog)
        return replace(node, operand=rewrite(node.operand, plugin), type=ast.TypeRef(str(found), found))

    return rewrite(expr, plugin)


def check_self_joins(sources: Sequence[AliasedSource]) -> None:
    """KsqlError for a source that comes twice."""
    names = [aliased.source.name for aliased in sources]
    for index, name in enumerate(names):
        if name in names[:index]:
            if len(names) > 2:
                raise KsqlError(
                    f"N-way joins do not support multiple occurrences of the same source. Source: '{name}'."
                )
            raise KsqlError(f"Can not join '{name}' to '{name}': self joins are not yet supported.")


class _AliasSequence:
    """NAME, NAME_1, NAME_2 ... (or NAME0, NAME1 ... where always numbered), leaving out what the sources use."""

    def __init__(self, taken: Iterable[str], prefix: str, always_numbered: bool) -> None:
        self.prefix, self.always = prefix, always_numbered
        self.taken = set(taken)
        self.next_index = 0

    def next(self) -> str:
        while True:
            index = self.next_index
            self.next_index += 1
            suffix = f"{index}" if self.always else f"_{index}" * (index > 0)
            name = self.prefix + suffix
            if name not in self.taken:
                return name


class AliasGenerator:
    """Names for select items and keys that are expressions: KSQL_COL_n, or the field for a struct's field."""

    def __init__(self, taken: Iterable[str]) -> None:
        self.taken = set(taken)
        self.numbered = _AliasSequence(self.taken, "KSQL_COL_", True)
        self.fields: dict[str, _AliasSequence] = {}

    def alias(self, expr: Expression) -> str:
        if isinstance(expr, ast.Dereference):
            sequence = self.fields.setdefault(expr.field_name, _AliasSequence(self.taken, expr.field_name, False))
            return sequence.next()
        return self.numbered.next()


def synthetic_key(taken: Iterable[str]) -> str:
    return _AliasSequence(taken, "ROWKEY", False).next()


def may_be_synthetic_key(name: str) -> bool:
    return _SYNTHETIC.fullmatch(name) is not None


class Names:
    """Resolves the references of one query, and the custom types its casts name."""

    def __init__(self, sources: list[AliasedSource], catalog: Catalog) -> None:
        self.sources, self.catalog = sources, catalog
        self.is_join = len(sources) > 1
        self.aliases = AliasGenerator(column.name for s in sources for column in s.source.schema)

    def by_alias(self, alias: str) -> AliasedSource | None:
        return next((s for s in self.sources if s.alias == alias), None)

    def having(self, column: str) -> list[AliasedSource]:
        return [s for s in self.sources if s.has(column)]

    def qualify(self, expr: Expression) -> Expression:
        """The expression with every column reference that has one owner qualified by its alias, and known types."""
        for node in walk(expr):
            if isinstance(node, ast.Lambda):
                if not self.catalog.flag("ksql.lambdas.enabled"):
                    raise PreparationError("Lambdas are not enabled at this time.")
                self._check_lambda(node, frozenset())

        def plugin(node: Expression) -> Expression | None:
            if not isinstance(node, ast.ColumnRef):
                return None
            if node.source is not None:
                if self.by_alias(node.source) is None:
                    raise UnknownQualifier(f"'{node.source}' is not a valid stream/table name or alias.")
                return node
            owners = self.having(node.name)
            if len(owners) > 1:
                options = " or ".join(sorted(f"{owner.alias}.{node.name}" for owner in owners))
                raise PreparationError(f"{location(node)}Column '{node.name}' is ambiguous. Could be {options}.")
            return replace(node, source=owners[0].alias) if owners else node

        return rewrite(known_types(expr, self.catalog), plugin)

    def _check_lambda(self, node: ast.Lambda, outer: frozenset[str]) -> None:
        for param in node.params:
            if any(s.source.schema.find(param) is not None for s in self.sources):
                raise PreparationError(f"Lambda function argument can't be a column name: {param}")
        if outer & set(node.params):
            raise PreparationError("Reusing lambda arguments in nested lambda is not allowed")
        for inner in walk(node.body):
            if isinstance(inner, ast.Lambda):
                self._check_lambda(inner, outer | set(node.params))

    def select_items(self, items: tuple[ast.SelectItem, ...]) -> Iterator[ast.SelectItem]:
        """Items with their expressions qualified and every single column aliased; stars are left."""
        for item in items:
            if isinstance(item, ast.AllColumns):
                if item.source is not None and self.by_alias(item.source) is None:
                    raise UnknownQualifier(f"'{item.source}' is not a valid stream/table name or alias.")
                yield item
                continue
            expr = self.qualify(item.expression)
            yield replace(item, expression=expr, alias=item.alias or self._alias(expr))

    def _alias(self, expr: Expression) -> str | None:
        if isinstance(expr, ast.DereferenceAll):
            return None
        if isinstance(expr, ast.ColumnRef):
            if expr.source is not None and len(self.having(expr.name)) > 1:
                return prefixed(expr.source, expr.name)
            return expr.name
        return self.aliases.alias(expr)

    def check(self, expr: Expression, clause: str, synthetic: bool, suffix: str = "") -> set[str]:
        """The aliases of the sources an expression uses; KsqlError for a column no source has."""
        used = set()
        for node in walk(expr):
            if not isinstance(node, ast.ColumnRef):
                continue
            owner = self.by_alias(node.source) if node.source is not None else None
            if owner is not None and owner.has(node.name):
                used.add(owner.alias)
                continue
            if node.source is None and synthetic and self.is_join and may_be_synthetic_key(node.name):
                continue
            if node.name in WINDOW_BOUNDS and clause in _WINDOWED_CLAUSES:
                continue
            shown = format_expression(node)
            tail = f" {suffix.format(shown)}" if suffix else ""
            raise KsqlError(f"{location(node)}{clause} column '{shown}' cannot be resolved.{tail}")
        return used

    def output_name(self, ref: ast.ColumnRef) -> str:
        """The name under which the planned steps know a qualified reference."""
        return prefixed(ref.source, ref.name) if self.is_join and ref.source is not None else ref.name


_WINDOWED_CLAUSES = frozenset({"SELECT", "GROUP BY", "HAVING", "WHERE"})


class UnknownQualifier(PreparationError):
    """A qualifier that names no source of the query; already found while the text is parsed."""


NameOf = Callable[[ast.ColumnRef], str]
