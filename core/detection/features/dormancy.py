"""A sleeping account wakes: no payment for 91.3 days (a quarter of a year). Source: Tazama 003/004.

The hint stays on for the first day after waking, because the burst that follows is what the fraud looks like.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from core.detection.features.base import Context, Insufficient, Outcome
from core.detection.payment import Payment
from schema.events import Signal

DAY_MS = 86_400_000
DORMANT_MS = 7_888_320_000
POINTS = 400


class History(msgspec.Struct, array_like=True, gc=False):
    last: int = -1
    woke: int = -1
    """Event time of the payment that ended the last sleep, -1 if none."""
    slept: int = 0


class Dormancy:
    id: ClassVar[str] = "dormant_account"
    State: ClassVar[type[msgspec.Struct]] = History
    needs: ClassVar[str | None] = None

    @staticmethod
    def assess(state: History, payment: Payment, context: Context) -> Outcome:
        if state.last < 0:
            return Insufficient(Dormancy.id, 0, 1)
        slept = payment.time - state.last
        if slept <= DORMANT_MS:
            if state.woke < 0 or not 0 <= payment.time - state.woke <= DAY_MS:
                return None
            slept = state.slept
        return Signal(
            id=Dormancy.id,
            points=POINTS,
            reason=f"account woke after {slept // DAY_MS} days",
            value=round(slept / DAY_MS, 1),
            threshold=91.3,
            transactions=(payment.transaction_id,),
        )

    @staticmethod
    def learn(state: History, payment: Payment, context: Context) -> None:
        if payment.time <= state.last:
            return
        if state.last >= 0 and payment.time - state.last > DORMANT_MS:
            state.woke, state.slept = payment.time, payment.time - state.last
        state.last = payment.time
