"""The partition's promises: order of topics does not matter, nor where the state is flushed, stored or trimmed."""

from __future__ import annotations

import random
from collections.abc import Sequence, Set
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from core.detection.account import Recent
from core.detection.digest import decisions_digest
from core.detection.lists import Lists
from core.detection.payment import Payment
from core.detection.state import Changes, PartitionState, RulePolicy
from schema.alert import RuleAlert
from schema.events import AlertExtended, AlertRaised, PaymentDecided, Signal

RULES = {
    "high_amount": RulePolicy(400, "above R$ 3,000"),
    "high_velocity": RulePolicy(500, "more than 3 in a minute"),
}
T0 = 1_700_000_000_000
Item = Payment | RuleAlert


def pay(number: int, time: int, account: str = "a", amount: int = 5_000) -> Payment:
    return Payment(f"t{number}", account, amount, time)


def rule_rows(payments: Sequence[Payment]) -> list[RuleAlert]:
    """What the two rules of the product write for payments, in their order: a model of the SQL."""
    rows: list[RuleAlert] = []
    windows: dict[tuple[str, int], int] = {}
    for payment in payments:
        if payment.amount > 300_000:
            rows.append(
                RuleAlert(
                    rule_id="high_amount",
                    account_id=payment.account_id,
                    transaction_id=payment.transaction_id,
                    amount=Decimal(payment.amount) / 100,
                    event_time=payment.time,
                )
            )
        newest = payment.time - payment.time % 10_000
        for start in range(newest - 50_000, newest + 1, 10_000):
            count = windows[payment.account_id, start] = windows.get((payment.account_id, start), 0) + 1
            if count > 3:
                rows.append(
                    RuleAlert(
                        rule_id="high_velocity",
                        account_id=payment.account_id,
                        transaction_id=payment.transaction_id,
                        txn_count=count,
                        window_start=start,
                        window_end=start + 60_000,
                        event_time=payment.time,
                    )
                )
    return rows


class Ending:
    """Where decisions and alerts stand after everything that was handed out."""

    def __init__(self) -> None:
        self.decisions: dict[str, PaymentDecided] = {}
        self.alerts: dict[str, AlertRaised | AlertExtended] = {}

    def take(self, changes: Changes) -> None:
        for decided in changes.decisions:
            before = self.decisions.get(decided.transaction_id)
            assert decided.revision == (0 if before is None else before.revision + 1)
            self.decisions[decided.transaction_id] = decided
        for event in changes.alerts:
            assert isinstance(event, AlertRaised) == (event.alert_id not in self.alerts)
            self.alerts[event.alert_id] = event

    def logged(self, account_id: str, since: int, until: int) -> list[Recent]:
        """What the log would give back of an account's payments."""
        return [
            Recent(d.transaction_id, d.event_time, d.amount, -1, None, None, None, None, d.revision, list(d.signals))
            for d in self.decisions.values()
            if d.account_id == account_id and since <= d.event_time <= until
        ]

    def digest(self) -> str:
        return decisions_digest((d.transaction_id, d.decision, d.score, d.signals) for d in self.decisions.values())

    def incidents(self) -> dict[str, tuple[str, frozenset[str], int, int]]:
        return {
            name: (event.rule_id, frozenset(event.transactions), event.score, event.amount or 0)
            for name, event in self.alerts.items()
        }


def run(items: Sequence[Item], flush_after: Set[int] = frozenset(), store_after: Set[int] = frozenset()) -> Ending:
    state = PartitionState(0, RULES)
    ending = Ending()
    for at, item in enumerate(items):
        if isinstance(item, Payment):
            state.on_payment(item)
        else:
            span = state.out_of_memory(item)
            if span is not None:
                state.recall(item.account_id, ending.logged(item.account_id, *span))
            state.on_alert(item)
        if at in flush_after or at in store_after:
            ending.take(state.flush())
        if at in store_after:
            stored = state.snapshot()
            state = PartitionState.restore(0, RULES, stored)
            assert state.snapshot() == stored
    ending.take(state.flush())
    return ending


def interleave(payments: Sequence[Payment], rows: Sequence[RuleAlert], seed: int) -> list[Item]:
    """Any merge of the two topics that keeps each one's order."""
    chooser = random.Random(seed)
    left, right = list(payments), list(rows)
    merged: list[Item] = []
    while left or right:
        if not right or (left and chooser.random() < 0.5):
            merged.append(left.pop(0))
        else:
            merged.append(right.pop(0))
    return merged


@st.composite
def streams(draw: st.DrawFn) -> list[Payment]:
    """Bursts and quiet stretches of three accounts, with ties and late payments."""
    count = draw(st.integers(1, 30))
    time = T0
    payments = []
    for number in range(count):
        time += draw(st.sampled_from([0, 500, 3_000, 20_000, 70_000]))
        late = draw(st.sampled_from([0, 0, 0, 5_000]))
        amount = draw(st.sampled_from([1_000, 5_000, 300_000, 300_001, 900_000]))
        payments.append(pay(number, time - late, draw(st.sampled_from("abc")), amount))
    return payments


@settings(max_examples=150, deadline=None)
@given(streams(), st.integers(0, 2**32), st.sets(st.integers(0, 200)), st.sets(st.integers(0, 200), max_size=5))
def test_decisions_do_not_depend_on_how_topics_interleave(
    payments: list[Payment], seed: int, flush_after: set[int], store_after: set[int]
) -> None:
    rows = rule_rows(payments)
    plain = run([*payments, *rows])
    mixed = run(interleave(payments, rows, seed), flush_after, store_after)
    assert mixed.digest() == plain.digest()
    assert mixed.incidents() == plain.incidents()


@settings(max_examples=50, deadline=None)
@given(streams(), st.data())
def test_repeated_records_change_nothing(payments: list[Payment], data: st.DataObject) -> None:
    rows = rule_rows(payments)
    plain = run([*payments, *rows])
    again: list[Item] = [*payments, *rows]
    again += data.draw(st.lists(st.sampled_from(again), max_size=10))
    assert run(again).digest() == plain.digest()
    assert run(again).incidents() == plain.incidents()


def test_a_burst_is_one_incident_of_all_its_payments() -> None:
    payments = [pay(n, T0 + n * 1_000) for n in range(6)]
    rows = rule_rows(payments)
    assert len(rows) > 10
    ending = run([*payments, *rows])
    assert [event.transactions for event in ending.alerts.values()] == [("t0", "t1", "t2", "t3", "t4", "t5")]
    alert = next(iter(ending.alerts.values()))
    assert (alert.txn_count, alert.amount, alert.decision) == (6, 30_000, "review")
    assert {d.decision for d in ending.decisions.values()} == {"review"}


def test_two_bursts_an_hour_apart_are_two_incidents() -> None:
    payments = [pay(n, T0 + n * 1_000 + (3_600_000 if n >= 4 else 0)) for n in range(8)]
    ending = run([*payments, *rule_rows(payments)])
    assert sorted(len(event.transactions) for event in ending.alerts.values()) == [4, 4]


def test_two_rules_on_one_payment_add_up_and_each_has_its_alert() -> None:
    payments = [pay(n, T0 + n * 1_000, amount=400_000 if n == 3 else 1_000) for n in range(4)]
    ending = run([*payments, *rule_rows(payments)])
    struck = ending.decisions["t3"]
    assert (struck.decision, struck.score) == ("block", 900)
    assert {(event.rule_id, event.score) for event in ending.alerts.values()} == {
        ("high_amount", 900),
        ("high_velocity", 900),
    }


def test_a_rule_without_a_policy_counts_as_a_review() -> None:
    state = PartitionState(0, RULES)
    state.on_payment(pay(1, T0))
    state.on_alert(RuleAlert(rule_id="unheard_of", account_id="a", transaction_id="t1", event_time=T0))
    decided = state.flush().decisions[0]
    assert (decided.decision, decided.score) == ("review", 400)


def test_a_row_about_an_account_that_pays_nothing_still_alerts() -> None:
    state = PartitionState(0, RULES)
    state.on_alert(RuleAlert(rule_id="high_amount", account_id="mule", event_time=T0, amount=Decimal("12.50")))
    changes = state.flush()
    assert changes.decisions == []
    assert [(a.account_id, a.amount, a.score) for a in changes.alerts] == [("mule", 1_250, 400)]


def test_a_snoozed_rule_raises_nothing_and_gives_no_points() -> None:
    state = PartitionState(0, RULES)
    snoozed = Lists(snoozes={("high_amount", "a"): T0 + 1_000})
    row = RuleAlert(rule_id="high_amount", account_id="a", transaction_id="t1", event_time=T0)
    state.on_payment(pay(1, T0), snoozed)
    state.on_alert(row, snoozed)
    changes = state.flush()
    assert (changes.alerts, changes.decisions[0].score) == ([], 0)
    state.on_payment(pay(2, T0 + 1_000), snoozed)
    state.on_alert(
        RuleAlert(rule_id="high_amount", account_id="a", transaction_id="t2", event_time=T0 + 1_000), snoozed
    )
    assert [alert.rule_id for alert in state.flush().alerts] == ["high_amount"]


def test_memory_is_bounded_and_forgotten_payments_are_asked_for() -> None:
    state = PartitionState(0, RULES)
    for number in range(2_000):
        state.on_payment(pay(number, T0 + number * 60_000))
    state.flush()
    assert len(state.accounts["a"].recent) <= 48
    late = RuleAlert(rule_id="high_amount", account_id="a", transaction_id="t3", event_time=T0 + 180_000)
    assert state.out_of_memory(late) == (T0 + 180_000, T0 + 180_000)
    fresh = RuleAlert(rule_id="high_amount", account_id="a", transaction_id="t1999", event_time=T0 + 1_999 * 60_000)
    assert state.out_of_memory(fresh) is None


def test_trim_drops_the_accounts_used_longest_ago_once_they_are_stored() -> None:
    state = PartitionState(0, RULES)
    for number, name in enumerate("abcd"):
        state.on_payment(pay(number, T0, name))
    state.on_payment(pay(9, T0 + 1, "a"))
    state.trim(2)
    assert set(state.accounts) == set("abcd")  # nothing was stored yet
    assert set(state.touched()) == set("abcd")
    state.trim(2)
    assert list(state.accounts) == ["d", "a"]


def test_signals_without_points_explain_but_do_not_count() -> None:
    base = ("t", "approve", 0)
    plain = decisions_digest([(*base, ())])
    assert decisions_digest([(*base, (Signal(id="own_amount", points=0, reason="insufficient history"),))]) == plain
    assert decisions_digest([(*base, (Signal(id="own_amount", points=1, reason=""),))]) != plain
