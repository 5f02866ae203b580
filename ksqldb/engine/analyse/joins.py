"""The joins of a FROM clause: criteria checked, each new source on the right of what came before it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ksqldb.engine import ast
from ksqldb.engine.analyse.names import AliasedSource, Names
from ksqldb.engine.ast import ComparisonOp, Expression, JoinType, WindowKind
from ksqldb.engine.errors import KsqlError
from ksqldb.engine.parse import format_expression
from ksqldb.engine.types import quote

JOIN_TEXT = {
    JoinType.INNER: "[INNER] JOIN",
    JoinType.LEFT: "LEFT [OUTER] JOIN",
    JoinType.RIGHT: "RIGHT [OUTER] JOIN",
    JoinType.FULL: "[FULL] OUTER JOIN",
}


@dataclass(frozen=True, slots=True)
class Join:
    """One join: ``left`` is among the sources before it, ``right`` the new one. ``flipped``: the criterion was
    written the other way round."""

    left: AliasedSource
    left_expr: Expression
    right: AliasedSource
    right_expr: Expression
    type: JoinType
    within: ast.Within | None
    flipped: bool = False

    def flip(self) -> Join:
        return replace(
            self,
            left=self.right,
            left_expr=self.right_expr,
            right=self.left,
            right_expr=self.left_expr,
            flipped=not self.flipped,
        )

    @property
    def written(self) -> tuple[Expression, Expression]:
        """Both sides in the order they were written."""
        return (self.right_expr, self.left_expr) if self.flipped else (self.left_expr, self.right_expr)

    @property
    def criterion(self) -> str:
        first, second = self.written
        return f"{format_expression(first)} = {format_expression(second)}"


def analyse_joins(query: ast.Query, names: Names) -> list[Join]:
    joins: list[Join] = []
    known = [names.sources[0]]
    for clause, source in zip(query.source.joins, names.sources[1:], strict=True):
        join = _analyse(clause, source, known, names)
        left_known = join.left in known
        right_known = join.right in known
        if left_known and right_known:
            raise KsqlError(
                f"Cannot perform circular join - both {quote(join.right.alias)} and "
                f"{format_expression(join.left_expr)} are already included in the current join tree"
            )
        joins.append(join if left_known else join.flip())
        known.append(source)
    return joins


def _equality(expr: Expression) -> bool:
    return isinstance(expr, ast.Comparison) and expr.op is ComparisonOp.EQUAL


def _analyse(clause: ast.JoinedSource, source: AliasedSource, known: list[AliasedSource], names: Names) -> Join:
    criteria = names.qualify(clause.criteria)
    if not isinstance(criteria, ast.Comparison):
        text = format_expression(criteria)
        if isinstance(criteria, ast.Logical) and _equality(criteria.left) and _equality(criteria.right):
            raise KsqlError(f"Invalid join condition: joins on multiple conditions are not yet supported. Got {text}.")
        raise KsqlError(f"Unsupported join expression: {text}")
    if criteria.op is not ComparisonOp.EQUAL:
        raise KsqlError("Only equality join criteria is supported.")
    visible = Names([*known, source], names.catalog)
    used_left = visible.check(criteria.left, "JOIN ON", synthetic=False)
    used_right = visible.check(criteria.right, "JOIN ON", synthetic=False)
    left = _only_source(criteria.left, criteria, used_left, visible)
    right = _only_source(criteria.right, criteria, used_right, visible)
    if left == right:
        raise KsqlError(
            "Each side of the join must reference exactly one source and not the same source. Left side references "
            f"{quote(left.alias)} and right references {quote(right.alias)}"
        )
    _check_windowing(left, right)
    if source not in (left, right):
        raise KsqlError(
            f"A join criteria is expected to reference the source ({quote(source.alias)}) in the FROM clause, "
            f"instead the right source references {quote(right.alias)} and the left source references "
            f"{quote(left.alias)}"
        )
    return Join(left, criteria.left, right, criteria.right, clause.type, clause.within)


def _only_source(side: Expression, join: Expression, used: set[str], names: Names) -> AliasedSource:
    found = names.by_alias(next(iter(used))) if len(used) == 1 else None
    if found is None:
        raise KsqlError(
            f"Invalid comparison expression '{format_expression(side)}' in join '{format_expression(join)}'. "
            "Each side of the join comparision must contain references from exactly one source."
        )
    return found


def _check_windowing(left: AliasedSource, right: AliasedSource) -> None:
    left_window, right_window = left.source.window, right.source.window
    if (left_window is None) != (right_window is None):

        def describe(s: AliasedSource) -> str:
            kind = "not" if s.source.window is None else s.source.window.kind.value
            return f"{quote(s.alias)} is {kind} windowed"

        raise KsqlError(f"Can not join windowed source to non-windowed source.\n{describe(left)}\n{describe(right)}")
    if left_window is None or right_window is None:
        return
    if (left_window.kind is WindowKind.SESSION) != (right_window.kind is WindowKind.SESSION):
        raise KsqlError(
            f"Incompatible windowed sources.\nLeft source: {left_window.kind.value}\n"
            f"Right source: {right_window.kind.value}\n"
            "Session windowed sources can only be joined to other session windowed sources, and may still not "
            "result in expected behaviour as session bounds must be an exact match for the join to work\n"
            "Hopping and tumbling windowed sources can only be joined to other hopping and tumbling windowed sources"
        )
