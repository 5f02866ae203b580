"""Amount against everybody's amounts on the same channel: more than four standard deviations above the mean.

Source: Tazama 020/048 (standard deviations above the mean); on heavy-tailed channels such as Pix the deviation is large
by itself, so the line moves up with the traffic instead of being a number somebody chose.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from core.detection.features.base import Context, Insufficient, NoState, Outcome
from core.detection.payment import Payment
from schema.events import Signal

MIN_PAYMENTS = 500
DEVIATIONS = 4.0
POINTS = 450


class PopulationAmount:
    id: ClassVar[str] = "population_amount"
    State: ClassVar[type[msgspec.Struct]] = NoState

    @staticmethod
    def assess(state: NoState, payment: Payment, context: Context) -> Outcome:
        count, mean, deviation = context.population.amount(payment.channel)
        if count < MIN_PAYMENTS:
            return Insufficient(PopulationAmount.id, count, MIN_PAYMENTS)
        if payment.amount > mean + DEVIATIONS * deviation:
            return Signal(
                id=PopulationAmount.id,
                points=POINTS,
                reason="standard deviations above the mean of the channel",
                value=round((payment.amount - mean) / deviation, 2) if deviation else None,
                threshold=DEVIATIONS,
                transactions=(payment.transaction_id,),
            )
        return None

    @staticmethod
    def learn(state: NoState, payment: Payment, context: Context) -> None:
        """The population learns for the whole partition at once (``PartitionState``)."""
