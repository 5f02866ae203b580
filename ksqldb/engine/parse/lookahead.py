"""How ANTLR's generated parsers look ahead, after "Adaptive LL(*) Parsing" (Parr, Harwell, Fisher 2014), SLL mode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ksqldb.engine.parse.grammar import Network
from ksqldb.engine.parse.lexer import Token

# Where a rule's caller goes on, and its caller's stack; None: unknown, whatever may follow the rule anywhere.
Stack: TypeAlias = "tuple[int, Stack] | None"
_MAX_CONFIGURATIONS = 20_000


class NoViableAlternative(Exception):
    """Looking ahead found nothing that fits, and this is the token it failed at."""

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


@dataclass(frozen=True, slots=True)
class _Configuration:
    alternative: int
    state: int
    stack: Stack
    outside: bool  # has left the rule the decision is in


class Lookahead:
    """First sets and predictions over one network; results are kept."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self._next: dict[int, tuple[frozenset[str], bool]] = {}
        self._single: dict[int, tuple[frozenset[str], ...] | None] = {}

    def next_kinds(self, state: int) -> tuple[frozenset[str], bool]:
        """The kinds that may come next within the state's rule, and whether the rule may end here."""
        found = self._next.get(state)
        if found is None:
            kinds: set[str] = set()
            ends = self._collect(state, (), kinds, set())
            found = self._next[state] = (frozenset(kinds), ends)
        return found

    def _collect(
        self, state: int, calls: tuple[int, ...], kinds: set[str], seen: set[tuple[int, tuple[int, ...]]]
    ) -> bool:
        """Adds what may come at a state; True where the rule it started in may end."""
        if (state, calls) in seen:
            return False
        seen.add((state, calls))
        here = self.network.states[state]
        if here.kind == "stop":
            return self._collect(calls[-1], calls[:-1], kinds, seen) if calls else True
        if here.token is not None:
            kinds |= here.token
            return False
        if here.call is not None:
            if here.targets[0] in calls:  # recursion adds nothing new
                return False
            return self._collect(self.network.start[here.call], (*calls, here.targets[0]), kinds, seen)
        ends = False
        for target in here.targets:
            ends |= self._collect(target, calls, kinds, seen)
        return ends

    def expected(self, state: int, stack: Sequence[int]) -> frozenset[str]:
        """The kinds that may come next, given where the callers go on (innermost last)."""
        kinds, ends = self.next_kinds(state)
        for caller in reversed(stack):
            if not ends:
                break
            more, ends = self.next_kinds(caller)
            kinds |= more
        return kinds

    # ------------------------------------------------------------------------------------------ one token

    def single(self, state: int) -> tuple[frozenset[str], ...] | None:
        """The first kinds of each alternative of a decision where one token decides, else None."""
        if state not in self._single:
            self._single[state] = self._find_single(state)
        return self._single[state]

    def _find_single(self, state: int) -> tuple[frozenset[str], ...] | None:
        sets: list[frozenset[str]] = []
        for target in self.network.states[state].targets:
            kinds: set[str] = set()
            if not self._first(target, None, kinds, set()) or not kinds:
                return None
            if any(kinds & other for other in sets):
                return None
            sets.append(frozenset(kinds))
        return tuple(sets)

    def _first(self, state: int, stack: Stack, kinds: set[str], seen: set[tuple[int, Stack]]) -> bool:
        """Adds the first kinds after a state in any context; False where a precedence stands in the way."""
        if (state, stack) in seen:
            return True
        seen.add((state, stack))
        here = self.network.states[state]
        if here.gate:
            return False
        if here.token is not None:
            kinds |= here.token
            return True
        if here.kind == "stop":
            if stack is not None:
                return self._first(stack[0], stack[1], kinds, seen)
            return self._first_of(self.network.follow[here.rule], None, kinds, seen)
        if here.call is not None:
            target = here.targets[0]
            return _on(stack, target) or self._first(self.network.start[here.call], (target, stack), kinds, seen)
        return self._first_of(here.targets, stack, kinds, seen)

    def _first_of(self, states: Sequence[int], stack: Stack, kinds: set[str], seen: set[tuple[int, Stack]]) -> bool:
        free = True
        for state in states:
            free &= self._first(state, stack, kinds, seen)
        return free

    # ------------------------------------------------------------------------------------------ any number

    def predict(self, state: int, precedence: int, tokens: Sequence[Token], at: int) -> int:
        """Which alternative of a decision fits the tokens from ``at`` on. Raises NoViableAlternative."""
        current: list[_Configuration] = []
        seen: set[_Configuration] = set()
        for alternative, target in enumerate(self.network.states[state].targets):
            self._close(_Configuration(alternative, target, None, False), precedence, current, seen)
        while True:
            kind = tokens[at].kind
            reached: list[_Configuration] = []
            seen = set()
            for one in current:
                here = self.network.states[one.state]
                if here.token is not None and kind in here.token:
                    moved = _Configuration(one.alternative, here.targets[0], one.stack, one.outside)
                    self._close(moved, None, reached, seen)
            if not reached:
                finished = [c.alternative for c in current if c.outside]
                if finished:
                    return min(finished)
                raise NoViableAlternative(at)
            alternatives = {c.alternative for c in reached}
            if len(alternatives) == 1 or at + 1 >= len(tokens) or len(reached) > _MAX_CONFIGURATIONS:
                return min(alternatives)
            if _in_conflict(reached):
                return min(alternatives)
            current = reached
            at += 1

    def _close(
        self, start: _Configuration, precedence: int | None, found: list[_Configuration], seen: set[_Configuration]
    ) -> None:
        """All configurations reached without a token. ``precedence`` is known only before the first one."""
        pending = [start]
        while pending:
            one = pending.pop()
            if one in seen or len(seen) > _MAX_CONFIGURATIONS:
                continue
            seen.add(one)
            here = self.network.states[one.state]
            if here.token is not None:
                found.append(one)
            elif here.kind == "stop":
                pending += self._returns(one, here.rule)
            elif here.call is not None:
                stack = (here.targets[0], one.stack)
                pending.append(_Configuration(one.alternative, self.network.start[here.call], stack, one.outside))
            else:
                closed = here.gate and precedence is not None and one.stack is None and not one.outside
                if closed and precedence is not None and here.precedence < precedence:
                    continue
                pending += [_Configuration(one.alternative, t, one.stack, one.outside) for t in reversed(here.targets)]

    def _returns(self, one: _Configuration, rule: str) -> list[_Configuration]:
        if one.stack is not None:
            return [_Configuration(one.alternative, one.stack[0], one.stack[1], one.outside)]
        return [_Configuration(one.alternative, target, None, True) for target in self.network.follow[rule]]


def _on(stack: Stack, target: int) -> bool:
    while stack is not None:
        if stack[0] == target:
            return True
        stack = stack[1]
    return False


def _in_conflict(reached: Sequence[_Configuration]) -> bool:
    """Whether more tokens cannot tell the alternatives apart: some state is reached alike by several of them, and no
    state by one alone."""
    by_place: dict[tuple[int, Stack], set[int]] = {}
    by_state: dict[int, set[int]] = {}
    for one in reached:
        by_place.setdefault((one.state, one.stack), set()).add(one.alternative)
        by_state.setdefault(one.state, set()).add(one.alternative)
    return any(len(a) > 1 for a in by_place.values()) and all(len(a) > 1 for a in by_state.values())
