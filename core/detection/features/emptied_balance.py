"""A payment that takes everything: 99 to 100 % of what lay on the account, R$ 200 at least.

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
SHARE_PER_CENT = 99
POINTS = 450


class EmptiedBalance:
    id: ClassVar[str] = "emptied_balance"
    State: ClassVar[type[msgspec.Struct]] = NoState

    @staticmethod
    def assess(state: NoState, payment: Payment, context: Context) -> Outcome:
        balance = payment.balance
        if balance is None or payment.amount < LEAST:
            return None
        if not balance * SHARE_PER_CENT <= payment.amount * 100 <= balance * 100:
            return None
        return Signal(
            id=EmptiedBalance.id,
            points=POINTS,
            reason="per cent of what lay on the account",
            value=round(100 * payment.amount / balance, 2),
            threshold=float(SHARE_PER_CENT),
            transactions=(payment.transaction_id,),
        )

    @staticmethod
    def learn(state: NoState, payment: Payment, context: Context) -> None:
        """The balance comes with the payment."""
