"""What the measuring commands print holds: scenarios caught, few honest payments flagged, rules scored on labels."""

from __future__ import annotations

from core.rules.measure import measure_rules, measure_scenarios
from core.rules.world import build
from ksqldb import rulebook


def test_a_world_is_reproducible_and_knows_its_truth() -> None:
    world = build(3, ["high_amount"], 2)
    assert world == build(3, ["high_amount"], 2)
    assert sum(fact.is_fraud for _, fact in world.payments) == sum(len(c.frauds) for c in world.campaigns.values())
    times = [tx.event_time for tx, _ in world.payments]
    assert times == sorted(times)


def test_rules_and_scenarios_are_measured_on_generated_traffic() -> None:
    book = rulebook.load()
    found = measure_rules([book.rule("high_amount"), book.rule("card_testing")], book, 1, campaigns=1)
    amount, testing = found.rules
    assert amount.recall["high_amount"] == 1.0
    assert 0 < amount.false_positive_rate < 0.005
    assert testing.precision == 1.0
    assert testing.recall["card_testing"] > 0.5
    whole = measure_scenarios((1,), ["velocity_burst", "compromised_merchant", "leaked_card"])
    assert {s.scenario: s.recall for s in whole.scenarios} == {
        "velocity_burst": 1.0,
        "compromised_merchant": 1.0,
        "leaked_card": 1.0,
    }
    assert whole.false_positive_rate <= 0.005
