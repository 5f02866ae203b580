"""What ksqlDB says about a text that is not in its grammar.

ksqlDB reports the first error its generated parser finds, in words that depend on how that parser noticed. So the
tokens are walked through the grammar once more the way that parser does it; nothing is repaired, the first error ends
the walk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from ksqldb.engine.parse.grammar import network
from ksqldb.engine.parse.lexer import ALL_KEYWORDS, EOF, NON_RESERVED, ORDER, Token, display
from ksqldb.engine.parse.lookahead import Effort, Lookahead, NoViableAlternative, TooMuchToTell
from ksqldb.engine.parse.statements import STATEMENT_WORDS

Entry = Literal["statements", "testStatements", "singleExpression", "singleType"]

_COMMANDS = tuple(kind for kind in sorted(ORDER, key=ORDER.__getitem__) if kind in STATEMENT_WORDS)


_STEPS = 1_000_000  # a second or so


@dataclass(frozen=True, slots=True)
class Diagnosis:
    token: Token
    text: str


class _Found(Exception):
    def __init__(self, diagnosis: Diagnosis) -> None:
        super().__init__(diagnosis.text)
        self.diagnosis = diagnosis


def diagnose(tokens: Sequence[Token], entry: Entry, start: int, furthest: int) -> Diagnosis:
    """The first error and the token it is about.

    ``start`` is the first token of the statement that fails, ``furthest`` the one at which our own parser gave up.
    """
    try:
        _Walk(tokens, start).run(entry)
    except _Found as found:
        return found.diagnosis
    except TooMuchToTell:
        pass  # a monstrous text: what our own parser knows must do
    return _near(tokens[furthest])


def fits_grammar(tokens: Sequence[Token], entry: Entry) -> bool:
    """Whether a text is in the grammar; slow, for tests of the parser against the grammar."""
    try:
        _Walk(tokens, 0).run(entry)
    except _Found:
        return False
    return True


@lru_cache(1)
def _lookahead() -> Lookahead:
    return Lookahead(network())


def _near(token: Token) -> Diagnosis:
    return Diagnosis(token, f"Syntax error at or near '{token.text}' at line {token.line}:{token.column}")


class _Walk:
    """One pass over the tokens. ``stack`` has, for every call, where it goes on and its caller's precedence."""

    def __init__(self, tokens: Sequence[Token], start: int) -> None:
        self.tokens = tokens
        self.at = start
        self.effort = Effort(_STEPS)
        self.stack: list[tuple[int, int]] = []
        self.look = _lookahead()
        self.states = self.look.network.states
        # Where the parser last stood before something optional that it skipped: expectations start there.
        self.skipped: tuple[int, list[int]] | None = None

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def kind(self, ahead: int = 0) -> str:
        place = self.at + ahead
        return self.tokens[place].kind if place < len(self.tokens) else EOF

    def callers(self) -> list[int]:
        return [state for state, _ in self.stack]

    def run(self, entry: str) -> None:
        state, precedence = self.look.network.start[entry], 0
        if self.at > 0:  # statements before this one were read: the loop over them has made a turn
            state = next(n for n, one in enumerate(self.states) if one.rule == entry and one.kind == "starBack")
        end = self.look.network.stop[entry]
        while state != end or self.stack:
            here = self.states[state]
            if here.kind == "stop":
                state, precedence = self.stack.pop()
            elif here.token is not None:
                self.match(state)
                state = here.targets[0]
            elif here.call is not None:
                self.stack.append((here.targets[0], precedence))
                state, precedence = self.look.network.start[here.call], here.precedence
            elif here.kind == "starBack":
                self.synchronise(state)
                state = self.choose(here.targets[0], precedence)
            elif here.kind == "plusBlock":
                self.synchronise(state)
                state = here.targets[0]
            elif here.kind == "plusBack":
                self.synchronise(state)
                following = self.choose(state, precedence)
                state = self.states[following].targets[0] if following == here.targets[0] else following
            elif here.kind in ("block", "star"):
                self.synchronise(state)
                state = self.choose(state, precedence)
            else:
                state = here.targets[0]

    def choose(self, state: int, precedence: int) -> int:
        """The first state of the alternative to take."""
        targets = self.states[state].targets
        first_kinds = self.look.single(state)
        if first_kinds is not None:
            for kinds, target in zip(first_kinds, targets, strict=True):
                if self.kind() in kinds:
                    return target
            if self.states[state].kind != "block" or self.is_optional(state):
                return targets[-1]
            raise _Found(_near(self.token))
        try:
            return targets[self.look.predict(state, precedence, self.tokens, self.at, self.effort)]
        except NoViableAlternative as error:
            raise _Found(_near(self.tokens[error.at])) from None

    def is_optional(self, state: int) -> bool:
        """Whether a block is ``(...)?``: its last alternative leads straight to its end."""
        targets = self.states[state].targets
        last = self.states[targets[-1]]
        return len(targets) == 2 and last.token is None and last.call is None and last.kind == "plain"

    def synchronise(self, state: int) -> None:
        """Before a choice: is the token at hand one that may come here at all?"""
        kinds, ends = self.look.next_kinds(state)
        if self.kind() in kinds:
            self.skipped = None
        elif ends:
            self.skipped = self.skipped or (state, self.callers())
        elif self.states[state].kind in ("starBack", "plusBack"):
            raise _Found(self.unwanted(self.look.expected(state, self.callers())))
        else:
            self.refuse_unwanted(state)
            raise _Found(self.mismatched(self.look.expected(state, self.callers())))

    def match(self, state: int) -> None:
        here = self.states[state]
        assert here.token is not None
        if self.kind() in here.token:
            if self.kind() != EOF:
                self.at += 1
            return
        self.refuse_unwanted(state)
        if self.kind() in self.look.expected(here.targets[0], self.callers()):
            missing = _shown(self.look.expected(state, self.callers()))
            raise _Found(Diagnosis(self.token, f"missing {missing} at {_quoted(self.token)}"))
        place, callers = self.skipped or (state, self.callers())
        raise _Found(self.mismatched(self.look.expected(place, callers)))

    def refuse_unwanted(self, state: int) -> None:
        """Reports the token as one too many if what follows it could come here."""
        expected = self.look.expected(state, self.callers())
        if self.kind(1) in expected:
            raise _Found(self.unwanted(expected))

    def unwanted(self, expected: frozenset[str]) -> Diagnosis:
        token = self.token
        if token.kind in ALL_KEYWORDS and token.kind not in NON_RESERVED:
            return Diagnosis(
                token,
                f'"{token.text}" is a reserved keyword and it can\'t be used as an identifier. '
                f"You can use it as an identifier by escaping it as '{token.text}' ",
            )
        return self.mismatched(expected)

    def mismatched(self, expected: frozenset[str]) -> Diagnosis:
        token = self.token
        if tuple(sorted(expected - {EOF}, key=ORDER.__getitem__)) == _COMMANDS:
            return Diagnosis(token, f"Unknown statement '{token.text}'\nDid you mean '{_most_similar(token.text)}'?")
        if EOF in expected or "EOF" in token.text:
            return Diagnosis(token, "Syntax error at or near \";\"\n'}', ']', or ')' is missing")
        shown = _shown(expected)
        return Diagnosis(token, f"Expecting {shown}" if shown.count(",") <= 2 else "")


def _shown(kinds: frozenset[str]) -> str:
    """A set of kinds in ksqlDB's order; braces where there are several."""
    names = [display(kind) for kind in sorted(kinds, key=ORDER.__getitem__)]
    return names[0] if len(names) == 1 else "{" + ", ".join(names) + "}"


def _quoted(token: Token) -> str:
    text = token.text.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    return f"'{text}'"


def _most_similar(word: str) -> str:
    return min(_COMMANDS, key=lambda command: _distance(command, word.upper()))


def _distance(one: str, other: str) -> int:
    """Levenshtein's edit distance."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        previous, row[0] = row[0], i
        for j, b in enumerate(other, start=1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
    return row[-1]
