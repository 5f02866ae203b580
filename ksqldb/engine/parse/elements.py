"""The columns of CREATE STREAM and CREATE TABLE, and the rules they obey."""

from __future__ import annotations

from collections import Counter

from ksqldb.engine import ast
from ksqldb.engine.parse.cursor import Cursor, where
from ksqldb.engine.parse.lexer import TEXT, string_value
from ksqldb.engine.parse.typeref import type_ref
from ksqldb.engine.types import BYTES, STRING, ArrayType, Field, StructType, quote

HEADERS_TYPE = ArrayType(StructType((Field("KEY", STRING), Field("VALUE", BYTES))))


def table_elements(c: Cursor) -> tuple[ast.ColumnDef, ...]:
    """``(name type [KEY | PRIMARY KEY | HEADERS | HEADER('key')], ...)``."""
    c.expect("(")
    columns = [_element(c)]
    while c.accept(","):
        columns.append(_element(c))
    c.expect(")")
    return tuple(columns)


def _element(c: Cursor) -> ast.ColumnDef:
    at = c.position()
    name = c.identifier()
    written = type_ref(c)
    kind, header_key = ast.ColumnKind.VALUE, None
    if c.accept("PRIMARY"):
        c.expect("KEY")
        kind = ast.ColumnKind.PRIMARY_KEY
    elif c.accept("KEY"):
        kind = ast.ColumnKind.KEY
    elif c.accept("HEADERS"):
        kind = ast.ColumnKind.HEADERS
        if written.known is not None and written.known != HEADERS_TYPE:
            c.refuse(f"Invalid type for HEADERS column: expected {HEADERS_TYPE}, got {written.known}")
    elif c.accept("HEADER"):
        kind = ast.ColumnKind.HEADER
        c.expect("(")
        header_key = string_value(c.expect(TEXT))
        c.expect(")")
        if written.known is not None and written.known != BYTES:
            c.refuse(f"Invalid type for HEADER('{header_key}') column: expected BYTES, got {written.known}")
    return ast.ColumnDef(name, written, kind, header_key, at=at)


def columns_of_source(c: Cursor, kind: ast.SourceKind, columns: tuple[ast.ColumnDef, ...]) -> tuple[ast.ColumnDef, ...]:
    """The columns, after the rules that hold for every stream or table have been looked at."""
    keys = (ast.ColumnKind.KEY, ast.ColumnKind.PRIMARY_KEY)
    wrong, right = keys[::-1] if kind is ast.SourceKind.STREAM else keys
    for column in columns:
        if column.kind is wrong and column.at is not None:
            c.refuse(
                f"{where(column.at)}: Column {quote(column.name)} is a '{wrong.value}' column: "
                f"please use '{right.value}' for {kind.value.lower()}s.\n"
                "Tables have PRIMARY KEYs, which are unique and NON NULL.\n"
                "Streams have KEYs, which have no uniqueness or NON NULL constraints.",
                exact=True,
                statement=quote(column.name),
            )
    counted = Counter(column.name for column in columns)
    repeated = [quote(name) for name, count in counted.items() if count > 1]
    if repeated:
        c.refuse(f"Duplicate column names: {', '.join(repeated)}")
    return columns
