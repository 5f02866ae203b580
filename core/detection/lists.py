"""What analysts and labels taught: blocked parties, and how often a merchant or payee was confirmed as fraud.

Confirmed-fraud counts come in *epochs* of event time: what is learned at ``known_at`` takes effect at the next
boundary. A payment is judged by the epoch of its own time, so the outcome depends on what was known, never on when a
record happened to be read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

EPOCH_MS = 6 * 3_600_000
LIVE_EPOCH_MS = 10_000
"""Between boundaries of what happens now; history, where nobody waits, has the wide ones."""
RATE_WINDOW_MS = 7 * 86_400_000
RECENT_MS = 86_400_000
MIN_LABELS = 2

ACCOUNT, MERCHANT, PAYEE, DEVICE = "account", "merchant", "payee", "device"


def epoch_of(time: int, width: int = EPOCH_MS) -> int:
    """The boundary (epoch ms) whose lists are in force at ``time``."""
    return time - time % width


def effective_from(known_at: int, width: int = EPOCH_MS) -> int:
    """The first boundary at or after ``known_at``: where a label learned then begins to count."""
    return -(-known_at // width) * width


class Rate(msgspec.Struct, frozen=True, gc=False):
    """The newest labels known about one party (``rates_at``), and how many of them said fraud."""

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
    """Labels of one party that took effect at one boundary."""

    kind: str
    party: str
    effective: int
    labels: int
    frauds: int


def rates_at(boundary: int, confirmed: Iterable[Confirmed]) -> dict[tuple[str, str], Rate]:
    """The newest labels of each party in force from ``boundary`` on: those of the last day, and as many epochs before
    it, within a week, as it takes to have two labels.

    A party without a confirmed fraud among them is left out: it can give no signal.
    """
    by_party: dict[tuple[str, str], list[Confirmed]] = {}
    for item in confirmed:
        if boundary - RATE_WINDOW_MS < item.effective <= boundary:
            by_party.setdefault((item.kind, item.party), []).append(item)
    rates: dict[tuple[str, str], Rate] = {}
    for key, items in by_party.items():
        labels = frauds = 0
        oldest = boundary
        for item in sorted(items, key=lambda item: -item.effective):
            if labels >= MIN_LABELS and item.effective <= boundary - RECENT_MS and item.effective < oldest:
                break
            oldest = item.effective
            labels += item.labels
            frauds += item.frauds
        if frauds:
            rates[key] = Rate(labels, frauds)
    return rates
