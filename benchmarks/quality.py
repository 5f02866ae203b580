"""What detection is worth on a labelled file, without the pipeline: the same mapping, rules, features and scorecard.

    python -m benchmarks.quality FILE [--map MAPPING] [--label-delay 7d|none] [--score-from DATE]

The rules on by default run on the engine, a rule's row meets its payment at once, and labels take effect at the
boundaries of event time that a replay has. ``streamguard replay`` prints the same figures, after minutes instead of
seconds.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from core.detection.decision import REVIEW_FROM
from core.detection.digest import decisions_digest
from core.detection.features import OWN
from core.detection.lists import MERCHANT, NOTHING, PAYEE, Lists, Told, effective_from, epoch_of, lists_of
from core.detection.payment import payment_of
from core.detection.state import PartitionState, RulePolicy
from core.replay import mapping
from core.replay.guess import AUTO, describe
from core.replay.scorecard import Outcome, Raised, Truth, later, score
from core.replay.source import Source
from ksqldb import rulebook
from ksqldb.engine.run.partitioner import partition_of
from schema import alert
from schema.alert import RuleAlert
from schema.events import PaymentDecided
from schema.label import Label
from schema.transaction import PARTITIONS, Transaction

Pair = tuple[Transaction, Label | None]


class Decided(NamedTuple):
    """Standing decisions by payment, and alerts by id with the event time at which each was first raised."""

    payments: dict[str, PaymentDecided]
    alerts: dict[str, Raised]


class _Labels:
    """What labels teach, boundary by boundary."""

    def __init__(self, payments: Iterable[Pair], decided: Mapping[str, PaymentDecided]) -> None:
        self._decided = decided
        self._due: dict[int, list[tuple[Transaction, Label]]] = defaultdict(list)
        for tx, known in payments:
            if known is not None:
                self._due[effective_from(known.known_at)].append((tx, known))
        self._boundaries = sorted(self._due, reverse=True)
        self._lists = NOTHING

    def at(self, time: int) -> Lists:
        """The lists in force at ``time``, which only grows."""
        while self._boundaries and self._boundaries[-1] <= epoch_of(time):
            told = [
                Told(kind, party, known.known_at, tx.transaction_id, tx.event_time, known.is_fraud)
                for tx, known in self._due.pop(self._boundaries.pop())
                for kind, party in ((MERCHANT, tx.merchant_id), (PAYEE, tx.payee_id))
                if party is not None and not (kind == MERCHANT and known.is_fraud and self._explained(tx))
            ]
            self._lists = lists_of(told, self._lists)
        return self._lists

    def _explained(self, tx: Transaction) -> bool:
        signals = self._decided[tx.transaction_id].signals
        return sum(signal.points for signal in signals if signal.id in OWN) >= REVIEW_FROM


def decide(payments: Sequence[Pair], rows: Mapping[str | None, Sequence[RuleAlert]], *, learn: bool) -> Decided:
    """Payments in order of event time through as many partitions as the topic has; ``learn``: labels teach."""
    policies = {r.id: RulePolicy(r.score, r.title, r.threshold, r.windowed) for r in rulebook.load().defaults()}
    states = [PartitionState(partition, policies) for partition in range(PARTITIONS)]
    decided: dict[str, PaymentDecided] = {}
    alerts: dict[str, Raised] = {}
    labels = _Labels(payments if learn else (), decided)
    for tx, _ in payments:
        state = states[partition_of(tx.account_id.encode(), PARTITIONS)]
        state.on_payment(payment_of(tx), labels.at(tx.event_time))
        for row in rows.get(tx.transaction_id, ()):
            state.on_alert(row)
        changes = state.flush()
        decided.update((event.transaction_id, event) for event in changes.decisions)
        for event in changes.alerts:
            first = alerts[event.alert_id].time if event.alert_id in alerts else event.event_time
            alerts[event.alert_id] = Raised(event.rule_id, event.account_id, first, event.transactions)
    return Decided(decided, alerts)


def rows_of(payments: Iterable[Pair]) -> dict[str | None, list[RuleAlert]]:
    """What the rules on by default write about these payments, by the payment that each row names."""
    book = rulebook.load()
    encoder = msgspec.json.Encoder(decimal_format="number")
    sent = [rulebook.Sent(tx.account_id.encode(), encoder.encode(tx), tx.event_time) for tx, _ in payments]
    found: dict[str | None, list[RuleAlert]] = defaultdict(list)
    for rule in book.defaults():
        for raw in rulebook.rows_of(rule, book, sent):
            row = alert.decode(raw)
            found[row.transaction_id].append(row)
    return found


def report(payments: Iterable[Pair], found: Decided, since: int | None, delay: int) -> dict[str, object]:
    """The scorecard, as ``streamguard replay --json`` has it; ``since`` and ``delay`` in ms."""
    truth = {tx.transaction_id: Truth(k.is_fraud, k.scenario, k.campaign_id) for tx, k in payments if k is not None}
    outcomes = [
        Outcome(e.transaction_id, e.account_id, e.amount, e.event_time, e.decision, e.score, e.merchant_id)
        for e in found.payments.values()
    ]
    known = frozenset[str]()
    if since is not None:
        truth, known = later(outcomes, truth, since, delay)
    card: dict[str, object] = msgspec.to_builtins(score(outcomes, list(found.alerts.values()), truth, known))
    by_rule: dict[str, int] = defaultdict(int)
    for raised in found.alerts.values():
        by_rule[raised.rule_id] += 1
    digest = decisions_digest((e.transaction_id, e.decision, e.score, e.signals) for e in found.payments.values())
    return {"transactions": len(outcomes), "alerts_by_rule": by_rule, "decisions_digest": digest, **card}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__.split("\n")[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--map", default=AUTO)
    parser.add_argument("--label-delay")
    parser.add_argument("--score-from")
    chosen = parser.parse_args(arguments)
    try:
        described = describe(chosen.map, chosen.file, lambda line: print(line, file=sys.stderr))
        delay = None
        if described.label is not None and chosen.label_delay != "none":
            delay = mapping.duration(chosen.label_delay or described.label.delay)
        since = None if chosen.score_from is None else mapping.instant(chosen.score_from)
        source = Source(chosen.file, described, delay)
        payments = list(source.payments(source.survey().in_order))
    except mapping.MappingError as error:
        parser.error(str(error))
    found = decide(payments, rows_of(payments), learn=delay is not None)
    print(msgspec.json.encode(report(payments, found, since, delay or 0)).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
