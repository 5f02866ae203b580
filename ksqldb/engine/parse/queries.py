"""``SELECT ... FROM ... [WINDOW] [WHERE] [GROUP BY] [PARTITION BY] [HAVING] [EMIT] [LIMIT]``."""

from __future__ import annotations

import re

from ksqldb.engine import ast
from ksqldb.engine.parse.cursor import Cursor, NotInGrammar, where
from ksqldb.engine.parse.expressions import (
    duration,
    expression,
    integer,
    primary,
    value_expression,
    value_list,
)
from ksqldb.engine.parse.lexer import EOF, IDENTIFIER, IDENTIFIER_KINDS

_SOURCE_NAME = re.compile(r"[a-zA-Z0-9_-]*")
_JOIN_STARTS = frozenset({"INNER", "LEFT", "RIGHT", "FULL", "JOIN"})


def source_name(c: Cursor) -> str:
    """The name of a stream or table; also bound by Kafka's rules for topic names."""
    at = c.position()
    name = c.identifier()
    if not _SOURCE_NAME.fullmatch(name):
        c.refuse(
            f"Illegal argument at {where(at)}. Source names may only contain alphanumeric values, '_' or '-'. "
            f"Got: '{name}'",
            exact=True,
            statement=name,
        )
    return name


def query(c: Cursor, *, persistent: bool = False) -> ast.Query:
    """A query. ``persistent``: inside CREATE ... AS or INSERT INTO, where EMIT CHANGES is the default."""
    at = c.position()
    c.expect("SELECT")
    select = [_select_item(c)]
    while c.accept(","):
        select.append(_select_item(c))
    c.expect("FROM")
    source = _relation(c)
    window = _window(c) if c.accept("WINDOW") else None
    condition = expression(c) if c.accept("WHERE") else None
    group_by = _grouping(c, "GROUP BY") if c.accept("GROUP", "BY") else ()
    partition_by = _grouping(c, "PARTITION BY") if c.accept("PARTITION", "BY") else ()
    having = expression(c) if c.accept("HAVING") else None
    emit = ast.Refinement.CHANGES if persistent else None
    if c.accept("EMIT"):
        emit = ast.Refinement(c.expect_one_of(frozenset({"CHANGES", "FINAL"})).kind)
    limit = integer(c, "LIMIT") if c.accept("LIMIT") else None
    return ast.Query(tuple(select), source, window, condition, group_by, partition_by, having, emit, limit, at=at)


def _select_item(c: Cursor) -> ast.SelectItem:
    at = c.position()
    if c.accept("*"):
        return ast.AllColumns(at=at)
    if c.kind in IDENTIFIER_KINDS and c.peek() == "." and c.peek(2) == "*":
        name = c.identifier()
        c.expect(".", "*")
        c.qualifiers.append(name)
        return ast.AllColumns(name, at=at)
    start, refusals, qualifiers = c.at, len(c.refusals), len(c.qualifiers)
    item = expression(c)
    if c.kind == "->":
        c.at = start
        del c.refusals[refusals:], c.qualifiers[qualifiers:]
        base = primary(c)
        c.expect("->", "*")
        return ast.SingleColumn(ast.DereferenceAll(base, at=at), at=at)
    alias = c.identifier() if c.accept("AS") or c.kind in IDENTIFIER_KINDS else None
    return ast.SingleColumn(item, alias, at=at)


def _relation(c: Cursor) -> ast.Relation:
    at = c.position()
    first = _aliased(c)
    joins: list[ast.JoinedSource] = []
    while c.kind in _JOIN_STARTS:
        joins.append(_join(c))
    return ast.Relation(first, tuple(joins), at=at)


def _aliased(c: Cursor) -> ast.AliasedTable:
    at = c.position()
    name = source_name(c)
    alias = name
    # EMIT, PARTITION, ... may be names, but here a clause starts when its second word follows.
    if c.accept("AS") or (c.kind in IDENTIFIER_KINDS and not _starts_clause(c)):
        alias = source_name(c)
    c.sources.update((name, alias))
    return ast.AliasedTable(name, alias, at=at)


def _starts_clause(c: Cursor) -> bool:
    following = c.peek()
    if c.kind == "EMIT":
        return following in ("CHANGES", "FINAL") and c.peek(2) in (";", "LIMIT", EOF)
    return c.kind == "PARTITION" and following == "BY"


def _join(c: Cursor) -> ast.JoinedSource:
    at = c.position()
    kind = ast.JoinType.INNER
    if c.kind != "JOIN" and not c.accept("INNER"):
        kind = {
            "LEFT": ast.JoinType.LEFT,
            "RIGHT": ast.JoinType.RIGHT,
            "FULL": ast.JoinType.FULL,
        }[c.advance().kind]
        c.accept("OUTER")
    c.expect("JOIN")
    right = _aliased(c)
    within = _within(c) if c.accept("WITHIN") else None
    c.expect("ON")
    return ast.JoinedSource(kind, right, expression(c), within, at=at)


def _within(c: Cursor) -> ast.Within:
    at = c.position()
    if c.accept("("):
        before = duration(c)
        c.expect(",")
        after = duration(c)
        c.expect(")")
    else:
        before = after = duration(c)
    grace = duration(c) if c.accept("GRACE", "PERIOD") else None
    return ast.Within(before, after, grace, at=at)


def _window(c: Cursor) -> ast.Window:
    if c.kind == IDENTIFIER:
        c.advance()  # a window may be given a name, which nothing uses
    at = c.position()
    if c.kind not in ("TUMBLING", "HOPPING", "SESSION"):
        raise NotInGrammar
    kind = ast.WindowKind(c.advance().kind)
    c.expect("(")
    if kind is not ast.WindowKind.SESSION:
        c.expect("SIZE")
    size = duration(c)
    advance = None
    if kind is ast.WindowKind.HOPPING:
        c.expect(",", "ADVANCE", "BY")
        advance = duration(c)
    retention = duration(c) if c.accept(",", "RETENTION") else None
    grace = duration(c) if c.accept(",", "GRACE", "PERIOD") else None
    c.expect(")")
    return ast.Window(kind, size, advance, retention, grace, at=at)


def _grouping(c: Cursor, clause: str) -> tuple[ast.Expression, ...]:
    if c.kind == "(" and _is_list(c):
        listed = value_list(c)
        if not listed:
            c.refuse(f"{clause} requires at least one expression")
        return listed
    items = [value_expression(c)]
    while c.accept(","):
        items.append(value_expression(c))
    return tuple(items)


def _is_list(c: Cursor) -> bool:
    """Whether the parenthesis here holds a list: it is empty or has a comma of its own."""
    if c.peek() == ")":
        return True
    depth, ahead = 0, 0
    while (kind := c.peek(ahead)) != EOF:
        depth += (kind in "([") - (kind in ")]")
        if depth == 0:
            return False
        if kind == "," and depth == 1:
            return True
        ahead += 1
    return False
