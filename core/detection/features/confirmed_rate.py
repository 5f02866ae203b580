"""Confirmed-fraud rate of the merchant or the payee: the feedback loop.

Source: the Fraud-Detection-Handbook's compromised terminals, where it lifts recall from .28 to .68. A label counts from
the list epoch after its ``known_at``; the rate covers what became known within seven days, and needs one label.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from core.detection.features.base import Context, NoState, Outcome
from core.detection.lists import MERCHANT, PAYEE
from core.detection.payment import Payment
from schema.events import Signal

RATE = 0.5
MIN_LABELS = 1
POINTS = 500


def _rate(kind: str, party: str | None, payment: Payment, context: Context) -> Signal | None:
    if party is None:
        return None
    rate = context.lists.rates.get((kind, party))
    if rate is None or rate.labels < MIN_LABELS or rate.frauds <= RATE * rate.labels:
        return None
    return Signal(
        id=f"{kind}_fraud_rate",
        points=POINTS,
        reason=f"{rate.frauds} of {rate.labels} payments of this {kind} known as fraud within 7 days",
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
    def learn(state: NoState, payment: Payment) -> None:
        """Labels teach this feature, not payments."""


class PayeeFraudRate:
    id: ClassVar[str] = "payee_fraud_rate"
    State: ClassVar[type[msgspec.Struct]] = NoState

    @staticmethod
    def assess(state: NoState, payment: Payment, context: Context) -> Outcome:
        return _rate(PAYEE, payment.payee_id, payment, context)

    @staticmethod
    def learn(state: NoState, payment: Payment) -> None:
        """Labels teach this feature, not payments."""
