"""Types as statements write them."""

from __future__ import annotations

from ksqldb.engine import types as t
from ksqldb.engine.ast import Position, TypeRef, TypeShape
from ksqldb.engine.parse.cursor import Cursor, NotInGrammar
from ksqldb.engine.parse.lexer import (
    BACKQUOTED_IDENTIFIER,
    DECIMAL_VALUE,
    FLOATING_POINT_VALUE,
    IDENTIFIER_KINDS,
    INTEGER_VALUE,
    QUOTED_IDENTIFIER,
    identifier_text,
)

BASE_TYPES = {
    "BOOLEAN": t.BOOLEAN,
    "INT": t.INTEGER,
    "INTEGER": t.INTEGER,
    "BIGINT": t.BIGINT,
    "DOUBLE": t.DOUBLE,
    "STRING": t.STRING,
    "VARCHAR": t.STRING,
    "BYTES": t.BYTES,
    "DATE": t.DATE,
    "TIME": t.TIME,
    "TIMESTAMP": t.TIMESTAMP,
}
NUMBER_KINDS = frozenset({INTEGER_VALUE, DECIMAL_VALUE, FLOATING_POINT_VALUE})


def type_ref(c: Cursor) -> TypeRef:
    """``ARRAY<T>``, ``T ARRAY``, ``MAP<K, V>``, ``STRUCT<name T, ...>``, ``DECIMAL(p, s)`` or a name."""
    at = c.position()
    with c:
        result = _prefix_type(c, at)
    while c.kind == "ARRAY":
        c.advance()
        result = array_of(result, at)
    return result


def array_of(element: TypeRef, at: Position | None = None) -> TypeRef:
    known = t.ArrayType(element.known) if element.known is not None else None
    return TypeRef(f"ARRAY<{element.text}>", known, None if known else TypeShape("ARRAY", (element,)), at=at)


def map_of(key: TypeRef, value: TypeRef, at: Position | None = None) -> TypeRef:
    known = t.MapType(key.known, value.known) if key.known is not None and value.known is not None else None
    shape = None if known else TypeShape("MAP", (key, value))
    return TypeRef(f"MAP<{key.text}, {value.text}>", known, shape, at=at)


def struct_of(names: tuple[str, ...], members: tuple[TypeRef, ...], at: Position | None = None) -> TypeRef:
    fields = [t.Field(name, m.known) for name, m in zip(names, members, strict=True) if m.known is not None]
    known = t.StructType(tuple(fields)) if len(fields) == len(members) else None
    text = "STRUCT<" + ", ".join(f"{t.quote(n)} {m.text}" for n, m in zip(names, members, strict=True)) + ">"
    return TypeRef(text, known, None if known else TypeShape("STRUCT", members, names), at=at)


def _known(kind: t.SqlType, at: Position) -> TypeRef:
    return TypeRef(str(kind), kind, at=at)


def _prefix_type(c: Cursor, at: Position) -> TypeRef:
    kind = c.kind
    if kind == "ARRAY" and c.peek() == "<":
        c.expect("ARRAY", "<")
        element = type_ref(c)
        c.expect(">")
        return array_of(element, at)
    if kind == "MAP" and c.peek() == "<":
        c.expect("MAP", "<")
        key = type_ref(c)
        c.expect(",")
        value = type_ref(c)
        c.expect(">")
        return map_of(key, value, at)
    if kind == "STRUCT" and c.peek() == "<":
        return _struct(c, at)
    if kind == "DECIMAL":
        c.expect("DECIMAL", "(")
        precision = _integer(c)
        c.expect(",")
        scale = _integer(c)
        c.expect(")")
        if precision is None or scale is None:
            c.refuse("Value must be integer for command: DECIMAL")
            return _known(t.DecimalType(1, 0), at)
        problem = decimal_problem(precision, scale)
        if problem:
            c.refuse(problem)
        return _known(t.DecimalType(precision, scale), at)
    return _named(c, at)


def decimal_problem(precision: int, scale: int) -> str | None:
    """Why DECIMAL(precision, scale) is not a type, or None."""
    text = f"DECIMAL({precision},{scale})"
    if precision < 1:
        return f"DECIMAL precision must be >= 1: {text}"
    if scale < 0:
        return f"DECIMAL scale must be >= 0: {text}"
    if precision < scale:
        return f"DECIMAL precision must be >= scale: {text}"
    return None


def _struct(c: Cursor, at: Position) -> TypeRef:
    c.expect("STRUCT", "<")
    names: list[str] = []
    members: list[TypeRef] = []
    if not c.accept(">"):
        while True:
            names.append(c.identifier())
            members.append(type_ref(c))
            if not c.accept(","):
                break
        c.expect(">")
    return struct_of(tuple(names), tuple(members), at)


def _named(c: Cursor, at: Position) -> TypeRef:
    token = c.expect_one_of(IDENTIFIER_KINDS)
    name = identifier_text(token)
    if c.kind == "(":
        c.advance()
        while True:
            if c.kind not in (INTEGER_VALUE, "STRING"):
                raise NotInGrammar
            c.advance()
            if not c.accept(","):
                break
        c.expect(")")
    known = None if token.kind in (QUOTED_IDENTIFIER, BACKQUOTED_IDENTIFIER) else BASE_TYPES.get(name)
    return _known(known, at) if known is not None else TypeRef(name, None, TypeShape(name), at=at)


def _integer(c: Cursor) -> int | None:
    """A number; None when it is not an integer."""
    sign = -1 if c.accept("-") else 1
    token = c.expect_one_of(NUMBER_KINDS)
    return sign * int(token.text) if token.kind == INTEGER_VALUE else None
