"""The select list: stars expanded, keys found in it, and what a persistent query's projection must hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ksqldb.engine import ast
from ksqldb.engine.ast import Expression
from ksqldb.engine.errors import KsqlError
from ksqldb.engine.metastore import WINDOW_BOUNDS, Column, Namespace, Schema
from ksqldb.engine.metastore.model import PSEUDO_COLUMNS
from ksqldb.engine.plan.scope import StepScope, type_of
from ksqldb.engine.types import quote


@dataclass(frozen=True, slots=True)
class Selected:
    """A named output expression over the step it is selected from."""

    name: str
    expression: Expression


class Projection:
    """What a select list contains, as written: asked whether it includes a key."""

    def __init__(self, items: Sequence[ast.SelectItem]) -> None:
        stars = [i for i in items if isinstance(i, ast.AllColumns)]
        self.everything = any(s.source is None for s in stars)
        self.whole_sources = {s.source for s in stars if s.source is not None}
        self.singles = [i.expression for i in items if isinstance(i, ast.SingleColumn)]

    def contains(self, expr: Expression) -> bool:
        if self.everything:
            return True
        if isinstance(expr, ast.ColumnRef) and expr.source in self.whole_sources:
            return True
        return expr in self.singles


def joined(texts: Iterable[str], word: str) -> str:
    """``A``, ``A and B``, ``A, B and C``."""
    items = list(texts)
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {word} {items[-1]}"


def missing_keys(sink: str, kind: str, keys: Sequence[str], word: str, additional: str = "") -> KsqlError:
    """The error for a projection without its key(s); ``word`` "or" where one of them is enough. ``additional``: why a
    key that nobody named must be there."""
    link = "See https://cnfl.io/2LV7ouS." if additional else ""
    plural = "" if len(keys) == 1 else "s"
    example = keys[0] if word == "or" else ", ".join(keys)
    return KsqlError(
        f"Key missing from projection (ie, SELECT). {link}\n"
        f"The query used to build {quote(sink)} must include the {kind}{plural} {joined(keys, word)} in its "
        f"projection (eg, SELECT {example}...).{additional}"
    )


def star_columns(schema: Schema, windowed: bool) -> list[str]:
    """``*`` over one step: keys, window bounds, values; pseudo columns are left out."""
    keys = [c.name for c in schema.key]
    bounds = list(WINDOW_BOUNDS) if windowed else []
    hidden = {*keys, *PSEUDO_COLUMNS, *WINDOW_BOUNDS}
    return keys + bounds + [c.name for c in schema.value if c.name not in hidden]


def key_of(expr: Expression, schema: Schema) -> int | None:
    """Which key column an expression is, if it is one."""
    if isinstance(expr, ast.ColumnRef):
        for index, column in enumerate(schema.key):
            if column.name == expr.name:
                return index
    return None


def transient_columns(selected: Sequence[Selected], input_schema: Schema, scope: StepScope) -> tuple[Column, ...]:
    """The columns of a push query, in select order."""
    columns = tuple(
        Column(
            s.name,
            type_of(s.expression, scope),
            Namespace.VALUE if key_of(s.expression, input_schema) is None else Namespace.KEY,
        )
        for s in selected
    )
    check_duplicates([column for column in columns if column.namespace is Namespace.VALUE])
    return columns


def persistent_schema(
    selected: Sequence[Selected], input_schema: Schema, scope: StepScope
) -> tuple[Schema, tuple[Expression, ...]]:
    """The sink's schema and the expressions of its value columns.

    Keys keep the order of the step they come from, whatever the order they were selected in.
    """
    names: dict[int, list[str]] = {}
    values: list[Selected] = []
    for item in selected:
        index = key_of(item.expression, input_schema)
        if index is None:
            if not (isinstance(item.expression, ast.ColumnRef) and item.name in WINDOW_BOUNDS):
                values.append(item)
        else:
            names.setdefault(index, []).append(item.name)
    columns: list[Column] = []
    for index, key in enumerate(input_schema.key):
        aliases = names.get(index, [])
        if len(set(aliases)) < len(aliases):
            raise KsqlError(f"Duplicate key columns found in schema: {Column(aliases[0], key.type, Namespace.KEY)}")
        if len(aliases) > 1:
            raise KsqlError(
                f"The projection contains a key column ({quote(key.name)}) more than once, aliased as: "
                f"{joined(sorted(aliases), 'and')}.\nEach key column must only be in the projection once. If you "
                "intended to copy the key into the value, then consider using the `AS_VALUE` function to indicate "
                "which key reference should be copied."
            )
        if aliases:
            columns.append(Column(aliases[0], key.type, Namespace.KEY))
    value_columns = [Column(s.name, type_of(s.expression, scope)) for s in values]
    check_duplicates(value_columns)
    if not value_columns:
        raise KsqlError("The projection contains no value columns.")
    clash = [c.name for c in columns if any(v.name == c.name for v in value_columns)]
    if clash:
        raise clash_error(clash)
    return Schema((*columns, *value_columns)), tuple(s.expression for s in values)


def check_duplicates(columns: Sequence[Column]) -> None:
    seen: set[str] = set()
    for column in columns:
        if column.name in seen:
            raise KsqlError(f"Duplicate value columns found in schema: {column}")
        seen.add(column.name)


def clash_error(names: Sequence[str]) -> KsqlError:
    listed = ", ".join(quote(n) for n in names)
    return KsqlError(
        f"Value column name(s) {listed} clashes with key column name(s). Please remove or alias the column(s)."
    )
