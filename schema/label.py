"""Topic ``transaction_labels``: ground truth, apart from the payments and late, key ``account_id``, JSON.

No rule reads it. It scores; and after ``known_at`` it feeds merchant and payee lists as analysts' confirmations do.
"""

from __future__ import annotations

import msgspec

TOPIC = "transaction_labels"
PARTITIONS = 4


class Label(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """What a payment truly was; ``known_at`` is the event time (epoch ms) at which the bank learns it."""

    transaction_id: str
    account_id: str
    is_fraud: bool
    known_at: int
    scenario: str | None = None
    campaign_id: str | None = None
    role: str | None = None
    sequence: int | None = None
