"""First payment to a payee. Source: Tazama 030. One payment in thirty goes to somebody new, so it is only a hint.

Five new payees within eight hours are more (Tazama 017, divergence): an account that is passing money on, whatever its
history.

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
SPREAD = 5
SPREAD_MS = 8 * 3_600_000
SPREAD_POINTS = 450


class History(msgspec.Struct, array_like=True, gc=False):
    payees: list[int] = msgspec.field(default_factory=list)
    payments: int = 0
    novelties: list[int] = msgspec.field(default_factory=list)
    """Event times of the last first payments, at most five."""


class NewPayee:
    id: ClassVar[str] = "new_payee"
    State: ClassVar[type[msgspec.Struct]] = History
    needs: ClassVar[str | None] = "payee_id"

    @staticmethod
    def assess(state: History, payment: Payment, context: Context) -> Outcome:
        payee = payment.payee_id
        if payee is None or crc32(payee.encode()) in state.payees:
            return None
        if len(state.novelties) >= SPREAD - 1:
            spread = 1 + sum(0 <= payment.time - time <= SPREAD_MS for time in state.novelties)
            if spread >= SPREAD:
                return Signal(
                    id=NewPayee.id,
                    points=SPREAD_POINTS,
                    reason="payees never paid before within 8 hours",
                    value=float(spread),
                    threshold=float(SPREAD),
                    transactions=(payment.transaction_id,),
                )
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
        else:
            state.novelties.append(payment.time)
            if len(state.novelties) > SPREAD:
                del state.novelties[0]
        payees.append(payee)
        if len(payees) > KEPT:
            del payees[0]
