"""The merchant's or the payee's newest labels are all fraud: the feedback loop.

Source: the Fraud-Detection-Handbook's compromised terminals, which nothing else can see: from one day on all payments
there are fraud, for 28 days, and then none. So the newest labels speak, not the mean of a week: one that is fraud makes
a suspect, one that is honest clears it, and 28 days after the first fraud of the run it is over anyway. A fraud that
the account's own behaviour explains (a leaked card) says nothing of the merchant and is left out. A label counts from
the list epoch after its ``known_at``.

Whether that speaks for itself is what the labels teach too: where a fraud of a merchant is seldom followed by another
(cards stolen elsewhere are used in any shop), it is a hint and no more.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from core.detection.features.base import Context, NoState, Outcome
from core.detection.lists import MERCHANT, PAYEE, SUSPECT_MS, Repeats
from core.detection.payment import Payment
from schema.events import Signal

POINTS = 500
HINT_POINTS = 100
RUN = 1


def _suspect(kind: str, party: str | None, payment: Payment, context: Context) -> Signal | None:
    if party is None:
        return None
    found = context.lists.suspects.get((kind, party))
    if found is None or found.run < RUN or payment.time - found.since >= SUSPECT_MS:
        return None
    return Signal(
        id=f"{kind}_fraud_rate",
        points=POINTS if context.lists.repeats.get(kind, Repeats()).telling else HINT_POINTS,
        reason=f"the newest known labels of this {kind} are fraud, without a break",
        value=float(found.run),
        threshold=float(RUN),
        transactions=(payment.transaction_id,),
    )


class MerchantFraudRate:
    id: ClassVar[str] = "merchant_fraud_rate"
    State: ClassVar[type[msgspec.Struct]] = NoState
    needs: ClassVar[str | None] = "merchant_id"

    @staticmethod
    def assess(state: NoState, payment: Payment, context: Context) -> Outcome:
        return _suspect(MERCHANT, payment.merchant_id, payment, context)

    @staticmethod
    def learn(state: NoState, payment: Payment, context: Context) -> None:
        """Labels teach this feature, not payments."""


class PayeeFraudRate:
    id: ClassVar[str] = "payee_fraud_rate"
    State: ClassVar[type[msgspec.Struct]] = NoState
    needs: ClassVar[str | None] = "payee_id"

    @staticmethod
    def assess(state: NoState, payment: Payment, context: Context) -> Outcome:
        return _suspect(PAYEE, payment.payee_id, payment, context)

    @staticmethod
    def learn(state: NoState, payment: Payment, context: Context) -> None:
        """Labels teach this feature, not payments."""
