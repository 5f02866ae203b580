"""Statements as ksqlDB prints them (``statementText`` of its answers)."""

from __future__ import annotations

from collections.abc import Iterable

from ksqldb.engine import ast
from ksqldb.engine.parse.format_expressions import (
    duration_text,
    format_expression,
    name_text,
    needs_quotes,
    string_text,
    type_ref_text,
)


def format_statement(statement: ast.Statement) -> str:
    """A statement's text with its semicolon. WITH properties come in alphabetical order."""
    return _text(statement).rstrip() + ";"


def _expr(expr: ast.Expression) -> str:
    return format_expression(expr, quoted=True)


def _list(items: Iterable[ast.Expression]) -> str:
    return ", ".join(map(_expr, items))


def _text(statement: ast.Statement) -> str:
    match statement:
        case ast.Query():
            return format_query(statement)
        case ast.CreateSource():
            return _create("CREATE ", statement)
        case ast.CreateAsSelect():
            head = f"CREATE {'OR REPLACE ' if statement.or_replace else ''}{statement.kind.value} "
            exists = "IF NOT EXISTS " if statement.if_not_exists else ""
            return (
                f"{head}{exists}{name_text(statement.name)}{properties_text(statement.properties)} AS "
                f"{format_query(statement.query)}"
            )
        case ast.InsertInto(target=target, query=query, properties=properties):
            return f"INSERT INTO {name_text(target)}{properties_text(properties)} {format_query(query)}"
        case ast.InsertValues(target=target, columns=columns, values=values):
            return f"INSERT INTO {name_text(target)} {_columns(columns)}VALUES ({_list(values)})"
        case ast.DropSource(kind=kind, name=name, if_exists=if_exists, delete_topic=delete_topic):
            exists = "IF EXISTS " if if_exists else ""
            return f"DROP {kind.value} {exists}{name_text(name)}{' DELETE TOPIC' if delete_topic else ''}"
        case ast.CreateType(name=name, type=ref, if_not_exists=if_not_exists):
            exists = "IF NOT EXISTS " if if_not_exists else ""
            return f"CREATE TYPE {exists}{name_text(name)} AS {type_ref_text(ref)}"
        case ast.AlterSource(kind=kind, name=name, columns=added):
            options = ",\n".join(f"ADD COLUMN {name_text(c.name)} {type_ref_text(c.type)}" for c in added)
            return f"ALTER {kind.value} {name}\n{options}"
    return _other(statement)


def _other(statement: ast.Statement) -> str:
    match statement:
        case ast.QueryAction(action=action, query_id=query_id):
            return f"{action} {'ALL' if query_id is None else name_text(query_id)}"
        case ast.Show():
            return _show(statement)
        case ast.Describe(what="SOURCE", name=name, extended=extended):
            return f"DESCRIBE {name_text(name)}{' EXTENDED' if extended else ''}"
        case ast.Describe(what=what, name=name, extended=extended):
            return f"DESCRIBE {what} {name}".rstrip() + (" EXTENDED" if extended else "")
        case ast.Explain(query_id=query_id, statement=inner):
            return f"EXPLAIN \n{query_id if inner is None else _text(inner)}"
        case ast.PrintTopic():
            return _print(statement)
        case ast.SetProperty(name=name, value=value):
            return f"SET '{name}'='{value}'"
        case ast.UnsetProperty(name=name):
            return f"UNSET '{name}'"
        case ast.AlterSystem(name=name, value=value):
            return f"ALTER SYSTEM '{name}'='{value}'"
        case ast.Define(name=name, value=value):
            return f"DEFINE {name}='{value}'"
        case ast.Undefine(name=name):
            return f"UNDEFINE {name}"
        case ast.DropType(name=name, if_exists=if_exists):
            return f"DROP TYPE {'IF EXISTS ' if if_exists else ''}{name_text(name)}"
        case ast.CreateConnector(kind=kind, name=name, properties=properties, if_not_exists=if_not_exists):
            exists = "IF NOT EXISTS " if if_not_exists else ""
            return f"CREATE {kind} CONNECTOR {exists}{name_text(name)}{properties_text(properties)}"
        case ast.DropConnector(name=name, if_exists=if_exists):
            return f"DROP CONNECTOR {'IF EXISTS ' if if_exists else ''}{name_text(name)}"
    return _assertion(statement)


def _assertion(statement: ast.Statement) -> str:
    match statement:
        case ast.AssertTopic(topic=topic, properties=properties, timeout=timeout, exists=exists):
            head = "ASSERT " if exists else "ASSERT NOT EXISTS "
            return f"{head}TOPIC {name_text(topic)}{properties_text(properties)}{_timeout(timeout)}"
        case ast.AssertSchema(subject=subject, schema_id=schema_id, timeout=timeout, exists=exists):
            head = "ASSERT " if exists else "ASSERT NOT EXISTS "
            about = f" SUBJECT {name_text(subject)}" if subject is not None else ""
            numbered = f" ID {schema_id}" if schema_id is not None else ""
            return f"{head}SCHEMA{about}{numbered}{_timeout(timeout)}"
        case ast.AssertValues(target=target, columns=columns, values=values, tombstone=tombstone):
            head, word = ("ASSERT NULL VALUES", "KEY") if tombstone else ("ASSERT VALUES", "VALUES")
            return f"{head} {name_text(target)} {_columns(columns)}{word} ({_list(values)})"
        case ast.AssertSource(source=source):
            return _create("ASSERT ", source)
        case ast.RunScript(path=path):
            return f"RUN SCRIPT {string_text(path)}"
    raise AssertionError(f"not a statement: {statement!r}")


def _timeout(timeout: ast.Duration | None) -> str:
    return f" TIMEOUT {duration_text(timeout)}" if timeout is not None else ""


def _columns(columns: tuple[str, ...]) -> str:
    return f"({', '.join(map(name_text, columns))}) " if columns else ""


def _create(verb: str, source: ast.CreateSource) -> str:
    words = verb
    words += "OR REPLACE " if source.or_replace else ""
    words += "SOURCE " if source.is_source else ""
    words += f"{source.kind.value} "
    words += "IF NOT EXISTS " if source.if_not_exists else ""
    elements = ", ".join(map(column_text, source.columns))
    listed = f" ({elements})" if elements else ""
    return f"{words}{name_text(source.name)}{listed}{properties_text(source.properties)}"


def column_text(column: ast.ColumnDef) -> str:
    """``NAME TYPE [KEY]`` of a CREATE statement."""
    text = f"{name_text(column.name)} {type_ref_text(column.type)}"
    if column.kind is ast.ColumnKind.HEADER:
        return f"{text} HEADER({string_text(column.header_key or '')})"
    return f"{text} {column.kind.value}".rstrip()


def properties_text(properties: ast.Properties) -> str:
    """`` WITH (A='b', C=1)``, or nothing when there are none."""
    if not properties:
        return ""
    entries = sorted(properties, key=lambda entry: entry[0])
    return " WITH (" + ", ".join(f"{_property_name(name)}={_expr(value)}" for name, value in entries) + ")"


def _property_name(name: str) -> str:
    return string_text(name) if needs_quotes(name) else name


def format_query(query: ast.Query) -> str:
    """A query, one clause a line."""
    items = [_select_item(item) for item in query.select]
    lines = ["SELECT " + items[0] if len(items) == 1 else "SELECT\n  " + ",\n  ".join(items)]
    lines.append("FROM " + _relation(query.source))
    if query.window is not None:
        lines.append(f"WINDOW {window_text(query.window)} ")
    if query.where is not None:
        lines.append(f"WHERE {_expr(query.where)}")
    if query.group_by:
        lines.append(f"GROUP BY {_list(query.group_by)}")
    if query.partition_by:
        lines.append(f"PARTITION BY {_list(query.partition_by)}")
    if query.having is not None:
        lines.append(f"HAVING {_expr(query.having)}")
    if query.emit is not None:
        lines.append(f"EMIT {query.emit.value}")
    if query.limit is not None:
        lines.append(f"LIMIT {query.limit}")
    return "\n".join(lines)


def _select_item(item: ast.SelectItem) -> str:
    if isinstance(item, ast.AllColumns):
        return "*" if item.source is None else f"{name_text(item.source)}.*"
    alias = f" {name_text(item.alias)}" if item.alias is not None else ""
    return _expr(item.expression) + alias


def _relation(relation: ast.Relation) -> str:
    return "\n".join([_table(relation.first), *map(_join, relation.joins)])


def _table(table: ast.AliasedTable) -> str:
    return f"{name_text(table.name)} {name_text(table.alias)}"


def _join(join: ast.JoinedSource) -> str:
    within = _within(join.within) if join.within is not None else ""
    return f"{join.type.value} JOIN {_table(join.right)}{within} ON ({_expr(join.criteria)})"


def _within(within: ast.Within) -> str:
    before, after = duration_text(within.before), duration_text(within.after)
    size = before if within.before == within.after else f"({before}, {after})"
    grace = f" GRACE PERIOD {duration_text(within.grace)}" if within.grace is not None else ""
    return f" WITHIN {size}{grace}"


def window_text(window: ast.Window) -> str:
    """`` TUMBLING ( SIZE 1 MINUTES , GRACE PERIOD 10 SECONDS )``."""
    session = window.kind is ast.WindowKind.SESSION
    parts = [("" if session else "SIZE ") + duration_text(window.size)]
    if window.advance is not None:
        parts.append(f"ADVANCE BY {duration_text(window.advance)}")
    if window.retention is not None:
        parts.append(f"RETENTION {duration_text(window.retention)}")
    if window.grace is not None:
        parts.append(f"GRACE PERIOD {duration_text(window.grace)}")
    return f"{window.kind.value} ( {' , '.join(parts)} )"


def _show(show: ast.Show) -> str:
    kind = f"{show.connector_kind} " if show.connector_kind else ""
    return f"SHOW {'ALL ' if show.all_topics else ''}{kind}{show.what.value}{' EXTENDED' if show.extended else ''}"


def _print(statement: ast.PrintTopic) -> str:
    text = f"PRINT {string_text(statement.topic)}"
    text += " FROM BEGINNING" if statement.from_beginning else ""
    text += f" INTERVAL {statement.interval}" if statement.interval != 1 else ""
    return text + (f" LIMIT {statement.limit}" if statement.limit is not None else "")
