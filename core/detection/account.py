"""What the partition remembers of one account, and its bytes.

Bounded: payments of the last quarter of an hour (at least 8, at most 48), incidents of the last hour (at most 16), and
what each feature's own docstring states.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from core.detection.decision import score
from core.detection.features import FEATURES
from schema.events import Signal

RECENT_MS = 900_000
RECENT_MIN, RECENT_MAX = 8, 48
INCIDENT_MS = 3_600_000
INCIDENTS_MAX = 16


class Recent(msgspec.Struct, array_like=True, gc=False):
    """A payment already decided, kept so that a rule's row can still change the decision."""

    transaction_id: str
    time: int
    amount: int
    offset: int
    produced_at: int | None
    channel: str | None
    merchant_id: str | None
    payee_id: str | None
    revision: int = -1
    """Revision last written to the log; -1 before the first."""
    signals: Sequence[Signal] = ()

    @property
    def score(self) -> int:
        """0-1000 by the signals known now."""
        return score(self.signals) if self.signals else 0

    def has(self, signal_id: str) -> bool:
        """Whether the signal was given already."""
        return any(signal.id == signal_id for signal in self.signals)


class Incident(msgspec.Struct, array_like=True, gc=False):
    """Rows of one rule on one account that touch in time; ``[start, end)`` is their union."""

    alert_id: str
    rule_id: str
    start: int
    end: int
    event_time: int
    windowed: bool
    """Whether every payment inside ``[start, end)`` up to ``event_time`` belongs to it, or only those named."""
    score: int
    named: list[str] = msgspec.field(default_factory=list)
    amounts: dict[str, int] = msgspec.field(default_factory=dict)
    """Payments joined so far, centavos; the first 200."""
    signals: list[Signal] = msgspec.field(default_factory=list)
    sources: list[tuple[str, int, int]] = msgspec.field(default_factory=list)
    row_count: int = 0
    row_amount: int = 0
    produced_at: int | None = None
    emitted: list[int] | None = None
    """What the alert last written to the log was made of; None before the first."""

    def shape(self) -> list[int]:
        """Numbers that change whenever the alert does."""
        joined = [len(self.amounts), len(self.named), len(self.signals), self.row_count, self.row_amount]
        return [self.start, self.end, self.event_time, self.score, *joined]

    def covers(self, payment: Recent) -> bool:
        """Whether the payment is part of the incident."""
        if payment.transaction_id in self.named:
            return True
        return self.windowed and self.start <= payment.time < self.end and payment.time <= self.event_time


class Account(msgspec.Struct, gc=False):
    features: list[Any]
    recent: dict[str, Recent] = msgspec.field(default_factory=dict)
    """By transaction id, in the order in which they came."""
    incidents: list[Incident] = msgspec.field(default_factory=list)
    clock: int = 0
    """Greatest event time seen, of payments and rows."""
    forgotten: int = -1
    """Greatest event time of a payment dropped from ``recent``; -1 if none was."""

    def forget(self) -> None:
        """Drop what is past its keeping."""
        recent = self.recent
        while len(recent) > RECENT_MIN:
            oldest = next(iter(recent.values()))
            if len(recent) <= RECENT_MAX and oldest.time >= self.clock - RECENT_MS:
                break
            if oldest.time > self.forgotten:
                self.forgotten = oldest.time
            del recent[oldest.transaction_id]
        if self.incidents:
            limit = self.clock - INCIDENT_MS
            self.incidents = [i for i in self.incidents if i.end >= limit][-INCIDENTS_MAX:]


def new_account() -> Account:
    """An account never seen."""
    return Account([feature.State() for feature in FEATURES])


class _Stored(msgspec.Struct, array_like=True, gc=False):
    features: dict[str, msgspec.Raw]
    recent: list[Recent]
    incidents: list[Incident]
    clock: int
    forgotten: int


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Stored)
_FEATURE_DECODERS = [(feature.id, msgspec.msgpack.Decoder(feature.State), feature.State) for feature in FEATURES]
_STATEFUL = [i for i, feature in enumerate(FEATURES) if feature.State.__struct_fields__]


def to_bytes(account: Account) -> bytes:
    """The account as it is stored; equal accounts give equal bytes."""
    features = {FEATURES[i].id: account.features[i] for i in _STATEFUL}
    recent = list(account.recent.values())
    return _ENCODER.encode((features, recent, account.incidents, account.clock, account.forgotten))


def from_bytes(data: bytes) -> Account:
    """The stored account; a feature added since starts empty, one removed since is dropped."""
    stored = _DECODER.decode(data)
    features: list[Any] = []
    for name, decoder, empty in _FEATURE_DECODERS:
        raw = stored.features.get(name)
        features.append(empty() if raw is None else decoder.decode(raw))
    recent = {payment.transaction_id: payment for payment in stored.recent}
    return Account(features, recent, stored.incidents, stored.clock, stored.forgotten)
