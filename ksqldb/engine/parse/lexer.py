"""Words of ksqlDB's SQL.

A token's ``kind`` is the keyword or sign itself (``SELECT``, ``;``) or one of the lexical classes below.
Matching ignores case, the text keeps it. Nothing is ever refused here: what fits no rule becomes an
``UNRECOGNIZED`` token of one character, so that the parser can say where it stands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

IDENTIFIER = "IDENTIFIER"
DIGIT_IDENTIFIER = "DIGIT_IDENTIFIER"
QUOTED_IDENTIFIER = "QUOTED_IDENTIFIER"
BACKQUOTED_IDENTIFIER = "BACKQUOTED_IDENTIFIER"
VARIABLE = "VARIABLE"
TEXT = "TEXT"  # a string literal; ksqlDB's grammar calls it STRING, which is also a keyword
INTEGER_VALUE = "INTEGER_VALUE"
DECIMAL_VALUE = "DECIMAL_VALUE"
FLOATING_POINT_VALUE = "FLOATING_POINT_VALUE"
UNRECOGNIZED = "UNRECOGNIZED"
EOF = "<EOF>"


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# In the order in which ksqlDB numbers them: sets of expected words are printed in this order.
SIGNS_WITHOUT_NAME = (";", ",", "(", ")", ".", "[", "]", "STRING")
KEYWORDS = _words(
    """
    EMIT CHANGES FINAL SELECT FROM AS ALL DISTINCT WHERE WITHIN WINDOW GROUP BY HAVING LIMIT AT OR AND IN NOT EXISTS
    BETWEEN LIKE ESCAPE IS NULL TRUE FALSE INTEGER DATE TIME TIMESTAMP INTERVAL YEAR MONTH DAY HOUR MINUTE SECOND
    MILLISECOND YEARS MONTHS DAYS HOURS MINUTES SECONDS MILLISECONDS ZONE TUMBLING HOPPING SIZE ADVANCE RETENTION
    GRACE PERIOD CASE WHEN THEN ELSE END JOIN FULL OUTER INNER LEFT RIGHT ON PARTITION STRUCT WITH VALUES CREATE TABLE
    TOPIC STREAM STREAMS INSERT DELETE INTO DESCRIBE EXTENDED PRINT EXPLAIN ANALYZE TYPE TYPES CAST SHOW LIST TABLES
    TOPICS QUERY QUERIES TERMINATE PAUSE RESUME LOAD COLUMNS COLUMN PARTITIONS FUNCTIONS FUNCTION DROP TO RENAME ARRAY
    MAP SET DEFINE UNDEFINE RESET SESSION SAMPLE EXPORT CATALOG PROPERTIES BEGINNING UNSET RUN SCRIPT DECIMAL KEY
    CONNECTOR CONNECTORS SINK SOURCE NAMESPACE MATERIALIZED VIEW PRIMARY REPLACE ASSERT ADD ALTER VARIABLES PLUGINS
    HEADERS HEADER SYSTEM TIMEOUT SCHEMA SUBJECT ID IF
    """
)
SIGNS = ("=", "<>", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "||", ":=", "->", "=>")
CLASSES = (
    TEXT,
    INTEGER_VALUE,
    DECIMAL_VALUE,
    FLOATING_POINT_VALUE,
    IDENTIFIER,
    DIGIT_IDENTIFIER,
    QUOTED_IDENTIFIER,
    BACKQUOTED_IDENTIFIER,
    VARIABLE,
    UNRECOGNIZED,
)
ORDER = {kind: n for n, kind in enumerate((EOF, *SIGNS_WITHOUT_NAME, *KEYWORDS, *SIGNS, *CLASSES))}
ALL_KEYWORDS = frozenset((*KEYWORDS, "STRING"))

# Keywords that may still name a column, a source or a function.
NON_RESERVED = frozenset(
    _words(
        """
    SHOW TABLES COLUMNS COLUMN PARTITIONS FUNCTIONS FUNCTION SESSION STRUCT MAP ARRAY PARTITION INTEGER DATE TIME
    TIMESTAMP INTERVAL ZONE STRING YEAR MONTH DAY HOUR MINUTE SECOND EXPLAIN ANALYZE TYPE TYPES SET RESET IF SOURCE
    SINK PRIMARY KEY EMIT CHANGES FINAL ESCAPE REPLACE ASSERT ALTER ADD HEADER HEADERS GRACE PERIOD DEFINE UNDEFINE
    VARIABLES PLUGINS SYSTEM TIMEOUT SCHEMA SUBJECT ID
    """
    )
)
IDENTIFIER_KINDS = NON_RESERVED | {
    IDENTIFIER,
    DIGIT_IDENTIFIER,
    QUOTED_IDENTIFIER,
    BACKQUOTED_IDENTIFIER,
    VARIABLE,
}


@dataclass(frozen=True, slots=True)
class Token:
    """``start`` and ``end`` are offsets into the source; ``line`` and ``column`` count from 1."""

    kind: str
    text: str
    start: int
    end: int
    line: int
    column: int


# Longest match wins in ksqlDB's lexer; the order below gives the same result.
_TOKEN = re.compile(
    r"""
      (?P<skip>[ \r\n\t]+|--[^\r\n]*\r?\n?|/\*.*?\*/)
    | (?P<TEXT>'(?:[^']|'')*')
    | (?P<FLOATING_POINT_VALUE>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)E[+-]?[0-9]+(?![A-Z0-9_@]))
    | (?P<DIGIT_FLOAT>[0-9]+(?:\.[0-9]*)E[+-]?[0-9]+|\.[0-9]+E[+-]?[0-9]+)
    | (?P<DECIMAL_VALUE>[0-9]+\.[0-9]*|\.[0-9]+)
    | (?P<DIGIT_IDENTIFIER>[0-9][A-Z0-9_@]*[A-Z_@][A-Z0-9_@]*)
    | (?P<INTEGER_VALUE>[0-9]+)
    | (?P<WORD>[A-Z_][A-Z0-9_@]*)
    | (?P<QUOTED_IDENTIFIER>"(?:[^"]|"")*")
    | (?P<BACKQUOTED_IDENTIFIER>`(?:[^`]|``)*`)
    | (?P<VARIABLE>\$\{[A-Z_][A-Z0-9_@]*\})
    | (?P<SIGN><>|!=|<=|>=|\|\||:=|->|=>|[=<>+\-*/%;,().\[\]])
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL | re.ASCII,
)


def tokenize(sql: str) -> list[Token]:
    """All tokens outside comments and white space, then one of kind ``<EOF>``."""
    tokens: list[Token] = []
    line, line_start, at, size = 1, 0, 0, len(sql)
    match_at = _TOKEN.match
    while at < size:
        match = match_at(sql, at)
        if match is None:
            end, kind = at + 1, UNRECOGNIZED
        else:
            end, kind = match.end(), match.lastgroup or ""
        text = sql[at:end]
        if kind != "skip":
            if kind == "WORD":
                upper = text.upper()
                kind = upper if upper in ALL_KEYWORDS else IDENTIFIER
            elif kind == "SIGN":
                kind = "<>" if text == "!=" else text
            elif kind == "DIGIT_FLOAT":
                kind = FLOATING_POINT_VALUE
            tokens.append(Token(kind, text, at, end, line, at - line_start + 1))
        newlines = text.count("\n")
        if newlines:
            line += newlines
            line_start = at + text.rindex("\n") + 1
        at = end
    tokens.append(Token(EOF, "<EOF>", size, size, line, size - line_start + 1))
    return tokens


def identifier_text(token: Token, *, keep_case: bool = False) -> str:
    """The name a token stands for: upper-cased unless quoted."""
    if token.kind == QUOTED_IDENTIFIER:
        return token.text[1:-1].replace('""', '"')
    if token.kind == BACKQUOTED_IDENTIFIER:
        return token.text[1:-1].replace("``", "`")
    return token.text if keep_case else token.text.upper()


def string_value(token: Token) -> str:
    """The value of a string literal."""
    return token.text[1:-1].replace("''", "'")


def display(kind: str) -> str:
    """A kind as ksqlDB prints it in a set of expected words."""
    if kind == EOF:
        return EOF
    if kind == TEXT:
        return "STRING"
    if kind == "<>":
        return "NEQ"
    return kind if kind in CLASSES else f"'{kind}'"
