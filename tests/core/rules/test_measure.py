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


def test_every_optional_rule_earns_its_place_on_generated_traffic() -> None:
    book = rulebook.load()
    found = {
        rule.rule: rule for rule in measure_rules(list(book.rules.values()), book, 1, campaigns=1, people=150).rules
    }
    optional = [rule for rule in found.values() if rule.deploy == "optional"]
    assert len(optional) >= 10
    for rule in optional:
        assert rule.alerts >= 1, rule
        assert (rule.precision or 0) >= 0.8, rule
        assert max(rule.recall.values()) >= 0.2, rule
    for rule_id, scenario, least in (
        ("high_amount", "high_amount", 1.0),
        ("high_velocity", "velocity_burst", 1.0),
        ("card_testing", "card_testing", 0.9),
        ("structuring", "structuring", 0.9),
        ("shared_device", "velocity_burst", 0.9),
        ("sum_day", "card_spree", 0.7),
        ("night_spend", "card_spree", 0.6),
        ("round_trip", "layering_ring", 0.2),
        ("pass_through", "layering_ring", 0.8),
    ):
        assert found[rule_id].recall[scenario] >= least, found[rule_id]
    assert 0 < found["high_amount"].false_positive_rate < 0.005


def test_scenarios_are_measured_on_generated_traffic() -> None:
    whole = measure_scenarios((1,), ["velocity_burst", "compromised_merchant", "leaked_card"])
    assert {s.scenario: s.recall for s in whole.scenarios} == {
        "velocity_burst": 1.0,
        "compromised_merchant": 1.0,
        "leaked_card": 1.0,
    }
    assert whole.false_positive_rate <= 0.005
