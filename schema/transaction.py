"""Topic ``transactions``: one payment a record, key ``account_id``, JSON.

Readers on the hot path decode into ``Transaction`` with msgspec (about 0.4 us a record); amounts come as JSON numbers
in reais with two decimals and are turned into integer centavos by ``centavos``.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

TOPIC = "transactions"
PARTITIONS = 4
SCHEMA_VERSION = 1

CHANNELS = ("PIX", "CREDIT", "DEBIT", "BOLETO", "TED")


class Transaction(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """A payment as it lies on the wire. Only account, amount and time are required: replayed files have little more.

    ``balance`` is what lay on the account before the payment, reais; ``incoming``: the money comes to the account, as a
    deposit does. Times are epoch milliseconds: ``event_time``
    decides, ``produced_at`` (wall clock of the producer) only measures.
    """

    transaction_id: str
    account_id: str
    amount: Decimal
    event_time: int
    channel: str | None = None
    merchant_id: str | None = None
    merchant_name: str | None = None
    merchant_category: str | None = None
    payee_id: str | None = None
    device_id: str | None = None
    city: str | None = None
    state: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    balance: Decimal | None = None
    incoming: bool = False
    produced_at: int | None = None
    schema_version: int = SCHEMA_VERSION


_CENT = Decimal(100)


def centavos(amount: Decimal) -> int:
    """Reais to integer centavos; a third decimal (a rounding slip of a producer) rounds half to even."""
    return round(amount * _CENT)  # of a Decimal: half to even


def reais(amount: int) -> Decimal:
    """Integer centavos to reais with two decimals."""
    return Decimal(amount).scaleb(-2)
