"""ksqlDB's words, to colour statements and to find where they end. Pure; colouring is not parsing."""

from __future__ import annotations

import re
from collections.abc import Iterator

KEYWORDS = frozenset(
    [
        "ADD",
        "ADVANCE",
        "ALTER",
        "AND",
        "ANY",
        "ARRAY",
        "AS",
        "ASC",
        "ASSERT",
        "AT",
        "BEGINNING",
        "BETWEEN",
        "BY",
        "CASE",
        "CAST",
        "CHANGES",
        "COLUMN",
        "COLUMNS",
        "CONNECTOR",
        "CONNECTORS",
        "CREATE",
        "DATE",
        "DAY",
        "DAYS",
        "DECIMAL",
        "DEFINE",
        "DELETE",
        "DESC",
        "DESCRIBE",
        "DISTINCT",
        "DROP",
        "ELSE",
        "EMIT",
        "END",
        "ESCAPE",
        "EXISTS",
        "EXPLAIN",
        "EXPORT",
        "EXTENDED",
        "FINAL",
        "FOR",
        "FOREIGN",
        "FROM",
        "FULL",
        "FUNCTION",
        "FUNCTIONS",
        "GRACE",
        "GROUP",
        "GROUPING",
        "HAVING",
        "HEADER",
        "HEADERS",
        "HOPPING",
        "HOUR",
        "HOURS",
        "IF",
        "IN",
        "INNER",
        "INSERT",
        "INTEGER",
        "INTERVAL",
        "INTO",
        "IS",
        "JOIN",
        "KEY",
        "LEFT",
        "LIKE",
        "LIMIT",
        "LIST",
        "LOAD",
        "MAP",
        "MATERIALIZED",
        "MILLISECOND",
        "MILLISECONDS",
        "MINUTE",
        "MINUTES",
        "MONTH",
        "MONTHS",
        "NAMESPACE",
        "NOT",
        "NULL",
        "ON",
        "OR",
        "OUTER",
        "OUTPUT",
        "OVER",
        "PARTITION",
        "PARTITIONS",
        "PAUSE",
        "PERIOD",
        "PLUGINS",
        "PRIMARY",
        "PRINT",
        "PROPERTIES",
        "QUERIES",
        "QUERY",
        "RENAME",
        "REPLACE",
        "RESET",
        "RESUME",
        "RETENTION",
        "RIGHT",
        "ROWTIME",
        "RUN",
        "SAMPLE",
        "SCRIPT",
        "SECOND",
        "SECONDS",
        "SELECT",
        "SESSION",
        "SET",
        "SETS",
        "SHOW",
        "SINK",
        "SIZE",
        "SOURCE",
        "STREAM",
        "STREAMS",
        "STRUCT",
        "TABLE",
        "TABLES",
        "TERMINATE",
        "THEN",
        "TIME",
        "TIMESTAMP",
        "TO",
        "TOPIC",
        "TOPICS",
        "TRUE",
        "FALSE",
        "TUMBLING",
        "TYPE",
        "TYPES",
        "UNDEFINE",
        "UNSET",
        "VALUES",
        "VARIABLE",
        "VARIABLES",
        "WHEN",
        "WHERE",
        "WINDOW",
        "WINDOWSTART",
        "WINDOWEND",
        "WITH",
        "WITHIN",
        "YEAR",
        "YEARS",
        "ZONE",
    ]
)
TYPES = frozenset(["BIGINT", "BOOLEAN", "BYTES", "DOUBLE", "INT", "STRING", "VARCHAR"])

_TOKEN = re.compile(
    r"(?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))"
    r"|(?P<string>'(?:[^']|'')*(?:'|\Z))"
    r"|(?P<quoted>`(?:[^`]|``)*(?:`|\Z))"
    r"|(?P<number>\b\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\b)"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<end>;)",
    re.DOTALL,
)


def tokens(sql: str) -> Iterator[tuple[str, int, int]]:
    """``(kind, start, end)``; kinds: comment, string, quoted, number, keyword, type, function, end."""
    for match in _TOKEN.finditer(sql):
        kind = match.lastgroup or ""
        if kind == "word":
            word = match.group().upper()
            if word in KEYWORDS:
                kind = "keyword"
            elif word in TYPES:
                kind = "type"
            elif sql[match.end() : match.end() + 1] == "(":
                kind = "function"
            else:
                continue
        yield kind, match.start(), match.end()


def statements(sql: str) -> list[str]:
    """The statements of a text, each with its semicolon; a last one without gets one; comments alone are none."""
    found: list[str] = []
    begin = 0
    meaning = False
    last = 0
    for match in _TOKEN.finditer(sql):
        if match.lastgroup == "end":
            found.append(sql[begin : match.end()].strip())
            begin, meaning = match.end(), False
        elif match.lastgroup != "comment":
            meaning = True
        last = match.end()
    rest = sql[begin:].strip()
    if rest and (meaning or last < begin):
        found.append(rest + ";")
    return [statement for statement in found if statement != ";"]
