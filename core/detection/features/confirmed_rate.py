"""Confirmed-fraud rate of the merchant or the payee: the feedback loop.

Source: the Fraud-Detection-Handbook's compromised terminals, which nothing else can see. A label counts from the list
epoch after its ``known_at``. The rate covers the newest labels (``lists.rates_at``): labels come late enough, and the
mean of a week would go on accusing a shop that has recovered.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from core.detection.features.base import Context, NoState, Outcome
from core.detection.lists import MERCHANT, PAYEE
from core.detection.payment import Payment
from schema.events import Signal

RATE = 0.5
POINTS = 500


def _rate(kind: str, party: str | None, payment: Payment, context: Context) -> Signal | None:
    if party is None:
        return None
    rate = context.lists.rates.get((kind, party))
    if rate is None or rate.frauds <= RATE * rate.labels:
        return None
    return Signal(
        id=f"{kind}_fraud_rate",
        points=POINTS,
        reason=f"{rate.frauds} of the {rate.labels} payments of this {kind} last judged were fraud",
        value=round(rate.frauds / rate.labels, 3),
        threshold=RATE,
        transactions=(payment.transaction_id,),
    )


class MerchantFraudRate:
    id: ClassVar[str] = "merchant_fraud_rate"
    State: ClassVar[type[msgspec.Struct]] = NoState

    @staticmethod
    def assess(state: NoState, payment: Payment, context: Context) -> Outcome:
        return _rate(MERCHANT, payment.merchant_id, payment, context)

    @staticmethod
    def learn(state: NoState, payment: Payment, context: Context) -> None:
        """Labels teach this feature, not payments."""


class PayeeFraudRate:
    id: ClassVar[str] = "payee_fraud_rate"
    State: ClassVar[type[msgspec.Struct]] = NoState

    @staticmethod
    def assess(state: NoState, payment: Payment, context: Context) -> Outcome:
        return _rate(PAYEE, payment.payee_id, payment, context)

    @staticmethod
    def learn(state: NoState, payment: Payment, context: Context) -> None:
        """Labels teach this feature, not payments."""
