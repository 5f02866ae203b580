"""What a feature is: a per-account state, a question asked before the payment is learned, and the learning."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

import msgspec

from core.detection.lists import Lists
from core.detection.payment import Payment
from core.detection.population import Population
from schema.events import Signal


class Insufficient(msgspec.Struct, frozen=True, gc=False):
    """The feature cannot judge: too little is known. An outcome of its own, never "fine"."""

    id: str
    have: int
    need: int

    def as_signal(self) -> Signal:
        """The outcome as it is shown beside the reasons of a decision; it gives no points."""
        return Signal(
            id=self.id, points=0, reason="insufficient history", value=float(self.have), threshold=float(self.need)
        )


class Context(msgspec.Struct, frozen=True, gc=False):
    """What a feature may look at besides the account: the partition's population and the lists in force."""

    population: Population
    lists: Lists


Outcome = Signal | Insufficient | None

NEEDED = ("merchant_id", "payee_id", "device_id", "latitude", "balance")
"""Fields of a payment that many lack and that a feature may rest on."""


class Feature(Protocol):
    """One way of looking at a payment. ``State`` is a mutable msgspec struct, empty for an account never seen."""

    id: ClassVar[str]
    State: ClassVar[type[msgspec.Struct]]
    needs: ClassVar[str | None]
    """The one of ``NEEDED`` without which the feature has nothing to say and nothing to learn; it is not asked then."""

    @staticmethod
    def assess(state: Any, payment: Payment, context: Context) -> Outcome:
        """Judge the payment by what was learned before it."""
        ...

    @staticmethod
    def learn(state: Any, payment: Payment, context: Context) -> None:
        """Take the payment into the account's history."""
        ...


class NoState(msgspec.Struct, array_like=True, gc=False):
    """State of a feature that keeps none."""
