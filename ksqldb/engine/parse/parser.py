"""From text to statements."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from ksqldb.engine import ast
from ksqldb.engine.errors import ParseFailed
from ksqldb.engine.parse import expressions, statements, typeref
from ksqldb.engine.parse.cursor import Cursor, NotInGrammar, Refusal, TooDeep
from ksqldb.engine.parse.diagnose import Entry, diagnose
from ksqldb.engine.parse.lexer import EOF, Token, tokenize
from ksqldb.engine.parse.substitute import has_variables, substitute
from ksqldb.engine.types import SqlType

_TOO_LARGE = (
    "Error processing statement: Statement is too large to parse. This may be caused by having too many nested "
    "expressions in the statement."
)
_Read = Callable[[Cursor], ast.Statement]
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Draft:
    """A statement that fits the grammar, before the other rules are applied."""

    parsed: ast.ParsedStatement
    tokens: list[Token]
    refusals: list[Refusal]
    literal_variables: frozenset[int]


def parse(
    sql: str, variables: Mapping[str, str] | None = None, *, test_script: bool = False
) -> list[ast.ParsedStatement]:
    """The statements of a text, each ended by ``;``.

    ``variables`` are put in place of ``${name}``; DEFINE and UNDEFINE change them for the statements that follow.
    ``test_script`` admits the statements of test scripts (ASSERT VALUES, RUN SCRIPT ...).
    Raises ParseFailed with ksqlDB's message; grammar errors anywhere come before everything else.
    """
    read = statements.test_statement if test_script else statements.statement
    known = dict(variables or {})
    result: list[ast.ParsedStatement] = []
    for draft in _drafts(sql, read):
        done = draft
        if has_variables(draft.tokens):
            text = substitute(draft.parsed.text, draft.tokens, draft.literal_variables, known)
            if text != draft.parsed.text:
                done = _drafts(text, read)[0]
        for refusal in done.refusals:
            raise _refused(refusal, done.parsed.text)
        statement = done.parsed.statement
        if isinstance(statement, ast.Define):
            known[statement.name] = statement.value
        elif isinstance(statement, ast.Undefine):
            known.pop(statement.name, None)
        result.append(done.parsed)
    return result


def parse_expression(text: str) -> ast.Expression:
    """One expression on its own."""
    return _whole(text, expressions.expression, "singleExpression")


def parse_type(text: str) -> SqlType:
    """One type on its own; custom types are not known here."""
    ref = _whole(text, typeref.type_ref, "singleType")
    if ref.known is None:
        raise ParseFailed(f"Cannot resolve unknown type: {ref.text}", text, 1, 1)
    return ref.known


def _whole(text: str, read: Callable[[Cursor], _T], entry: Entry) -> _T:
    cursor = Cursor(tokenize(text))
    try:
        result = read(cursor)
        cursor.expect(EOF)
    except NotInGrammar:
        raise _syntax_error(text, cursor, entry, 0) from None
    except (TooDeep, RecursionError):
        raise _too_large(text, cursor) from None
    for refusal in cursor.refusals:
        raise _refused(refusal, text)
    return result


def _drafts(sql: str, read: _Read) -> list[_Draft]:
    cursor = Cursor(tokenize(sql))
    drafts: list[_Draft] = []
    first = 0
    try:
        while cursor.kind != EOF:
            cursor.begin_statement()
            first = cursor.at
            statement = read(cursor)
            end = cursor.expect(";").end
            tokens = cursor.tokens[first : cursor.at]
            parsed = ast.ParsedStatement(statement, sql[tokens[0].start : end])
            drafts.append(_Draft(parsed, tokens, cursor.refusals, frozenset(cursor.literal_variables)))
    except NotInGrammar:
        entry: Entry = "testStatements" if read is statements.test_statement else "statements"
        raise _syntax_error(sql, cursor, entry, first) from None
    except (TooDeep, RecursionError):
        raise _too_large(sql, cursor) from None
    return drafts


def _syntax_error(sql: str, cursor: Cursor, entry: Entry, start: int) -> ParseFailed:
    found = diagnose(cursor.tokens, entry, start, cursor.at)
    token = found.token
    message = f"line {token.line}:{token.column}: Syntax Error\n{found.text}"
    lines = sql.split("\n")
    return ParseFailed(message, lines[token.line - 1], token.line, token.column)


def _too_large(sql: str, cursor: Cursor) -> ParseFailed:
    return ParseFailed(_TOO_LARGE, sql, cursor.token.line, cursor.token.column)


def _refused(refusal: Refusal, statement: str) -> ParseFailed:
    message = refusal.message if refusal.exact else f"Failed to prepare statement: {refusal.message}"
    return ParseFailed(message, refusal.statement or statement, refusal.at.line, refusal.at.column)
