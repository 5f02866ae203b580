"""Structuring: a large sum in equal pieces, each under somebody's limit.

Source: Tazama 006 and 021: five payments within a tenth of each other in 24 hours. Together they must make a sum worth
splitting, so that five bus tickets do not count.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from core.detection.features.base import Context, Outcome
from core.detection.payment import Payment
from schema.events import Signal

DAY_MS = 86_400_000
SIMILAR = 5
TOLERANCE_PER_CENT = 10
LEAST_SUM = 1_000_00
KEPT = 12
POINTS = 450


class History(msgspec.Struct, array_like=True, gc=False):
    """``[event time, centavos]`` of the last payments, at most 12."""

    payments: list[tuple[int, int]] = msgspec.field(default_factory=list)


class SimilarAmounts:
    id: ClassVar[str] = "similar_amounts"
    State: ClassVar[type[msgspec.Struct]] = History
    needs: ClassVar[str | None] = None

    @staticmethod
    def assess(state: History, payment: Payment, context: Context) -> Outcome:
        if len(state.payments) < SIMILAR - 1 or payment.amount * KEPT < LEAST_SUM:
            return None
        amount, now = payment.amount, payment.time
        most = amount * TOLERANCE_PER_CENT // 100
        least, greatest = amount - most, amount + most
        # The amount is asked first: it seldom fits.
        alike = [other for time, other in state.payments if least <= other <= greatest and 0 <= now - time <= DAY_MS]
        if len(alike) + 1 < SIMILAR or sum(alike) + amount < LEAST_SUM:
            return None
        return Signal(
            id=SimilarAmounts.id,
            points=POINTS,
            reason="payments of about the same amount in 24 hours",
            value=float(len(alike) + 1),
            threshold=float(SIMILAR),
            transactions=(payment.transaction_id,),
        )

    @staticmethod
    def learn(state: History, payment: Payment, context: Context) -> None:
        state.payments.append((payment.time, payment.amount))
        if len(state.payments) > KEPT:
            del state.payments[0]
