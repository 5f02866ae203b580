"""The score against hand-made truths."""

from __future__ import annotations

import pytest

from core.replay.pace import AHEAD, SpeedError, Window, speed
from core.replay.scorecard import Outcome, Raised, Truth, card_precision, later, score

DAY = 86_400_000


def outcome(name: str, decision: str = "approve", account: str = "a", time: int = 0, points: int = 0) -> Outcome:
    return Outcome(name, account, 1_000, time, decision, points)


def test_a_score_by_hand() -> None:
    outcomes = [
        outcome("f1", "review", "a", 1_000),
        outcome("f2", "approve", "a", 0),
        outcome("f3", "approve", "b", 5_000),
        outcome("h1", "review", "c", 0),
        *[outcome(f"h{n}", account="d", time=n) for n in range(2, 8)],
    ]
    truth = {
        o.transaction_id: Truth(o.transaction_id.startswith("f"), "s1" if o.account_id == "a" else "s2")
        for o in outcomes
    }
    alerts = [
        Raised("own_amount", "a", 1_000, ("f1",)),
        Raised("own_amount", "c", 0, ("h1",)),
        Raised("x", "z", 0, ("other",)),
    ]
    found = score(outcomes, alerts, truth)
    assert found.precision == 0.5
    assert found.recall == round(1 / 3, 4)
    assert found.f1 == pytest.approx(0.4, abs=1e-3)
    assert found.alerts_per_day == 2.0
    assert found.recall_by_scenario == {"s1": 0.5, "s2": 0.0}
    assert found.false_positive_rate == round(1 / 7, 6)
    assert found.precision_by_rule == {"own_amount": 0.5}
    assert [(line.name, line.expected, line.caught, line.missed) for line in found.scenarios] == [
        ("s1", 1, 1, 0),
        ("s2", 1, 0, 1),
    ]
    assert found.scenarios[0].time_to_detect_s == 1.0
    assert found.money_lost_centavos == 2_000  # f2 before the alert, f3 never found


def test_an_alert_that_names_a_payment_finds_it_even_if_it_stands_approved() -> None:
    truth = {"f1": Truth(True, None)}
    found = score([outcome("f1")], [Raised("r", "a", 0, ("f1",))], truth)
    assert (found.precision, found.recall) == (1.0, 1.0)
    assert found.recall_by_scenario == {"fraud": 1.0}


def test_nothing_to_score_gives_no_numbers() -> None:
    found = score([outcome("h")], [], {"h": Truth(False)})
    assert (found.precision, found.recall, found.f1, found.card_precision) == (None, None, None, {})


def test_card_precision_leaves_out_cards_already_found() -> None:
    outcomes = [
        outcome("1", account="a", points=900),
        outcome("2", account="b", points=100),
        outcome("3", account="a", time=DAY, points=900),
        outcome("4", account="b", time=DAY, points=500),
    ]
    truth = {"1": Truth(True), "2": Truth(False), "3": Truth(True), "4": Truth(True)}
    assert card_precision(outcomes, truth, 1) == 1.0  # day one finds a, day two b
    assert card_precision(outcomes, truth, 2) == 0.5


def test_scoring_from_a_day_on_leaves_out_what_was_known_by_then() -> None:
    outcomes = [
        outcome("1", account="a"),
        outcome("2", account="b", time=3 * DAY),
        outcome("3", account="c", time=5 * DAY),
    ]
    truth = {"1": Truth(True), "2": Truth(True), "3": Truth(True)}
    kept, known = later(outcomes, truth, 4 * DAY, 2 * DAY)
    assert (set(kept), set(known)) == ({"3"}, {"a"})
    again = [*outcomes, outcome("4", account="a", time=5 * DAY, points=900)]
    truth["4"] = Truth(True)
    kept, known = later(again, truth, 4 * DAY, 2 * DAY)
    assert score(again, [], kept, known).card_precision == {"100": 0.01}


def test_speed_is_max_or_a_factor() -> None:
    assert (speed("max"), speed("60"), speed("2.5x")) == (None, 60.0, 2.5)
    with pytest.raises(SpeedError, match="write max, or a factor"):
        speed("fast")
    with pytest.raises(SpeedError):
        speed("0")


def test_the_window_knows_what_is_on_its_way() -> None:
    window = Window()
    lane, other = ("transactions", 0), ("transactions", 1)
    window.add(100, 1_000, {lane: 99})
    window.add(50, 2_000, {lane: 129, other: 19})
    assert window.ahead({}) == 150
    assert window.ahead({lane: 100}) == 50
    assert window.ahead({lane: 130}) == 50
    assert window.marks_before(1_500) == {lane: 129, other: 19}
    assert window.ahead({lane: 130, other: 20}) == 0
    assert window.marks_before(1_500) == {}
    assert window.last == {lane: 129, other: 19}
    assert AHEAD >= 10_000
