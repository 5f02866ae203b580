"""How detection does on the log itself, as far as anybody knows: only labels and verdicts known by now count."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from core.replay.report import Score
from core.replay.scorecard import Outcome, Raised, Truth, score

DAY_MS = 86_400_000
_PAYMENTS = """
select p.transaction_id, p.account_id, p.amount, (extract(epoch from p.event_time) * 1000)::bigint as time,
       p.decision, p.score, p.merchant_id, coalesce(p.verdict, l.is_fraud) as is_fraud, l.scenario, l.campaign_id
from read.payment p
left join detection.label l on l.transaction_id = p.transaction_id and l.known_at <= $2
where p.event_time >= $1 and p.event_time < $2
"""
# The event time at which an alert was first raised stands in its first event.
_ALERTS = """
select a.rule_id, a.account_id, a.transactions,
       coalesce((select (e.data ->> 'event_time')::bigint from log.event e
                 where e.stream = 'alert-' || a.alert_id and e.version = 1), 0) as time
from read.alert a
where a.event_time >= $1 and a.event_time < $2
"""


class RuleLine(msgspec.Struct, frozen=True, kw_only=True):
    """A rule's or feature's alerts; shares of those whose payments somebody has judged, None where nobody has."""

    rule: str
    alerts: int
    alerts_per_day: float
    precision: float | None
    recall: float | None
    f1: float | None
    flagged: int


class LiveScore(msgspec.Struct, frozen=True, kw_only=True):
    """Event time ``[since, until)``; days are counted from the first payment to the last. ``score`` is None where
    nothing is labelled. ``overlap``: payments named by alerts of both, by "a & b"."""

    since: int
    until: int
    payments: int
    labelled: int
    frauds: int
    decisions: dict[str, int]
    alerts: int
    alerts_per_1000: float
    alerts_per_day: float
    rules: list[RuleLine]
    overlap: dict[str, int]
    score: Score | None


async def live_scorecard(conn: Any, since: int, until: int) -> LiveScore:
    """The scorecard of the payments of a span of event time (epoch ms), by a connection or a pool."""
    span = datetime.fromtimestamp(since / 1000, UTC), datetime.fromtimestamp(until / 1000, UTC)
    rows = await conn.fetch(_PAYMENTS, *span)
    outcomes = [
        Outcome(
            r["transaction_id"], r["account_id"], r["amount"], r["time"], r["decision"], r["score"], r["merchant_id"]
        )
        for r in rows
    ]
    truth = {
        r["transaction_id"]: Truth(r["is_fraud"], r["scenario"] if r["is_fraud"] else None, r["campaign_id"])
        for r in rows
        if r["is_fraud"] is not None
    }
    alerts = [
        Raised(r["rule_id"], r["account_id"], r["time"], tuple(r["transactions"]))
        for r in await conn.fetch(_ALERTS, *span)
    ]
    return summed(outcomes, alerts, truth, since, until)


def summed(
    outcomes: Sequence[Outcome], alerts: Sequence[Raised], truth: Mapping[str, Truth], since: int, until: int
) -> LiveScore:
    """The scorecard of decisions and alerts against what is known; pure."""
    frauds = frozenset(name for name, fact in truth.items() if fact.is_fraud)
    decisions = {"approve": 0, "review": 0, "block": 0}
    for outcome in outcomes:
        decisions[outcome.decision] += 1
    named: dict[str, set[str]] = defaultdict(set)
    by_rule: dict[str, list[Raised]] = defaultdict(list)
    for alert in alerts:
        named[alert.rule_id].update(alert.transactions)
        by_rule[alert.rule_id].append(alert)
    times = [outcome.time for outcome in outcomes]
    days = max((max(times) - min(times)) / DAY_MS, 1 / 24) if times else 1.0
    rules = sorted(named)
    shared = {
        f"{a} & {b}": len(named[a] & named[b])
        for at, a in enumerate(rules)
        for b in rules[at + 1 :]
        if named[a] & named[b]
    }
    return LiveScore(
        since=since,
        until=until,
        payments=len(outcomes),
        labelled=len(truth),
        frauds=len(frauds),
        decisions=decisions,
        alerts=len(alerts),
        alerts_per_1000=round(1000 * len(alerts) / max(1, len(outcomes)), 3),
        alerts_per_day=round(len(alerts) / days, 2),
        rules=[_line(rule, by_rule[rule], named[rule], truth, frauds, days) for rule in rules],
        overlap=dict(sorted(shared.items(), key=lambda item: -item[1])),
        score=score(outcomes, alerts, truth) if truth else None,
    )


def _line(
    rule: str,
    alerts: Sequence[Raised],
    named: set[str],
    truth: Mapping[str, Truth],
    frauds: frozenset[str],
    days: float,
) -> RuleLine:
    judged = [alert for alert in alerts if any(name in truth for name in alert.transactions)]
    right = sum(not frauds.isdisjoint(alert.transactions) for alert in judged)
    precision = right / len(judged) if judged else None
    recall = len(named & frauds) / len(frauds) if frauds else None
    f1 = 2 * precision * recall / (precision + recall) if precision and recall else None
    return RuleLine(
        rule=rule,
        alerts=len(alerts),
        alerts_per_day=round(len(alerts) / days, 2),
        precision=None if precision is None else round(precision, 4),
        recall=None if recall is None else round(recall, 4),
        f1=None if f1 is None else round(f1, 4),
        flagged=len(named),
    )
