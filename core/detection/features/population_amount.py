"""Amount against everybody's amounts on the same channel: more than four standard deviations above the mean.

The deviation is known no better than the accounts are many that it was taken from: the line lies farther by the root of
their number.

Source: Tazama 020/048. Where amounts keep near their mean (the Handbook's cards), nothing honest lies so far out. Where
they do not (Pix: a Pareto tail), four deviations are a daily sight: there it is a hint, and an alert of its own only
for the one payment in two thousand.
"""

from __future__ import annotations

from math import sqrt
from typing import ClassVar

import msgspec

from core.detection.features.base import Context, Insufficient, NoState, Outcome
from core.detection.payment import Payment
from schema.events import Signal

MIN_PAYMENTS = 200
DEVIATIONS = 4.0
UNCERTAIN = 0.6
TAME = 1.0
"""Deviation over mean up to which four deviations are something rare."""
RARE = 0.0005
POINTS = 450
HINT_POINTS = 100


class PopulationAmount:
    id: ClassVar[str] = "population_amount"
    State: ClassVar[type[msgspec.Struct]] = NoState
    needs: ClassVar[str | None] = None

    @staticmethod
    def assess(state: NoState, payment: Payment, context: Context) -> Outcome:
        amounts = context.population.channel(payment.kind, payment.channel)
        if amounts.count < MIN_PAYMENTS:
            return Insufficient(PopulationAmount.id, int(amounts.count), MIN_PAYMENTS)
        if payment.amount <= amounts.mean():  # most are; the deviation costs a root
            return None
        mean, deviation = amounts.moments()
        deviations = DEVIATIONS * (1 + UNCERTAIN / sqrt(max(1, context.population.accounts)))
        line = mean + deviations * deviation
        if payment.amount <= line:
            return None
        tame = deviation <= TAME * mean
        beyond = tame or payment.amount > amounts.exceeded_by(RARE)
        return Signal(
            id=PopulationAmount.id,
            points=POINTS if beyond and payment.drains else HINT_POINTS,
            reason=f"standard deviations above the mean of {payment.channel or 'all payments'}",
            value=round((payment.amount - mean) / deviation, 2) if deviation else None,
            threshold=round(deviations, 2),
            transactions=(payment.transaction_id,),
        )

    @staticmethod
    def learn(state: NoState, payment: Payment, context: Context) -> None:
        """The population learns for the whole partition at once (``PartitionState``)."""
