"""A place in a list of tokens, with what a statement must remember while it is read."""

from __future__ import annotations

from ksqldb.engine.ast import Position
from ksqldb.engine.parse.lexer import EOF, IDENTIFIER_KINDS, Token, identifier_text

# Nested expressions deeper than this are refused as ksqlDB refuses them (its stack overflows, ours would too).
MAX_DEPTH = 100


class NotInGrammar(Exception):
    """The token at hand fits nowhere. The message ksqlDB would give is worked out afterwards (``diagnose``)."""


class TooDeep(Exception):
    """Too many nested expressions."""


class Refusal:
    """A statement that fits the grammar but breaks a rule checked when it is built."""

    __slots__ = ("at", "exact", "message", "statement")

    def __init__(self, message: str, at: Position, *, exact: bool = False, statement: str | None = None) -> None:
        self.message = message
        self.at = at
        self.exact = exact  # without "Failed to prepare statement: " in front
        self.statement = statement


class Cursor:
    """Reads tokens one by one. Statement rules that are not grammar are noted in ``refusals``: ksqlDB tells of
    them only when the whole text fits the grammar."""

    __slots__ = ("_depth", "at", "lambda_names", "literal_variables", "qualifiers", "refusals", "sources", "tokens")

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.at = 0
        self._depth = 0
        self.begin_statement()

    def begin_statement(self) -> None:
        self.refusals: list[Refusal] = []
        self.sources: set[str] = set()
        self.qualifiers: list[str] = []
        self.lambda_names: list[str] = []
        self.literal_variables: set[int] = set()

    @property
    def kind(self) -> str:
        return self.tokens[self.at].kind

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def peek(self, ahead: int = 1) -> str:
        place = self.at + ahead
        return self.tokens[place].kind if place < len(self.tokens) else EOF

    def position(self) -> Position:
        token = self.tokens[self.at]
        return Position(token.line, token.column)

    def advance(self) -> Token:
        token = self.tokens[self.at]
        if token.kind != EOF:
            self.at += 1
        return token

    def accept(self, *kinds: str) -> bool:
        """Step over the whole sequence of kinds if it stands here."""
        for offset, kind in enumerate(kinds):
            if self.peek(offset) != kind:
                return False
        self.at += len(kinds)
        return True

    def expect(self, *kinds: str) -> Token:
        """Step over a sequence that must stand here; the last token of it."""
        for kind in kinds:
            if self.kind != kind:
                raise NotInGrammar
            token = self.advance()
        return token

    def expect_one_of(self, kinds: frozenset[str]) -> Token:
        if self.kind not in kinds:
            raise NotInGrammar
        return self.advance()

    def identifier(self, *, keep_case: bool = False) -> str:
        return identifier_text(self.expect_one_of(IDENTIFIER_KINDS), keep_case=keep_case)

    def refuse(self, message: str, *, exact: bool = False, statement: str | None = None) -> None:
        self.refusals.append(Refusal(message, self.position(), exact=exact, statement=statement))

    def __enter__(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise TooDeep

    def __exit__(self, *exc: object) -> None:
        self._depth -= 1


def where(at: Position) -> str:
    """A place as ksqlDB writes it inside messages."""
    return f"Line: {at.line}, Col: {at.column}"
