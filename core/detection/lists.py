"""What analysts and labels taught: blocked parties, and how often a merchant or payee was confirmed as fraud.

Confirmed-fraud counts come in *epochs* of event time: what is learned at ``known_at`` takes effect at the next
boundary. A payment is judged by the epoch of its own time, so the outcome depends on what was known, never on when a
record happened to be read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

EPOCH_MS = 6 * 3_600_000
RATE_WINDOW_MS = 7 * 86_400_000

ACCOUNT, MERCHANT, PAYEE, DEVICE = "account", "merchant", "payee", "device"


def epoch_of(time: int) -> int:
    """The boundary (epoch ms) whose lists are in force at ``time``."""
    return time - time % EPOCH_MS


def effective_from(known_at: int) -> int:
    """The first boundary at or after ``known_at``: where a label learned then begins to count."""
    return -(-known_at // EPOCH_MS) * EPOCH_MS


class Rate(msgspec.Struct, frozen=True, gc=False):
    """Labels known about one party within the last 7 days, and how many of them said fraud."""

    labels: int
    frauds: int


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

    rates: Mapping[tuple[str, str], Rate] = {}
    blocks: Mapping[tuple[str, str], Block] = {}
    allowed: Mapping[tuple[str, str], Block] = {}
    snoozes: Mapping[tuple[str, str], int] = {}
    """``(rule_id, account_id)`` -> event time until which the rule raises nothing there."""

    def snoozed(self, rule_id: str, account_id: str, time: int) -> bool:
        """Whether alerts of a rule on an account are silenced at ``time``."""
        until = self.snoozes.get((rule_id, account_id))
        return until is not None and time < until


NOTHING = Lists()


class Confirmed(msgspec.Struct, frozen=True, gc=False):
    """One label joined with its payment's parties."""

    kind: str
    party: str
    known_at: int
    is_fraud: bool


def rates_at(boundary: int, confirmed: Iterable[Confirmed]) -> dict[tuple[str, str], Rate]:
    """Counts in force from ``boundary`` on: labels that took effect within the window before it.

    A party without a confirmed fraud is left out: it can give no signal.
    """
    labels: dict[tuple[str, str], int] = {}
    frauds: dict[tuple[str, str], int] = {}
    for item in confirmed:
        effective = effective_from(item.known_at)
        if boundary - RATE_WINDOW_MS < effective <= boundary:
            key = item.kind, item.party
            labels[key] = labels.get(key, 0) + 1
            if item.is_fraud:
                frauds[key] = frauds.get(key, 0) + 1
    return {key: Rate(labels[key], count) for key, count in frauds.items()}
