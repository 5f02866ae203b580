"""What ksqlDB says about a text that is not in its grammar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ksqldb.engine.parse.lexer import Token

Entry = Literal["statements", "testStatements", "singleExpression", "singleType"]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    token: Token
    text: str


def diagnose(tokens: Sequence[Token], entry: Entry, furthest: int) -> Diagnosis:
    """The message for the first error of a text, and the token it is about."""
    token = tokens[furthest]
    return Diagnosis(token, f"Syntax error at or near '{token.text}' at line {token.line}:{token.column}")
