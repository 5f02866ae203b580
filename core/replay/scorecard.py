"""Decisions and alerts against ground truth; pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import median

import msgspec

from core.replay.report import DetectTime, ScenarioLine, Score

DAY_MS = 86_400_000
CARDS = 100


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """A payment with its standing decision; money in centavos, time epoch ms."""

    transaction_id: str
    account_id: str
    amount: int
    time: int
    decision: str
    score: int
    merchant_id: str | None = None


class Raised(msgspec.Struct, frozen=True, gc=False):
    """An alert with the payments it names; ``time`` is the event time at which it was first raised."""

    rule_id: str
    account_id: str
    time: int
    transactions: tuple[str, ...]


class Truth(msgspec.Struct, frozen=True, gc=False):
    """What a payment was. ``campaign``: payments of one crime share it; None: of one account and scenario they do."""

    is_fraud: bool
    scenario: str | None = None
    campaign: str | None = None


def later(
    outcomes: Iterable[Outcome], truth: Mapping[str, Truth], since: int, delay: int
) -> tuple[dict[str, Truth], frozenset[str]]:
    """The truth about payments from event time ``since`` on, and the accounts known to be compromised by then (a fraud
    is known ``delay`` ms after it)."""
    kept: dict[str, Truth] = {}
    known: set[str] = set()
    for outcome in outcomes:
        fact = truth.get(outcome.transaction_id)
        if fact is None:
            continue
        if outcome.time >= since:
            kept[outcome.transaction_id] = fact
        elif fact.is_fraud and outcome.time + delay <= since:
            known.add(outcome.account_id)
    return kept, frozenset(known)


def score(
    outcomes: Sequence[Outcome],
    alerts: Sequence[Raised],
    truth: Mapping[str, Truth],
    known: frozenset[str] = frozenset(),
) -> Score:
    """The scorecard of the payments that have a truth; alerts that name none of them do not count.

    ``known``: accounts known to be compromised before, which the card precision leaves out.
    """
    judged = [outcome for outcome in outcomes if outcome.transaction_id in truth]
    relevant = [alert for alert in alerts if any(name in truth for name in alert.transactions)]
    fraud_ids = {o.transaction_id for o in judged if truth[o.transaction_id].is_fraud}
    alerted = {name for alert in relevant for name in alert.transactions}
    flagged = {o.transaction_id for o in judged if o.decision != "approve"}
    found = fraud_ids & (flagged | alerted)
    right = [alert for alert in relevant if not fraud_ids.isdisjoint(alert.transactions)]
    honest = len(judged) - len(fraud_ids)
    wrongly = sum(o.transaction_id not in fraud_ids and o.transaction_id in flagged for o in judged)
    precision, recall = _share(len(right), len(relevant)), _share(len(found), len(fraud_ids))
    lines, delays, lost = _campaigns(judged, relevant, truth)
    days = {outcome.time // DAY_MS for outcome in judged}
    return Score(
        precision=precision,
        recall=recall,
        f1=None if not precision or not recall else round(2 * precision * recall / (precision + recall), 4),
        alerts_per_day=round(len(relevant) / max(1, len(days)), 2),
        recall_by_scenario=_recall_by_scenario(fraud_ids, found, truth),
        card_precision={str(CARDS): round(card_precision(judged, truth, CARDS, known), 4)} if fraud_ids else {},
        false_positive_rate=_share(wrongly, honest, 6),
        time_to_detect_s=DetectTime(_quantile(delays, 0.5), _quantile(delays, 0.9)),
        money_lost_centavos=lost,
        scenarios=lines,
        precision_by_rule=_precision_by_rule(relevant, fraud_ids),
        flagged_precision=_share(len(flagged & fraud_ids), len(flagged)),
    )


def card_precision(
    judged: Sequence[Outcome], truth: Mapping[str, Truth], k: int, before: frozenset[str] = frozenset()
) -> float:
    """Mean over the days of the share of compromised accounts among the ``k`` of highest score that day.

    The Handbook's measure: an account known ``before``, or found compromised on one day, is left out on the days
    after. Ties are broken by the day's greatest amount.
    """
    days: dict[int, dict[str, tuple[int, int]]] = defaultdict(dict)
    bad: dict[int, set[str]] = defaultdict(set)
    for outcome in judged:
        day = outcome.time // DAY_MS
        rank = outcome.score, outcome.amount
        days[day][outcome.account_id] = max(rank, days[day].get(outcome.account_id, rank))
        if truth[outcome.transaction_id].is_fraud:
            bad[day].add(outcome.account_id)
    known = set(before)
    shares = []
    for day in sorted(days):
        ranked = sorted((a for a in days[day] if a not in known), key=lambda a: (days[day][a], a), reverse=True)[:k]
        found = [account for account in ranked if account in bad[day]]
        shares.append(len(found) / k)
        known.update(found)
    return sum(shares) / len(shares) if shares else 0.0


def _campaigns(
    judged: Iterable[Outcome], alerts: Iterable[Raised], truth: Mapping[str, Truth]
) -> tuple[list[ScenarioLine], list[float], int]:
    """Incidents by scenario, seconds to detection of those caught, centavos paid before detection."""
    first_alert: dict[str, int] = {}
    for alert in alerts:
        for name in alert.transactions:
            first_alert[name] = min(alert.time, first_alert.get(name, alert.time))
    crimes: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
    for outcome in judged:
        fact = truth[outcome.transaction_id]
        if fact.is_fraud:
            scenario = fact.scenario or "fraud"
            crimes[scenario, f"{fact.campaign or ''}/{outcome.account_id}"].append(outcome)
    by_scenario: dict[str, list[tuple[float | None, int]]] = defaultdict(list)
    for (scenario, _), payments in sorted(crimes.items()):
        began = min(payment.time for payment in payments)
        seen = [first_alert[p.transaction_id] for p in payments if p.transaction_id in first_alert]
        seen += [p.time for p in payments if p.decision != "approve"]
        caught = min(seen, default=None)
        lost = sum(p.amount for p in payments if caught is None or p.time < caught)
        by_scenario[scenario].append((None if caught is None else max(0, caught - began) / 1000, lost))
    lines = []
    for scenario, results in by_scenario.items():
        delays = [delay for delay, _ in results if delay is not None]
        lines.append(
            ScenarioLine(
                scenario,
                len(results),
                len(delays),
                len(results) - len(delays),
                median(delays) if delays else None,
                sum(lost for _, lost in results),
            )
        )
    every = [result for results in by_scenario.values() for result in results]
    return lines, [delay for delay, _ in every if delay is not None], sum(lost for _, lost in every)


def _recall_by_scenario(fraud: set[str], found: set[str], truth: Mapping[str, Truth]) -> dict[str, float]:
    total = Counter(truth[name].scenario or "fraud" for name in fraud)
    got = Counter(truth[name].scenario or "fraud" for name in found)
    return {scenario: round(got[scenario] / count, 4) for scenario, count in sorted(total.items())}


def _precision_by_rule(alerts: Iterable[Raised], fraud: set[str]) -> dict[str, float]:
    total: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for alert in alerts:
        total[alert.rule_id] += 1
        right[alert.rule_id] += not fraud.isdisjoint(alert.transactions)
    return {rule: round(right[rule] / count, 4) for rule, count in sorted(total.items())}


def _share(part: int, whole: int, digits: int = 4) -> float | None:
    return round(part / whole, digits) if whole else None


def _quantile(values: Sequence[float], share: float) -> float | None:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None
