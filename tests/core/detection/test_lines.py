"""A rule's line in reais says nothing where everybody crosses it, where the account often does, or by balances."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from core.detection.payment import Payment
from core.detection.state import PartitionState, RulePolicy
from schema.alert import RuleAlert
from schema.events import Signal

T0 = 1_700_000_000_000
DAY = 86_400_000
RULES = {"high_amount": RulePolicy(400, "above R$ 3,000", 3_000, windowed=False)}


def judged(state: PartitionState, payment: Payment, *, row_first: bool = False) -> tuple[int, list[str], list[str]]:
    """Score and signals of a payment that the rule names, and the rules of the alerts raised."""
    row = RuleAlert(
        rule_id="high_amount",
        account_id=payment.account_id,
        transaction_id=payment.transaction_id,
        event_time=payment.time,
        amount=Decimal(payment.amount) / 100,
    )
    steps: list[Any] = [lambda: state.on_payment(payment), lambda: state.on_alert(row)]
    for step in reversed(steps) if row_first else steps:
        step()
    changes = state.flush()
    (decided,) = changes.decisions
    return (
        decided.score,
        [s.id for s in decided.signals if s.reason != "insufficient history"],
        [alert.rule_id for alert in changes.alerts],
    )


def test_a_line_that_few_cross_speaks() -> None:
    state = PartitionState(0, RULES)
    for k in range(100):
        state.on_payment(Payment(f"s{k}", f"a{k}", 5_000, T0 + k))
    state.flush()
    assert judged(state, Payment("big", "b", 350_000, T0 + 200)) == (400, ["high_amount"], ["high_amount"])


@pytest.mark.parametrize("row_first", [False, True])
def test_a_line_that_more_than_half_cross_says_nothing(row_first: bool) -> None:
    state = PartitionState(0, RULES)
    scores = [judged(state, Payment(f"t{k}", f"a{k}", 350_000, T0 + k), row_first=row_first)[0] for k in range(60)]
    assert scores == [400] * 39 + [0] * 21
    state = PartitionState.restore(0, RULES, state.snapshot())
    score, signals, alerts = judged(state, Payment("next", "z", 350_000, T0 + 100))
    assert (score, signals, alerts) == (0, ["not_high_amount"], [])


def test_a_line_that_the_account_often_reaches_says_nothing_there() -> None:
    state = PartitionState(0, RULES)
    for k in range(400):
        state.on_payment(Payment(f"s{k}", f"a{k % 20}", 5_000, T0 + k * 60_000))
        state.on_payment(Payment(f"r{k}", "rich", 200_000, T0 + k * 60_000 + 1))
    state.flush()
    later = T0 + DAY
    assert judged(state, Payment("usual", "rich", 310_000, later)) == (0, ["not_high_amount"], [])
    score, signals, _ = judged(state, Payment("odd", "a3", 310_000, later))
    assert score >= 400
    assert "high_amount" in signals


@pytest.mark.parametrize(
    ("balance", "incoming", "speaks"),
    [
        (None, False, True),
        (700_001, False, False),
        (400_000, False, True),
        (100_000, False, False),
        (None, True, False),
    ],
)
def test_money_left_on_the_account_or_coming_in_is_no_finding(
    balance: int | None, incoming: bool, speaks: bool
) -> None:
    state = PartitionState(0, RULES)
    payment = Payment("t", "a", 350_000, T0, balance=balance, incoming=incoming)
    score, signals, alerts = judged(state, payment)
    assert (score, alerts) == ((400, ["high_amount"]) if speaks else (0, []))
    assert signals == ["high_amount" if speaks else "not_high_amount"]


def test_money_that_comes_in_teaches_no_habit_and_is_not_judged() -> None:
    state = PartitionState(0, {})
    before = state.population
    empty = msgspec.msgpack.encode(before.amounts)
    for k in range(50):
        state.on_payment(Payment(f"t{k}", "a", 100_000, T0 + k, balance=100_000, incoming=True))
    assert msgspec.msgpack.encode(state.population.amounts) == empty
    assert all(not any(isinstance(s, Signal) and s.points for s in d.signals) for d in state.flush().decisions)
