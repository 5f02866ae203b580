"""A payment as detection sees it: money in integer centavos, time in epoch milliseconds."""

from __future__ import annotations

import msgspec

from schema.transaction import Transaction, centavos


class Payment(msgspec.Struct, frozen=True, gc=False):
    """The fields that decide; everything but account, amount and time may be missing."""

    transaction_id: str
    account_id: str
    amount: int
    time: int
    channel: str | None = None
    category: str | None = None
    merchant_id: str | None = None
    payee_id: str | None = None
    device_id: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    produced_at: int | None = None
    balance: int | None = None
    """Centavos on the account before the payment."""
    kind: str = ""
    """What the payment is compared with: its channel and, for a purchase, the merchant's category."""
    incoming: bool = False
    """Money that comes to the account."""

    @property
    def drains(self) -> bool:
        """Whether it takes half or more of what lay on the account, and not more than all; where no balance is told,
        it may."""
        return self.balance is None or self.balance <= 2 * self.amount <= 2 * self.balance


def payment_of(tx: Transaction) -> Payment:
    """The payment of a wire record."""
    return Payment(
        tx.transaction_id,
        tx.account_id,
        centavos(tx.amount),
        tx.event_time,
        tx.channel,
        tx.merchant_category,
        tx.merchant_id,
        tx.payee_id,
        tx.device_id,
        tx.latitude,
        tx.longitude,
        tx.produced_at,
        None if tx.balance is None else centavos(tx.balance),
        tx.channel or "" if tx.merchant_category is None else f"{tx.channel or ''}/{tx.merchant_category}",
        tx.incoming,
    )
