"""Expressions: ``OR`` < ``AND`` < ``NOT`` < predicates < ``||`` < ``+ -`` < ``* / %`` < sign < postfix."""

from __future__ import annotations

import math
from decimal import Decimal

from ksqldb.engine import ast
from ksqldb.engine.parse.cursor import Cursor, where
from ksqldb.engine.parse.lexer import (
    DECIMAL_VALUE,
    IDENTIFIER_KINDS,
    INTEGER_VALUE,
    TEXT,
    VARIABLE,
    identifier_text,
    string_value,
)
from ksqldb.engine.parse.typeref import NUMBER_KINDS, type_ref

UNITS_MS = {
    "MILLISECOND": 1,
    "SECOND": 1_000,
    "MINUTE": 60_000,
    "HOUR": 3_600_000,
    "DAY": 86_400_000,
    "MILLISECONDS": 1,
    "SECONDS": 1_000,
    "MINUTES": 60_000,
    "HOURS": 3_600_000,
    "DAYS": 86_400_000,
}
_COMPARISONS = {
    "=": ast.ComparisonOp.EQUAL,
    "<>": ast.ComparisonOp.NOT_EQUAL,
    "<": ast.ComparisonOp.LESS,
    "<=": ast.ComparisonOp.LESS_EQUAL,
    ">": ast.ComparisonOp.GREATER,
    ">=": ast.ComparisonOp.GREATER_EQUAL,
}
_BINDING = {"||": 1, "+": 2, "-": 2, "*": 3, "/": 3, "%": 3}
_ARITHMETIC = {op.value: op for op in ast.ArithmeticOp}
_SIGN_BINDING = 4


def expression(c: Cursor) -> ast.Expression:
    """Any expression; also what a condition is."""
    with c:
        return _or(c)


def _or(c: Cursor) -> ast.Expression:
    left = _and(c)
    while c.kind == "OR":
        at = c.position()
        c.advance()
        left = ast.Logical(ast.LogicalOp.OR, left, _and(c), at=at)
    return left


def _and(c: Cursor) -> ast.Expression:
    left = _not(c)
    while c.kind == "AND":
        at = c.position()
        c.advance()
        left = ast.Logical(ast.LogicalOp.AND, left, _not(c), at=at)
    return left


def _not(c: Cursor) -> ast.Expression:
    at = c.position()
    if c.accept("NOT"):
        with c:
            return ast.Not(_not(c), at=at)
    return _predicated(c)


def _predicated(c: Cursor) -> ast.Expression:
    operand = value_expression(c)
    at = c.position()
    kind = c.kind
    if kind in _COMPARISONS:
        c.advance()
        return ast.Comparison(_COMPARISONS[kind], operand, value_expression(c), at=at)
    if kind == "IS":
        c.advance()
        negated = c.accept("NOT")
        if c.accept("NULL"):
            return ast.IsNull(operand, negated, at=at)
        c.expect("DISTINCT", "FROM")
        op = ast.ComparisonOp.IS_NOT_DISTINCT_FROM if negated else ast.ComparisonOp.IS_DISTINCT_FROM
        return ast.Comparison(op, operand, value_expression(c), at=at)
    negated = kind == "NOT" and c.peek() in ("BETWEEN", "IN", "LIKE")
    if negated:
        c.advance()
        kind = c.kind
    if kind == "BETWEEN":
        c.advance()
        low = value_expression(c)
        c.expect("AND")
        return ast.Between(operand, low, value_expression(c), negated, at=at)
    if kind == "IN":
        c.expect("IN", "(")
        items = _list(c)
        c.expect(")")
        return ast.InList(operand, items, negated, at=at)
    if kind == "LIKE":
        return _like(c, operand, negated, at)
    return operand


def _like(c: Cursor, operand: ast.Expression, negated: bool, at: ast.Position) -> ast.Expression:
    c.advance()
    pattern = value_expression(c)
    escape = None
    if c.kind == "ESCAPE":
        c.advance()
        place = c.position()
        escape = string_value(c.expect(TEXT))
        if len(escape) != 1:
            c.refuse(f"Optional[{where(place)}]: Expected single character escape but got: {escape}")
    return ast.Like(operand, pattern, escape, negated, at=at)


def _list(c: Cursor) -> tuple[ast.Expression, ...]:
    items = [expression(c)]
    while c.accept(","):
        items.append(expression(c))
    return tuple(items)


def value_expression(c: Cursor, binding: int = 1) -> ast.Expression:
    """Arithmetic and concatenation whose operators bind at least as tightly as ``binding``."""
    at = c.position()
    if c.kind in ("-", "+") and not (c.kind == "-" and c.peek() in NUMBER_KINDS):
        sign = ast.UnaryOp(c.advance().kind)
        with c:
            left: ast.Expression = ast.Unary(sign, value_expression(c, _SIGN_BINDING), at=at)
    else:
        left = primary(c)
    while True:
        kind = c.kind
        place = c.position()
        if kind == "AT":
            c.expect("AT", "TIME", "ZONE", TEXT)
            c.refuse("not yet implemented")
            continue
        tightness = _BINDING.get(kind, 0)
        if tightness < binding or tightness == 0:
            return left
        c.advance()
        right = value_expression(c, tightness + 1)
        if kind == "||":
            left = ast.FunctionCall("concat", (left, right), at=place)
        else:
            left = ast.Arithmetic(_ARITHMETIC[kind], left, right, at=place)


def primary(c: Cursor) -> ast.Expression:
    """A literal, a reference, a call, a constructor or a parenthesis, with its subscripts and ``->`` fields."""
    result = _atom(c)
    while True:
        at = result.at
        if c.kind == "[":
            c.advance()
            with c:
                index = value_expression(c)
            c.expect("]")
            result = ast.Subscript(result, index, at=at)
        elif c.kind == "->" and c.peek() != "*":
            c.advance()
            result = ast.Dereference(result, c.identifier(), at=at)
        else:
            return result


def _atom(c: Cursor) -> ast.Expression:
    at = c.position()
    kind = c.kind
    if kind == "(":
        c.advance()
        inner = expression(c)
        c.expect(")")
        return inner
    if kind == "CASE":
        return _case(c, at)
    if kind == "CAST":
        c.expect("CAST", "(")
        operand = expression(c)
        c.expect("AS")
        target = type_ref(c)
        c.expect(")")
        return ast.Cast(operand, target, at=at)
    if kind == "ARRAY" and c.peek() == "[":
        c.expect("ARRAY", "[")
        items = () if c.kind == "]" else _list(c)
        c.expect("]")
        return ast.CreateArray(items, at=at)
    if kind == "STRUCT" and c.peek() == "(" and (c.peek(2) == ")" or c.peek(3) == ":="):
        return _struct(c, at)
    if kind in IDENTIFIER_KINDS and (kind != VARIABLE or c.peek() in ("(", ".", TEXT)):
        return _named(c, at)
    return literal(c)


def literal(c: Cursor) -> ast.Literal:
    """NULL, a number with an optional minus, TRUE, FALSE or a string."""
    at = c.position()
    if c.kind in ("-", *NUMBER_KINDS):
        return number(c)
    token = c.expect_one_of(frozenset({"NULL", "TRUE", "FALSE", TEXT, VARIABLE}))
    if token.kind == "NULL":
        return ast.NullLiteral(at=at)
    if token.kind == TEXT:
        return ast.StringLiteral(string_value(token), at=at)
    if token.kind == VARIABLE:
        c.literal_variables.add(token.start)
        return ast.StringLiteral(token.text, at=at)
    return ast.BooleanLiteral(token.kind == "TRUE", at=at)


def number(c: Cursor) -> ast.IntegerLiteral | ast.DecimalLiteral | ast.DoubleLiteral:
    at = c.position()
    minus = "-" if c.accept("-") else ""
    token = c.expect_one_of(NUMBER_KINDS)
    text = minus + token.text
    if token.kind == INTEGER_VALUE:
        digits = token.text.lstrip("0")
        value = int(minus + digits) if 0 < len(digits) < 20 else 0
        if len(digits) > 19 or not -(2**63) <= value < 2**63:
            # one column too far to the right, as ksqlDB has it
            c.refuse(f"line {at.line}:{at.column + 1}: Invalid numeric literal: {text}")
        return ast.IntegerLiteral(value, at=at)
    if token.kind == DECIMAL_VALUE:
        return ast.DecimalLiteral(Decimal(text), at=at)
    if math.isinf(float(text)):
        c.refuse(f"line {at.line}:{at.column + 1}: Number overflows DOUBLE: {text}")
    return ast.DoubleLiteral(float(text), at=at)


def _case(c: Cursor, at: ast.Position) -> ast.Expression:
    c.expect("CASE")
    with c:
        operand = None if c.kind == "WHEN" else value_expression(c)
        whens: list[ast.When] = []
        while not whens or c.kind == "WHEN":
            place = c.position()
            c.expect("WHEN")
            condition = expression(c)
            c.expect("THEN")
            whens.append(ast.When(condition, expression(c), at=place))
        default = expression(c) if c.accept("ELSE") else None
    c.expect("END")
    if operand is None:
        return ast.SearchedCase(tuple(whens), default, at=at)
    return ast.SimpleCase(operand, tuple(whens), default, at=at)


def _struct(c: Cursor, at: ast.Position) -> ast.Expression:
    c.expect("STRUCT", "(")
    fields: list[tuple[str, ast.Expression]] = []
    if c.kind != ")":
        while True:
            name = c.identifier()
            c.expect(":=")
            fields.append((name, expression(c)))
            if not c.accept(","):
                break
    c.expect(")")
    return ast.CreateStruct(tuple(fields), at=at)


def _named(c: Cursor, at: ast.Position) -> ast.Expression:
    """What starts with a name: a call, a column, ``source.column`` or (never accepted) ``TYPE 'text'``."""
    token = c.advance()
    name = identifier_text(token)
    if c.kind == "(":
        return _map(c, at) if token.kind == "MAP" and c.peek() == ")" else _call(c, token.kind, name, at)
    if c.kind == TEXT:
        c.advance()
        c.refuse(f"Unknown type: {name}, location:Optional[{where(at)}]")
        return ast.NullLiteral(at=at)
    if c.kind == "." and c.peek() in IDENTIFIER_KINDS:
        c.advance()
        c.qualifiers.append(name)
        return ast.ColumnRef(c.identifier(), name, at=at)
    if name in c.lambda_names:
        return ast.LambdaVariable(name, at=at)
    return ast.ColumnRef(name, at=at)


def _map(c: Cursor, at: ast.Position) -> ast.Expression:
    c.expect("(", ")")
    return ast.CreateMap((), at=at)


def _call(c: Cursor, kind: str, name: str, at: ast.Position) -> ast.Expression:
    c.expect("(")
    if c.accept(")"):
        return ast.FunctionCall(name, (), at=at)
    if c.accept("*", ")"):
        return ast.FunctionCall(name, (), star=True, at=at)
    args = [_argument(c)]
    if kind == "MAP" and c.kind == ":=":
        return _map_entries(c, args[0], at)
    lambdas = False
    while c.accept(","):
        lambdas = lambdas or _is_lambda(c)
        args.append(_lambda(c) if lambdas else _argument(c))
    c.expect(")")
    return ast.FunctionCall(name, tuple(args), at=at)


def _argument(c: Cursor) -> ast.Expression:
    if c.kind in UNITS_MS and c.peek() in (",", ")") and c.kind not in IDENTIFIER_KINDS:
        at = c.position()
        return ast.IntervalUnit(c.advance().kind, at=at)
    return expression(c)


def _map_entries(c: Cursor, first_key: ast.Expression, at: ast.Position) -> ast.Expression:
    c.expect(":=")
    entries = [(first_key, expression(c))]
    while c.accept(","):
        key = expression(c)
        c.expect(":=")
        entries.append((key, expression(c)))
    c.expect(")")
    return ast.CreateMap(tuple(entries), at=at)


def _is_lambda(c: Cursor) -> bool:
    if c.kind in IDENTIFIER_KINDS:
        return c.peek() == "=>"
    if c.kind != "(":
        return False
    ahead = 1
    while c.peek(ahead) in IDENTIFIER_KINDS and c.peek(ahead + 1) == ",":
        ahead += 2
    return c.peek(ahead) in IDENTIFIER_KINDS and c.peek(ahead + 1) == ")" and c.peek(ahead + 2) == "=>"


def _lambda(c: Cursor) -> ast.Lambda:
    at = c.position()
    if c.accept("("):
        params = [c.identifier()]
        while c.accept(","):
            params.append(c.identifier())
        c.expect(")")
    else:
        params = [c.identifier()]
    c.expect("=>")
    known = len(c.lambda_names)
    c.lambda_names.extend(params)
    body = expression(c)
    del c.lambda_names[known:]
    return ast.Lambda(tuple(params), body, at=at)


def value_list(c: Cursor) -> tuple[ast.Expression, ...]:
    """``( [value (, value)*] )``."""
    c.expect("(")
    items: list[ast.Expression] = []
    if c.kind != ")":
        items.append(value_expression(c))
        while c.accept(","):
            items.append(value_expression(c))
    c.expect(")")
    return tuple(items)


def duration(c: Cursor) -> ast.Duration:
    """``10 SECONDS``."""
    at = c.position()
    value = number(c)
    unit = c.expect_one_of(frozenset(UNITS_MS)).kind
    if not isinstance(value, ast.IntegerLiteral):
        shown = format(value.value, "f") if isinstance(value, ast.DecimalLiteral) else repr(value.value)
        c.refuse(f'For input string: "{shown}"')
        return ast.Duration(0, unit, 0, at=at)
    return ast.Duration(value.value, unit, value.value * UNITS_MS[unit], at=at)


def integer(c: Cursor, clause: str) -> int:
    """The count of a LIMIT or INTERVAL."""
    value = number(c)
    if isinstance(value, ast.IntegerLiteral):
        return value.value
    c.refuse(f"Value must be integer for command: {clause}")
    return 0


def require_sources(c: Cursor) -> None:
    """Every ``source.`` in front of a column must be a source or alias of the statement."""
    for name in c.qualifiers:
        if name not in c.sources:
            c.refuse(f"'{name}' is not a valid stream/table name or alias.")
