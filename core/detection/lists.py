"""What analysts and labels taught: listed parties, and merchants and payees whose newest labels are fraud.

What labels taught comes in *epochs* of event time: what is learned at ``known_at`` takes effect at the next
boundary. A payment is judged by the epoch of its own time, so the outcome depends on what was known, never on when a
record happened to be read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

EPOCH_MS = 6 * 3_600_000
LIVE_EPOCH_MS = 10_000
"""Between boundaries of what happens now; history, where nobody waits, has the wide ones."""
SUSPECT_MS = 28 * 86_400_000
"""How long a party stays suspect after the first fraud of a run: nothing keeps it bad for ever."""

ACCOUNT, MERCHANT, PAYEE, DEVICE = "account", "merchant", "payee", "device"


def epoch_of(time: int, width: int = EPOCH_MS) -> int:
    """The boundary (epoch ms) whose lists are in force at ``time``."""
    return time - time % width


def effective_from(known_at: int, width: int = EPOCH_MS) -> int:
    """The first boundary at or after ``known_at``: where a label learned then begins to count."""
    return -(-known_at // width) * width


class Suspect(msgspec.Struct, frozen=True, gc=False):
    """So many newest labels of one party say fraud, the first of them of a payment at ``since``."""

    run: int
    since: int


class Repeats(msgspec.Struct, frozen=True, gc=False):
    """Labels that came right after a fraud of the same party: how many, and how many of them were fraud again.

    Where a shop is the criminal nearly all are; where its customers' cards were stolen elsewhere they are as rare as
    anywhere, and a shop's last fraud says nothing of its next payment.
    """

    followed: int = 0
    repeated: int = 0

    @property
    def telling(self) -> bool:
        """Whether more than half repeat; four of six are taken for granted until the labels say otherwise."""
        return 2 * (self.repeated + 4) >= self.followed + 6


class Block(msgspec.Struct, frozen=True, gc=False):
    """A party is blocked for payments whose event time lies in ``[since, until)``; no ``until`` = until lifted."""

    reason: str
    since: int
    until: int | None = None

    def holds(self, time: int) -> bool:
        """Whether a payment at ``time`` meets the block."""
        return self.since <= time and (self.until is None or time < self.until)


class Lists(msgspec.Struct, frozen=True, gc=False):
    """Everything known at one moment; keys are ``(kind, id)``."""

    suspects: Mapping[tuple[str, str], Suspect] = {}
    repeats: Mapping[str, Repeats] = {}
    """By kind of party."""
    blocks: Mapping[tuple[str, str], Block] = {}
    allowed: Mapping[tuple[str, str], Block] = {}
    snoozes: Mapping[tuple[str, str], int] = {}
    """``(rule_id, account_id)`` -> event time until which the rule raises nothing there."""

    def snoozed(self, rule_id: str, account_id: str, time: int) -> bool:
        """Whether alerts of a rule on an account are silenced at ``time``."""
        until = self.snoozes.get((rule_id, account_id))
        return until is not None and time < until


NOTHING = Lists()


class Told(NamedTuple):
    """A label about a party: of a payment at ``time`` that was fraud or not, known at ``known_at``."""

    kind: str
    party: str
    known_at: int
    transaction_id: str
    time: int
    is_fraud: bool


def lists_of(told: Iterable[Told], before: Lists = NOTHING) -> Lists:
    """What the labels told so far come to: each party's newest ones that say fraud, without a break, and how often a
    fraud is followed by another. ``before``: what earlier labels came to.

    The database keeps the same, boundary by boundary (``detection.freeze``).
    """
    found = dict(before.suspects)
    repeats = dict(before.repeats)
    for label in sorted(told, key=lambda label: (label.known_at, label.transaction_id)):
        key = label.kind, label.party
        if key in found:
            known = repeats.get(label.kind, Repeats())
            repeats[label.kind] = Repeats(known.followed + 1, known.repeated + label.is_fraud)
        if not label.is_fraud:
            found.pop(key, None)
        elif key in found:
            found[key] = Suspect(found[key].run + 1, min(found[key].since, label.time))
        else:
            found[key] = Suspect(1, label.time)
    return Lists(found, repeats)
