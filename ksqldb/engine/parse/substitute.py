"""``${name}`` in statements: replaced as text, after a check that the value is of the kind its place needs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ksqldb.engine.errors import ParseFailed
from ksqldb.engine.parse.lexer import TEXT, VARIABLE, Token, string_value

_REFERENCE = re.compile(r"(\$?)\$\{([^}]*)\}")  # two dollars: the text itself, not a variable
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_@]*")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def has_variables(tokens: Sequence[Token]) -> bool:
    return any(t.kind == VARIABLE or (t.kind == TEXT and "${" in t.text) for t in tokens)


def substitute(statement: str, tokens: Sequence[Token], literals: frozenset[int], variables: Mapping[str, str]) -> str:
    """The statement's text with its variables replaced.

    ``literals``: offsets (as ``Token.start``) of variables that stand where a literal must be. Unknown variables
    stay as they are, which is an error where an identifier or a literal is needed.
    """
    used: dict[str, str] = {}
    for token in tokens:
        if token.kind == VARIABLE:
            name = token.text[2:-1]
            value = variables.get(name, token.text)
            check = _check_literal if token.start in literals else _check_identifier
            if name in variables or token.start in literals:
                check(value, token, statement)
            if name in variables:
                used.setdefault(name, value)
        elif token.kind == TEXT:
            for escaped, name in _REFERENCE.findall(string_value(token)):
                if not escaped and name in variables:
                    used.setdefault(name, _without_quotes_inside(variables[name]))

    def replaced(match: re.Match[str]) -> str:
        return match[0][1:] if match[1] else used.get(match[2], match[0])

    return _REFERENCE.sub(replaced, statement)


def _without_quotes_inside(value: str) -> str:
    """A value that cannot end the string literal it is put into."""
    if len(value) >= 2 and value[0] == value[-1] == "'":
        return "'" + value[1:-1].replace("'", "''") + "'"
    return value.replace("'", "''")


def _check_literal(value: str, token: Token, statement: str) -> None:
    quoted = len(value) >= 2 and value[0] == value[-1] == "'"
    if not (quoted or value.lower() in ("true", "false") or _NUMBER.fullmatch(value)):
        place = f"Line: {token.line}, Col: {token.column}"
        raise ParseFailed(f"Illegal argument at {place}. Got: '{value}'", statement, token.line, token.column)


def _check_identifier(value: str, token: Token, statement: str) -> None:
    bare = value[1:-1] if len(value) >= 2 and value[0] == value[-1] and value[0] in '"`' else value
    if not _NAME.fullmatch(bare):
        place = f"Line: {token.line}, Col: {token.column}"
        raise ParseFailed(
            f"Illegal argument at {place}. Identifier names cannot start with '@' and may only contain alphanumeric "
            f"values and '_'. Got: '{value}'",
            statement,
            token.line,
            token.column,
        )
