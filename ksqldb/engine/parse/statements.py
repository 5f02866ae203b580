"""Every statement of the language but queries."""

from __future__ import annotations

from collections.abc import Callable

from ksqldb.engine import ast
from ksqldb.engine.parse.cursor import Cursor, NotInGrammar
from ksqldb.engine.parse.elements import columns_of_source, table_elements
from ksqldb.engine.parse.expressions import duration, integer, literal, require_sources, value_list
from ksqldb.engine.parse.lexer import EOF, IDENTIFIER, IDENTIFIER_KINDS, TEXT, VARIABLE, string_value
from ksqldb.engine.parse.queries import query, source_name
from ksqldb.engine.parse.typeref import type_ref


def statement(c: Cursor) -> ast.Statement:
    """One statement without its semicolon."""
    read = _STATEMENTS.get(c.kind)
    if read is None:
        raise NotInGrammar
    result = read(c)
    require_sources(c)
    return result


def test_statement(c: Cursor) -> ast.Statement:
    """A statement of a test script: the ASSERT family and RUN SCRIPT beside the ordinary ones."""
    at = c.position()
    if c.accept("RUN", "SCRIPT"):
        return ast.RunScript(string_value(c.expect(TEXT)), at=at)
    if c.kind == "ASSERT" and c.peek() in ("VALUES", "NULL", "STREAM", "TABLE"):
        return _test_assertion(c, at)
    return statement(c)


def properties(c: Cursor, *, keep_case: bool = False) -> ast.Properties:
    """``(name = literal, ...)``. Names of properties have no case, but for those of connectors (``keep_case``)."""
    c.expect("(")
    entries: list[tuple[str, ast.Expression]] = []
    while True:
        name = string_value(c.advance()) if c.kind == TEXT else c.identifier()
        c.expect("=")
        entries.append((name if keep_case else name.upper(), literal(c)))
        if not c.accept(","):
            break
    c.expect(")")
    return tuple(entries)


def _with(c: Cursor) -> ast.Properties:
    return properties(c) if c.accept("WITH") else ()


def _query(c: Cursor) -> ast.Statement:
    return query(c)


def _create(c: Cursor) -> ast.Statement:
    at = c.position()
    c.expect("CREATE")
    if c.kind == "TYPE":
        return _create_type(c, at)
    if c.kind in ("SINK", "SOURCE") and c.peek() == "CONNECTOR":
        return _create_connector(c, at)
    or_replace = c.accept("OR", "REPLACE")
    is_source = c.accept("SOURCE")
    kind = ast.SourceKind(c.expect_one_of(frozenset({"STREAM", "TABLE"})).kind)
    if_not_exists = c.accept("IF", "NOT", "EXISTS")
    name = source_name(c)
    columns = table_elements(c) if c.kind == "(" else None
    options = _with(c)
    if columns is None and not is_source and c.accept("AS"):
        body = query(c, persistent=True)
        if body.limit is not None:
            c.refuse(f"CREATE {kind.value} AS SELECT statements don't support LIMIT clause.")
        return ast.CreateAsSelect(kind, name, body, options, or_replace, if_not_exists, at=at)
    checked = columns_of_source(c, kind, columns or ())
    return ast.CreateSource(kind, name, checked, options, or_replace, if_not_exists, is_source, at=at)


def _create_type(c: Cursor, at: ast.Position) -> ast.Statement:
    c.expect("TYPE")
    if_not_exists = c.accept("IF", "NOT", "EXISTS")
    name = c.identifier()
    c.expect("AS")
    return ast.CreateType(name, type_ref(c), if_not_exists, at=at)


def _create_connector(c: Cursor, at: ast.Position) -> ast.Statement:
    kind = c.advance().kind
    c.expect("CONNECTOR")
    if_not_exists = c.accept("IF", "NOT", "EXISTS")
    name = c.identifier()
    c.expect("WITH")
    return ast.CreateConnector(kind, name, properties(c, keep_case=True), if_not_exists, at=at)


def _insert(c: Cursor) -> ast.Statement:
    at = c.position()
    c.expect("INSERT", "INTO")
    target = source_name(c)
    if c.kind in ("SELECT", "WITH"):
        options = _with(c)
        return ast.InsertInto(target, query(c, persistent=True), options, at=at)
    columns = _columns(c)
    c.expect("VALUES")
    return ast.InsertValues(target, columns, value_list(c), at=at)


def _columns(c: Cursor) -> tuple[str, ...]:
    names: list[str] = []
    if c.accept("("):
        names.append(c.identifier())
        while c.accept(","):
            names.append(c.identifier())
        c.expect(")")
    return tuple(names)


def _drop(c: Cursor) -> ast.Statement:
    at = c.position()
    c.expect("DROP")
    what = c.expect_one_of(frozenset({"STREAM", "TABLE", "CONNECTOR", "TYPE"})).kind
    if_exists = c.accept("IF", "EXISTS")
    if what == "CONNECTOR":
        return ast.DropConnector(c.identifier(), if_exists, at=at)
    if what == "TYPE":
        return ast.DropType(c.identifier(), if_exists, at=at)
    name = source_name(c)
    return ast.DropSource(ast.SourceKind(what), name, if_exists, c.accept("DELETE", "TOPIC"), at=at)


def _query_action(c: Cursor) -> ast.Statement:
    at = c.position()
    action = c.advance().kind
    return ast.QueryAction(action, None if c.accept("ALL") else c.identifier(), at=at)


def _show(c: Cursor) -> ast.Statement:
    at = c.position()
    c.advance()
    if c.accept("CONNECTOR", "PLUGINS"):
        return ast.Show(ast.Listing.CONNECTOR_PLUGINS, at=at)
    all_topics = c.kind == "ALL" and c.peek() == "TOPICS" and c.accept("ALL")
    kind = None
    if c.kind in ("SOURCE", "SINK") and c.peek() == "CONNECTORS":
        kind = c.advance().kind
    what = c.expect_one_of(frozenset(item.value for item in ast.Listing if " " not in item.value)).kind
    extended = what in ("TOPICS", "STREAMS", "TABLES", "QUERIES") and c.accept("EXTENDED")
    return ast.Show(ast.Listing(what), extended, all_topics, kind, at=at)


def _describe(c: Cursor) -> ast.Statement:
    at = c.position()
    c.expect("DESCRIBE")
    if c.kind == "FUNCTION" and c.peek() in IDENTIFIER_KINDS:
        c.advance()
        return ast.Describe("FUNCTION", c.expect_one_of(IDENTIFIER_KINDS).text, at=at)
    if c.accept("CONNECTOR"):
        return ast.Describe("CONNECTOR", c.identifier(), at=at)
    if c.accept("STREAMS"):
        return ast.Describe("STREAMS", extended=c.accept("EXTENDED"), at=at)
    if c.accept("TABLES"):
        return ast.Describe("TABLES", extended=c.accept("EXTENDED"), at=at)
    name = source_name(c)
    return ast.Describe("SOURCE", name, c.accept("EXTENDED"), at=at)


def _explain(c: Cursor) -> ast.Statement:
    at = c.position()
    c.expect("EXPLAIN")
    if c.kind in IDENTIFIER_KINDS and c.peek() in (";", EOF):
        return ast.Explain(c.identifier(), at=at)
    with c:
        return ast.Explain(statement=statement(c), at=at)


def _resource_name(c: Cursor) -> str:
    return string_value(c.advance()) if c.kind == TEXT else c.identifier(keep_case=True)


def _print(c: Cursor) -> ast.Statement:
    at = c.position()
    c.expect("PRINT")
    topic = _resource_name(c)
    from_beginning = c.accept("FROM", "BEGINNING")
    interval = integer(c, "INTERVAL") if c.accept("INTERVAL") or c.accept("SAMPLE") else 1
    limit = integer(c, "LIMIT") if c.accept("LIMIT") else None
    return ast.PrintTopic(topic, from_beginning, interval, limit, at=at)


def _setting(c: Cursor) -> str:
    token = c.expect_one_of(frozenset({TEXT, VARIABLE}))
    return string_value(token) if token.kind == TEXT else token.text


def _set(c: Cursor) -> ast.Statement:
    at = c.position()
    c.expect("SET")
    name = _setting(c)
    c.expect("=")
    return ast.SetProperty(name, _setting(c), at=at)


def _unset(c: Cursor) -> ast.Statement:
    at = c.position()
    c.expect("UNSET")
    return ast.UnsetProperty(_setting(c), at=at)


def _define(c: Cursor) -> ast.Statement:
    at = c.position()
    c.expect("DEFINE")
    name = c.expect(IDENTIFIER).text
    c.expect("=")
    return ast.Define(name, string_value(c.expect(TEXT)), at=at)


def _undefine(c: Cursor) -> ast.Statement:
    at = c.position()
    c.expect("UNDEFINE")
    return ast.Undefine(c.expect(IDENTIFIER).text, at=at)


def _alter(c: Cursor) -> ast.Statement:
    at = c.position()
    c.expect("ALTER")
    if c.accept("SYSTEM"):
        name = string_value(c.expect(TEXT))
        c.expect("=")
        return ast.AlterSystem(name, string_value(c.expect(TEXT)), at=at)
    kind = ast.SourceKind(c.expect_one_of(frozenset({"STREAM", "TABLE"})).kind)
    name = source_name(c)
    columns = [_added_column(c)]
    while c.accept(","):
        columns.append(_added_column(c))
    return ast.AlterSource(kind, name, tuple(columns), at=at)


def _added_column(c: Cursor) -> ast.ColumnDef:
    c.expect("ADD")
    at = c.position()
    # COLUMN may be the word or the column's own name: it is the word when a name and a type follow.
    if c.kind == "COLUMN" and c.peek() in IDENTIFIER_KINDS and c.peek(2) not in (",", ";", EOF, "(", "<"):
        c.advance()
    return ast.ColumnDef(c.identifier(), type_ref(c), at=at)


def _assert(c: Cursor) -> ast.Statement:
    at = c.position()
    c.expect("ASSERT")
    exists = not c.accept("NOT", "EXISTS")
    if c.accept("TOPIC"):
        topic = _resource_name(c)
        options = _with(c)
        return ast.AssertTopic(topic, options, _timeout(c), exists, at=at)
    c.expect("SCHEMA")
    subject = _resource_name(c) if c.accept("SUBJECT") else None
    schema_id = None
    if c.accept("ID"):
        given = literal(c)
        if isinstance(given, ast.IntegerLiteral):
            schema_id = given.value
        else:
            c.refuse("ID must be an integer")
    return ast.AssertSchema(subject, schema_id, _timeout(c), exists, at=at)


def _timeout(c: Cursor) -> ast.Duration | None:
    return duration(c) if c.accept("TIMEOUT") else None


def _test_assertion(c: Cursor, at: ast.Position) -> ast.Statement:
    c.expect("ASSERT")
    if c.accept("VALUES"):
        target, columns = source_name(c), _columns(c)
        c.expect("VALUES")
        return ast.AssertValues(target, columns, value_list(c), at=at)
    if c.accept("NULL"):
        c.expect("VALUES")
        target, columns = source_name(c), _columns(c)
        c.expect("KEY")
        return ast.AssertValues(target, columns, value_list(c), tombstone=True, at=at)
    kind = ast.SourceKind(c.advance().kind)
    name = source_name(c)
    columns_given = table_elements(c) if c.kind == "(" else ()
    checked = columns_of_source(c, kind, columns_given)
    return ast.AssertSource(ast.CreateSource(kind, name, checked, _with(c), at=at), at=at)


_STATEMENTS: dict[str, Callable[[Cursor], ast.Statement]] = {
    "SELECT": _query,
    "CREATE": _create,
    "INSERT": _insert,
    "DROP": _drop,
    "TERMINATE": _query_action,
    "PAUSE": _query_action,
    "RESUME": _query_action,
    "SHOW": _show,
    "LIST": _show,
    "DESCRIBE": _describe,
    "EXPLAIN": _explain,
    "PRINT": _print,
    "SET": _set,
    "UNSET": _unset,
    "DEFINE": _define,
    "UNDEFINE": _undefine,
    "ALTER": _alter,
    "ASSERT": _assert,
}

STATEMENT_WORDS = frozenset(_STATEMENTS)
