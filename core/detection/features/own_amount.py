"""Amount against the account's own mean of the last 30 days.

Source: the Fraud-Detection-Handbook's leaked-card scenario (amounts five times the customer's) and Tazama 018/020/048.
The mean runs over the account's payments seen before this one in the 30 calendar days (UTC) up to its day; it needs
five of them, otherwise the outcome is "insufficient history".
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from core.detection.features.base import Context, Insufficient, Outcome
from core.detection.payment import Payment
from schema.events import Signal

DAY_MS = 86_400_000
DAYS = 30
MIN_PAYMENTS = 5
RATIO = 3.0
POINTS = 450


class History(msgspec.Struct, array_like=True):
    """``[day, payments, centavos]`` in order of day; at most 31."""

    days: list[list[int]] = msgspec.field(default_factory=list)


class OwnAmount:
    id: ClassVar[str] = "own_amount"
    State: ClassVar[type[msgspec.Struct]] = History

    @staticmethod
    def assess(state: History, payment: Payment, context: Context) -> Outcome:
        day = payment.time // DAY_MS
        count = total = 0
        for when, payments, centavos in state.days:
            if day - DAYS <= when <= day:
                count += payments
                total += centavos
        if count < MIN_PAYMENTS:
            return Insufficient(OwnAmount.id, count, MIN_PAYMENTS)
        if payment.amount * count > RATIO * total:
            return Signal(
                id=OwnAmount.id,
                points=POINTS,
                reason=f"amount against own mean of {count} payments in 30 days",
                value=round(payment.amount * count / total, 2) if total else None,
                threshold=RATIO,
                transactions=(payment.transaction_id,),
            )
        return None

    @staticmethod
    def learn(state: History, payment: Payment) -> None:
        day = payment.time // DAY_MS
        days = state.days
        at = len(days)
        while at and days[at - 1][0] > day:
            at -= 1
        if at and days[at - 1][0] == day:
            days[at - 1][1] += 1
            days[at - 1][2] += payment.amount
            return
        if days and day < days[-1][0] - DAYS:
            return
        days.insert(at, [day, 1, payment.amount])
        while days[0][0] < days[-1][0] - DAYS:
            del days[0]
