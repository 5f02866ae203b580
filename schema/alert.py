"""Topic ``fraud_alerts``: what ksqlDB rules write, key ``account_id``, JSON.

ksqlDB writes column names in upper case; readers accept either case (``decode``). One burst makes many rows (one per
overlapping window per payment); joining them into incidents is the consumer's work, not this contract's.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

TOPIC = "fraud_alerts"
PARTITIONS = 4


class RuleAlert(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One row of a rule. Times are epoch milliseconds; windows are half-open ``[window_start, window_end)``."""

    rule_id: str
    account_id: str
    transaction_id: str | None = None
    amount: Decimal | None = None
    txn_count: int | None = None
    window_start: int | None = None
    window_end: int | None = None
    event_time: int | None = None
    produced_at: int | None = None


_FIELDS = frozenset(RuleAlert.__struct_fields__)


def decode(value: bytes) -> RuleAlert:
    """Decode a record of either case; raises ``msgspec.ValidationError`` or ``msgspec.DecodeError`` with the reason."""
    row: Any = msgspec.json.decode(value, type=dict[str, Any])
    folded = {name: field for key, field in row.items() if (name := key.lower()) in _FIELDS}
    return msgspec.convert(folded, RuleAlert, strict=False)
