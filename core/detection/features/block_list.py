"""Blocked account, merchant, payee or device, each with an optional end; an allow entry of the same party wins."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from core.detection.features.base import Context, NoState, Outcome
from core.detection.lists import ACCOUNT, DEVICE, MERCHANT, PAYEE
from core.detection.payment import Payment
from schema.events import Signal

POINTS = 1000


class BlockList:
    id: ClassVar[str] = "block_list"
    State: ClassVar[type[msgspec.Struct]] = NoState
    needs: ClassVar[str | None] = None

    @staticmethod
    def assess(state: NoState, payment: Payment, context: Context) -> Outcome:
        blocks = context.lists.blocks
        if not blocks:
            return None
        for kind, party in (
            (ACCOUNT, payment.account_id),
            (MERCHANT, payment.merchant_id),
            (PAYEE, payment.payee_id),
            (DEVICE, payment.device_id),
        ):
            if party is None:
                continue
            block = blocks.get((kind, party))
            if block is None or not block.holds(payment.time):
                continue
            allowed = context.lists.allowed.get((kind, party))
            if allowed is not None and allowed.holds(payment.time):
                continue
            return Signal(
                id=f"blocked_{kind}",
                points=POINTS,
                reason=f"{kind} {party} is blocked: {block.reason}",
                transactions=(payment.transaction_id,),
            )
        return None

    @staticmethod
    def learn(state: NoState, payment: Payment, context: Context) -> None:
        """Operators teach this feature, not payments."""
