"""How ANTLR's generated parsers look ahead, after "Adaptive LL(*) Parsing" (Parr, Harwell, Fisher 2014), SLL mode."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from ksqldb.engine.parse.grammar import Network
from ksqldb.engine.parse.lexer import Token

# alternative, state, stack, and whether it has left the rule in which the decision is
_Configuration: TypeAlias = tuple[int, int, int, bool]
_UNKNOWN = 0  # the empty stack: whatever may follow the rule anywhere


class NoViableAlternative(Exception):
    """Looking ahead found nothing that fits, and this is the token it failed at."""

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


class TooMuchToTell(Exception):
    """The text is such that telling its alternatives apart would take too long."""


class Effort:
    """How many steps may still be spent on one text."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def spend(self) -> None:
        self.steps -= 1
        if self.steps < 0:
            raise TooMuchToTell


class _Stacks:
    """Stacks of places where callers go on. A stack is a number, equal stacks are the same number."""

    def __init__(self) -> None:
        self.entries: list[tuple[int, int]] = [(-1, _UNKNOWN)]  # place and the stack below
        self._known: dict[tuple[int, int], int] = {}

    def push(self, stack: int, place: int) -> int:
        entry = (place, stack)
        found = self._known.get(entry)
        if found is None:
            found = self._known[entry] = len(self.entries)
            self.entries.append(entry)
        return found

    def has(self, stack: int, place: int) -> bool:
        while stack != _UNKNOWN:
            top, stack = self.entries[stack]
            if top == place:
                return True
        return False


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
            if not self._first(target, _UNKNOWN, _Stacks(), kinds, set()) or not kinds:
                return None
            if any(kinds & other for other in sets):
                return None
            sets.append(frozenset(kinds))
        return tuple(sets)

    def _first(self, state: int, stack: int, stacks: _Stacks, kinds: set[str], seen: set[tuple[int, int]]) -> bool:
        """Adds the first kinds after a state in any context; False where a precedence stands in the way."""
        free = True
        pending = [(state, stack)]
        while pending:
            one = pending.pop()
            if one in seen:
                continue
            seen.add(one)
            stack = one[1]
            here = self.network.states[one[0]]
            if here.gate:
                free = False
            elif here.token is not None:
                kinds |= here.token
            elif here.kind == "stop":
                if stack == _UNKNOWN:
                    pending += [(target, _UNKNOWN) for target in self.network.follow[here.rule]]
                else:
                    pending.append(stacks.entries[stack])
            elif here.call is not None:
                target = here.targets[0]
                if not stacks.has(stack, target):  # recursion adds nothing new
                    pending.append((self.network.start[here.call], stacks.push(stack, target)))
            else:
                pending += [(target, stack) for target in here.targets]
        return free

    # ------------------------------------------------------------------------------------------ any number

    def predict(self, state: int, precedence: int, tokens: Sequence[Token], at: int, effort: Effort) -> int:
        """Which alternative of a decision fits the tokens from ``at`` on.

        Raises NoViableAlternative, or TooMuchToTell when the effort is spent.
        """
        search = _Search(self.network, effort)
        current = search.start(state, precedence)
        while True:
            reached = search.move(current, tokens[at].kind)
            if not reached:
                finished = [alternative for alternative, _, _, outside in current if outside]
                if finished:
                    return min(finished)
                raise NoViableAlternative(at)
            alternatives = {one[0] for one in reached}
            if len(alternatives) == 1 or at + 1 >= len(tokens) or _in_conflict(reached):
                return min(alternatives)
            current = reached
            at += 1


class _Search:
    """The configurations of one prediction."""

    def __init__(self, network: Network, effort: Effort) -> None:
        self.network = network
        self.effort = effort
        self.stacks = _Stacks()

    def start(self, state: int, precedence: int) -> list[_Configuration]:
        found: list[_Configuration] = []
        seen: set[_Configuration] = set()
        for alternative, target in enumerate(self.network.states[state].targets):
            self.close((alternative, target, _UNKNOWN, False), precedence, found, seen)
        return found

    def move(self, current: Sequence[_Configuration], kind: str) -> list[_Configuration]:
        reached: list[_Configuration] = []
        seen: set[_Configuration] = set()
        for alternative, state, stack, outside in current:
            here = self.network.states[state]
            if here.token is not None and kind in here.token:
                self.close((alternative, here.targets[0], stack, outside), None, reached, seen)
        return reached

    def close(
        self, start: _Configuration, precedence: int | None, found: list[_Configuration], seen: set[_Configuration]
    ) -> None:
        """All configurations reached without a token. ``precedence`` is known only before the first one."""
        states, follow, stacks = self.network.states, self.network.follow, self.stacks
        pending = [start]
        while pending:
            one = pending.pop()
            if one in seen:
                continue
            self.effort.spend()
            seen.add(one)
            alternative, state, stack, outside = one
            here = states[state]
            if here.token is not None:
                found.append(one)
            elif here.kind == "stop":
                if stack == _UNKNOWN:
                    pending += [(alternative, target, _UNKNOWN, True) for target in follow[here.rule]]
                else:
                    place, below = stacks.entries[stack]
                    pending.append((alternative, place, below, outside))
            elif here.call is not None:
                pushed = stacks.push(stack, here.targets[0])
                pending.append((alternative, self.network.start[here.call], pushed, outside))
            elif not (
                here.gate
                and precedence is not None
                and stack == _UNKNOWN
                and not outside
                and here.precedence < precedence
            ):
                pending += [(alternative, target, stack, outside) for target in reversed(here.targets)]


def _in_conflict(reached: Sequence[_Configuration]) -> bool:
    """Whether more tokens cannot tell the alternatives apart: some state is reached alike by several of them, and no
    state by one alone."""
    by_place: dict[tuple[int, int], set[int]] = {}
    by_state: dict[int, set[int]] = {}
    for alternative, state, stack, _ in reached:
        by_place.setdefault((state, stack), set()).add(alternative)
        by_state.setdefault(state, set()).add(alternative)
    return any(len(a) > 1 for a in by_place.values()) and all(len(a) > 1 for a in by_state.values())
