"""Wire records -> values, refusing what detection or PostgreSQL could not bear."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from core.kafka.record import BadRecord, Record
from schema import alert, label, transaction
from schema.alert import RuleAlert
from schema.label import Label
from schema.transaction import Transaction

_MAX_AMOUNT = 10**11  # reais
_MAX_ID = 128
_LAST = 4_102_444_800_000  # the year 2100: what lies beyond is a broken clock, not a payment

_TRANSACTIONS = msgspec.json.Decoder(Transaction)
_LABELS = msgspec.json.Decoder(Label)


def decode_transaction(record: Record) -> Transaction:
    """A payment; raises for what is none."""
    value = _TRANSACTIONS.decode(record.value or b"")
    _check_amount(value.amount)
    if value.balance is not None:
        _check_amount(value.balance)
    _check_time("event_time", value.event_time)
    if value.produced_at is not None:
        _check_time("produced_at", value.produced_at)
    _check_ids(value.transaction_id, value.account_id)
    _check_ids(value.merchant_id or "-", value.payee_id or "-")
    _check_ids(value.device_id or "-", value.channel or "-")
    _check_text(record)
    return value


def decode_alert(record: Record) -> RuleAlert:
    """A rule's row."""
    value = alert.decode(record.value or b"")
    if value.amount is not None:
        _check_amount(value.amount)
    for name in ("event_time", "produced_at", "window_start", "window_end"):
        time = getattr(value, name)
        if time is not None:
            _check_time(name, time)
    _check_ids(value.rule_id, value.account_id)
    _check_ids(value.transaction_id or "-", "-")
    _check_text(record)
    return value


def decode_label(record: Record) -> Label:
    """Ground truth of one payment."""
    value = _LABELS.decode(record.value or b"")
    _check_time("known_at", value.known_at)
    _check_ids(value.transaction_id, value.account_id)
    _check_text(record)
    return value


def _check_amount(amount: Decimal) -> None:
    if not (amount.is_finite() and 0 <= amount < _MAX_AMOUNT):
        raise BadRecord("invalid", f"the amount {amount} does not lie in [0, {_MAX_AMOUNT:,})")


def _check_time(name: str, time: int) -> None:
    if not 0 <= time < _LAST:
        raise BadRecord("invalid", f"{name} {time} is no time in epoch milliseconds")


def _check_ids(one: str, other: str) -> None:
    if not (0 < len(one) <= _MAX_ID and 0 < len(other) <= _MAX_ID):
        raise BadRecord("invalid", f"an identifier has no character or more than {_MAX_ID}")


def _check_text(record: Record) -> None:
    if b"\\u0000" in (record.value or b""):
        raise BadRecord("invalid", "the record holds a NUL character, which PostgreSQL cannot store")


TOPICS = {
    transaction.TOPIC: decode_transaction,
    alert.TOPIC: decode_alert,
    label.TOPIC: decode_label,
}
