"""Rows of a rule -> one alert per incident.

A windowed rule answers one burst with many rows (one per overlapping window per payment); a filter rule answers each
payment with one. Rows of one rule on one account join while their windows touch; a row without a window stands for its
payment alone and joins what lies within ``GAP_MS``.
"""

from __future__ import annotations

from hashlib import blake2b

import msgspec

from core.detection.account import Account, Incident

GAP_MS = 60_000
SOURCES_MAX = 32
TRANSACTIONS_MAX = 200


class Row(msgspec.Struct, frozen=True, gc=False):
    """One finding of a rule, from ksqlDB or from the context features; amounts in centavos, times epoch ms."""

    rule_id: str
    account_id: str
    event_time: int
    points: int
    reason: str
    transaction_id: str | None = None
    window: tuple[int, int] | None = None
    amount: int = 0
    count: int = 0
    produced_at: int | None = None
    source: tuple[str, int, int] | None = None


def alert_id(rule_id: str, account_id: str, start: int) -> str:
    """The incident's name: the same rows give the same id in every run."""
    return blake2b(f"{rule_id}\0{account_id}\0{start}".encode(), digest_size=10).hexdigest()


def join(account: Account, row: Row) -> Incident:
    """The incident that the row belongs to, grown by it, or a new one."""
    start, end = row.window if row.window is not None else (row.event_time, row.event_time + 1)
    gap = 0 if row.window is not None else GAP_MS
    for incident in reversed(account.incidents):
        if incident.rule_id != row.rule_id:
            continue
        named = row.transaction_id is not None and row.transaction_id in incident.named
        if named or (start <= incident.end + gap and incident.start - gap <= end):
            break
    else:
        incident = Incident(
            alert_id(row.rule_id, row.account_id, start),
            row.rule_id,
            start,
            end,
            row.event_time,
            row.window is not None,
            min(row.points, 1000),
        )
        account.incidents.append(incident)
    incident.start = min(incident.start, start)
    incident.end = max(incident.end, end)
    incident.event_time = max(incident.event_time, row.event_time)
    incident.row_count = max(incident.row_count, row.count)
    incident.row_amount = max(incident.row_amount, row.amount)
    if row.transaction_id is not None and row.transaction_id not in incident.named:
        if len(incident.named) < TRANSACTIONS_MAX:
            incident.named.append(row.transaction_id)
        if row.source is not None and len(incident.sources) < SOURCES_MAX:
            incident.sources.append(row.source)
    if row.produced_at is not None and (incident.produced_at is None or row.produced_at < incident.produced_at):
        incident.produced_at = row.produced_at
    return incident


def refresh(incident: Incident, account: Account) -> None:
    """Bring the incident's payments, signals and score up to what the account remembers."""
    for payment in account.recent.values():
        if not incident.covers(payment):
            continue
        if payment.transaction_id not in incident.amounts and len(incident.amounts) < TRANSACTIONS_MAX:
            incident.amounts[payment.transaction_id] = payment.amount
        incident.score = max(incident.score, payment.score)
        for signal in payment.signals:
            if all(signal.id != known.id for known in incident.signals):
                incident.signals.append(signal)
