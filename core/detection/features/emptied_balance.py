"""A payment that takes everything: R$ 200 at least, and less than R$ 1 stays on the account.

Source: PaySim's fraudster, who drains an account by one transfer and cashes out the same sum. It needs the balance
before the payment, which not every source tells; without one the feature is silent.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from core.detection.features.base import Context, NoState, Outcome
from core.detection.payment import Payment
from schema.events import Signal

LEAST = 200_00
LEFT = 1_00
POINTS = 450


class EmptiedBalance:
    id: ClassVar[str] = "emptied_balance"
    State: ClassVar[type[msgspec.Struct]] = NoState
    needs: ClassVar[str | None] = "balance"

    @staticmethod
    def assess(state: NoState, payment: Payment, context: Context) -> Outcome:
        balance = payment.balance
        if balance is None or payment.amount < LEAST:
            return None
        if not 0 <= balance - payment.amount < LEFT:
            return None
        return Signal(
            id=EmptiedBalance.id,
            points=POINTS,
            reason="reais left of what lay on the account",
            value=(balance - payment.amount) / 100,
            threshold=LEFT / 100,
            transactions=(payment.transaction_id,),
        )

    @staticmethod
    def learn(state: NoState, payment: Payment, context: Context) -> None:
        """The balance comes with the payment."""
