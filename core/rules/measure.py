"""How good rules and detection as a whole are on generated traffic, where the truth is known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from core.detection.decision import REVIEW_FROM
from core.detection.features import OWN
from core.detection.lists import LIVE_EPOCH_MS, MERCHANT, PAYEE, Lists, Told, effective_from, epoch_of, lists_of
from core.detection.payment import payment_of
from core.detection.state import PartitionState, RulePolicy
from core.replay.scorecard import score
from core.rules.outcome import Accounts, flagged, outcomes, overlap
from core.rules.world import PEOPLE, World, as_known, build
from core.scenarios import registry
from core.scenarios.scorecard import Found, judge
from ksqldb import rulebook
from ksqldb.rulebook import Rule, Rulebook
from schema import alert
from schema.alert import RuleAlert
from schema.events import PaymentDecided

DAY_MS = 86_400_000


class RuleScore(msgspec.Struct, frozen=True, kw_only=True):
    """One rule alone. ``recall``: of the fraudulent payments of each scenario of which it finds any."""

    rule: str
    deploy: str
    alerts: int
    alerts_per_day: float
    precision: float | None
    recall: dict[str, float]
    false_positive_rate: float


class RulesMeasured(msgspec.Struct, frozen=True, kw_only=True):
    """``overlap``: payments that both rules flag, by "a & b"; pairs without any are left out."""

    payments: int
    frauds: int
    rules: list[RuleScore]
    overlap: dict[str, int]


class ScenarioScore(msgspec.Struct, frozen=True, kw_only=True):
    """Incidents of one scenario over all seeds; ``recall`` is caught over expected."""

    scenario: str
    hard: bool
    expected: int
    caught: int
    recall: float
    false_alerts: int
    seconds_to_detect: float | None
    money_lost: int
    caught_by: dict[str, int]


class ScenariosMeasured(msgspec.Struct, frozen=True, kw_only=True):
    """The whole detection: features, the rules on by default, labels as they become known."""

    seeds: tuple[int, ...]
    honest: int
    false_positive_rate: float
    scenarios: list[ScenarioScore]


def measure_rules(
    rules: Sequence[Rule], book: Rulebook, seed: int, campaigns: int = 3, people: int = PEOPLE
) -> RulesMeasured:
    """Each rule's own SQL over one generated world."""
    world = build(seed, list(registry.SCENARIOS), campaigns, people)
    known = as_known(world)
    accounts = Accounts(known)
    truth = {p.transaction_id: p.truth for p in known if p.truth is not None}
    days = (known[-1].sent.time - known[0].sent.time) / DAY_MS
    found, flags = [], {}
    for rule in rules:
        own = flagged(rulebook.rows_of(rule, book, (p.sent for p in known)), accounts)
        card = score(outcomes(known, own.payments), own.alerts, truth)
        flags[rule.id] = own.payments
        found.append(
            RuleScore(
                rule=rule.id,
                deploy=rule.deploy,
                alerts=len(own.alerts),
                alerts_per_day=round(len(own.alerts) / days, 2),
                precision=card.precision,
                recall={name: share for name, share in card.recall_by_scenario.items() if share},
                false_positive_rate=round(len(own.payments & world.honest) / len(world.honest), 6),
            )
        )
    shared = {f"{a} & {b}": count for (a, b), count in overlap(flags).items() if count and a != b}
    return RulesMeasured(
        payments=len(known), frauds=sum(fact.is_fraud for fact in truth.values()), rules=found, overlap=shared
    )


def measure_scenarios(seeds: Sequence[int], names: Sequence[str] | None = None) -> ScenariosMeasured:
    """Every scenario once a seed, over that seed's weeks of honest traffic."""
    book = rulebook.load()
    chosen = list(names or registry.SCENARIOS)
    verdicts = defaultdict(list)
    honest = wrongly = 0
    for seed in seeds:
        world = build(seed, chosen, 1)
        decided, found = _run(world, book)
        honest += len(world.honest)
        wrongly += sum(decided[name].decision != "approve" for name in world.honest)
        for (name, _), campaign in world.campaigns.items():
            verdicts[name].append(judge(campaign, found))
    scores = []
    for name, given in verdicts.items():
        expected, caught = sum(v.expected for v in given), sum(v.caught for v in given)
        times = [v.time_to_detect_ms for v in given if v.time_to_detect_ms is not None]
        by: dict[str, int] = defaultdict(int)
        for verdict in given:
            for rule, count in verdict.caught_by.items():
                by[rule] += count
        scores.append(
            ScenarioScore(
                scenario=name,
                hard=registry.SCENARIOS[name].hard,
                expected=expected,
                caught=caught,
                recall=round(caught / expected, 3),
                false_alerts=sum(v.false_alerts for v in given),
                seconds_to_detect=round(sum(times) / len(times) / 1000, 1) if times else None,
                money_lost=sum(v.money_lost for v in given),
                caught_by=dict(sorted(by.items(), key=lambda item: -item[1])),
            )
        )
    rate = round(wrongly / honest, 6)
    return ScenariosMeasured(seeds=tuple(seeds), honest=honest, false_positive_rate=rate, scenarios=scores)


def _run(world: World, book: Rulebook) -> tuple[Mapping[str, PaymentDecided], list[Found]]:
    """The world through one partition, rules' rows right after the payment that made them."""
    rows = _rows(book.defaults(), book, world)
    state = PartitionState(0, {r.id: RulePolicy(r.score, r.title, r.threshold, r.windowed) for r in book.defaults()})
    labels = _labels(world)
    told: list[Told] = []
    decided: dict[str, PaymentDecided] = {}
    found: dict[str, Found] = {}
    lists, at = Lists(), 0
    for tx, _ in world.payments:
        boundary = epoch_of(tx.event_time, LIVE_EPOCH_MS)
        before = at
        while at < len(labels) and labels[at].known_at <= boundary:
            at += 1
        if at > before:
            told += [label for label in labels[before:at] if not _explained(label, decided)]
            lists = lists_of(told)
        state.on_payment(payment_of(tx), lists)
        for row in rows.get(tx.transaction_id, ()):
            state.on_alert(row)
        changes = state.flush()
        decided.update((d.transaction_id, d) for d in changes.decisions)
        for raised in changes.alerts:
            known = found.get(raised.alert_id)
            when = raised.event_time if known is None else known.event_time
            found[raised.alert_id] = Found(
                raised.alert_id, raised.rule_id, raised.account_id, when, 0, raised.transactions
            )
    return decided, list(found.values())


def _labels(world: World) -> list[Told]:
    """What becomes known of the campaigns' payments, by the boundary from which it counts."""
    found = [
        Told(
            kind,
            party,
            effective_from(planned.label.known_at, LIVE_EPOCH_MS),
            planned.transaction.transaction_id,
            planned.transaction.event_time,
            planned.label.is_fraud,
        )
        for campaign in world.campaigns.values()
        for planned in campaign.payments
        for kind, party in ((MERCHANT, planned.transaction.merchant_id), (PAYEE, planned.transaction.payee_id))
        if party is not None
    ]
    return sorted(found, key=lambda told: told.known_at)


def _explained(label: Told, decided: Mapping[str, PaymentDecided]) -> bool:
    """A fraud that the account's own behaviour explains says nothing of the merchant."""
    if label.kind != MERCHANT or not label.is_fraud:
        return False
    known = decided.get(label.transaction_id)
    return known is not None and sum(s.points for s in known.signals if s.id in OWN) >= REVIEW_FROM


def _rows(rules: Iterable[Rule], book: Rulebook, world: World) -> dict[str | None, list[RuleAlert]]:
    known = as_known(world)
    found: dict[str | None, list[RuleAlert]] = defaultdict(list)
    for rule in rules:
        for raw in rulebook.rows_of(rule, book, (p.sent for p in known)):
            row = alert.decode(raw)
            found[row.transaction_id].append(row)
    return found
