"""First payment to a payee. Source: Tazama 030. One payment in thirty goes to somebody new, so it is only a hint.

Payees are kept as 32-bit checksums, the 64 most recently paid: two of them meet by chance once in 60 million.
"""

from __future__ import annotations

from typing import ClassVar
from zlib import crc32

import msgspec

from core.detection.features.base import Context, Insufficient, Outcome
from core.detection.payment import Payment
from schema.events import Signal

MIN_PAYMENTS = 5
KEPT = 64
POINTS = 100


class History(msgspec.Struct, array_like=True):
    payees: list[int] = msgspec.field(default_factory=list)
    payments: int = 0


class NewPayee:
    id: ClassVar[str] = "new_payee"
    State: ClassVar[type[msgspec.Struct]] = History

    @staticmethod
    def assess(state: History, payment: Payment, context: Context) -> Outcome:
        payee = payment.payee_id
        if payee is None or crc32(payee.encode()) in state.payees:
            return None
        if state.payments < MIN_PAYMENTS:
            return Insufficient(NewPayee.id, state.payments, MIN_PAYMENTS)
        return Signal(
            id=NewPayee.id,
            points=POINTS,
            reason=f"payee never paid in {state.payments} payments",
            transactions=(payment.transaction_id,),
        )

    @staticmethod
    def learn(state: History, payment: Payment, context: Context) -> None:
        if payment.payee_id is None:
            return
        payees = state.payees
        payee = crc32(payment.payee_id.encode())
        state.payments += 1
        if payees and payees[-1] == payee:
            return
        if payee in payees:
            payees.remove(payee)
        payees.append(payee)
        if len(payees) > KEPT:
            del payees[0]
