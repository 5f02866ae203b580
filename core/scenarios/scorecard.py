"""The verdict on one scenario run: which incidents were found, how late, and what the delay cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from core.scenarios.campaign import Campaign
from schema.transaction import centavos


class Found(msgspec.Struct, frozen=True, gc=False):
    """An alert that touches a campaign. ``event_time``: of the first raise, event time; ``raised_at``: wall, ms."""

    alert_id: str
    rule_id: str
    account_id: str
    event_time: int
    raised_at: int
    transactions: tuple[str, ...]


class Verdict(msgspec.Struct, frozen=True):
    """Counts of expected incidents; times in ms from the first fraudulent payment to the first alert; centavos lost."""

    expected: int
    caught: int
    missed: int
    false_alerts: int
    time_to_detect_ms: int | None
    detected_wall_ms: int | None
    money_lost: int
    caught_by: Mapping[str, int]


def judge(campaign: Campaign, alerts: Sequence[Found], first_sent_at: int | None = None) -> Verdict:
    """Score a campaign by the alerts that name its payments.

    An expected account is caught by an alert that names one of its fraudulent payments. Money is lost when it was paid
    before the first such alert's event time; of an account never caught all of it is. An alert that names only honest
    payments of the campaign is false. ``first_sent_at``: wall clock (ms) at which the first fraud was sent.
    """
    fraud = {planned.transaction.transaction_id for planned in campaign.frauds}
    honest = {p.transaction.transaction_id for p in campaign.payments if not p.label.is_fraud}
    first_alert: dict[str, Found] = {}
    false_alerts = 0
    rules: dict[str, int] = {}
    for alert in sorted(alerts, key=lambda alert: (alert.event_time, alert.raised_at)):
        if fraud.isdisjoint(alert.transactions):
            false_alerts += not honest.isdisjoint(alert.transactions)
            continue
        rules[alert.rule_id] = rules.get(alert.rule_id, 0) + 1
        first_alert.setdefault(alert.account_id, alert)
    caught = [account for account in campaign.expected if account in first_alert]
    first = min((first_alert[account] for account in caught), key=lambda alert: alert.event_time, default=None)
    began = min((p.transaction.event_time for p in campaign.frauds), default=0)
    earliest = min((first_alert[account].raised_at for account in caught), default=None)
    return Verdict(
        expected=len(campaign.expected),
        caught=len(caught),
        missed=len(campaign.expected) - len(caught),
        false_alerts=false_alerts,
        time_to_detect_ms=None if first is None else max(0, first.event_time - began),
        detected_wall_ms=None if earliest is None or first_sent_at is None else max(0, earliest - first_sent_at),
        money_lost=_lost(campaign, {account: alert.event_time for account, alert in first_alert.items()}),
        caught_by=rules,
    )


def _lost(campaign: Campaign, detected: Mapping[str, int]) -> int:
    losses: Iterable[int] = (
        centavos(planned.transaction.amount)
        for planned in campaign.frauds
        if planned.transaction.event_time < detected.get(planned.transaction.account_id, 1 << 62)
    )
    return sum(losses)
