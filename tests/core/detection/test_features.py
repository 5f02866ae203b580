"""Each feature against a brute-force reading of its docstring, over streams with ties and late events."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from copy import deepcopy
from fractions import Fraction
from itertools import pairwise, takewhile
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.detection.features import FEATURES, NEEDED, Context, Feature, Insufficient
from core.detection.features.base import NoState
from core.detection.features.block_list import BlockList
from core.detection.features.confirmed_rate import MerchantFraudRate, PayeeFraudRate
from core.detection.features.device_drain import DeviceDrain
from core.detection.features.dormancy import DORMANT_MS, Dormancy
from core.detection.features.emptied_balance import EmptiedBalance
from core.detection.features.geo_velocity import GeoVelocity, kilometres
from core.detection.features.new_device import NewDevice
from core.detection.features.new_payee import NewPayee
from core.detection.features.own_amount import OwnAmount
from core.detection.features.population_amount import PopulationAmount
from core.detection.features.similar_amounts import SimilarAmounts
from core.detection.features.unusual_run import UnusualRun
from core.detection.lists import (
    Block,
    Lists,
    Repeats,
    Suspect,
    Told,
    effective_from,
    epoch_of,
    lists_of,
)
from core.detection.payment import Payment
from core.detection.population import Likeness, Population, Sums
from core.detection.state import PartitionState
from schema.events import Signal

HOUR = 3_600_000
DAY = 24 * HOUR
T0 = 1_700_000_000_000
Verdict = tuple[str, int] | None
"""``("insufficient", 0)``, ``("signal", points)`` or None."""


@st.composite
def streams(draw: st.DrawFn) -> list[Payment]:
    """Payments of one account: steps from nothing to months, some of them back in time."""
    time = T0
    payments = []
    for number in range(draw(st.integers(1, 40))):
        time += draw(st.sampled_from([0, 1_000, HOUR, 7 * HOUR, DAY, 10 * DAY, DORMANT_MS, DORMANT_MS + 1]))
        late = draw(st.sampled_from([0, 0, 0, 0, HOUR, 3 * DAY]))
        located = draw(st.booleans())
        payments.append(
            Payment(
                f"t{number}",
                "a",
                draw(st.sampled_from([0, 100, 20_000, 21_000, 22_000, 23_000, 90_000])),
                time - late,
                device_id=draw(st.sampled_from([None, "d1", "d2", "d3"])),
                payee_id=draw(st.sampled_from([None, *"abcdefgh"])),
                latitude=draw(st.sampled_from([-23.5, -23.6, -3.1])) if located else None,
                longitude=-46.6 if located else None,
            )
        )
    return payments


def verdicts(feature: type[Feature], payments: Iterable[Payment]) -> list[Verdict]:
    context = Context(Population(), Lists())
    state: Any = feature.State()
    found: list[Verdict] = []
    for payment in payments:
        outcome = feature.assess(state, payment, context)
        if isinstance(outcome, Insufficient):
            found.append(("insufficient", 0))
        else:
            found.append(None if outcome is None else ("signal", outcome.points))
        feature.learn(state, payment, context)
    return found


def new_device(now: Payment, past: list[Payment]) -> Verdict:
    named = [p.device_id for p in past if p.device_id is not None]
    if now.device_id is None or now.device_id in named:
        return None
    return ("signal", 150) if len(named) >= 5 else ("insufficient", 0)


def new_payee(now: Payment, past: list[Payment]) -> Verdict:
    named = [p.payee_id for p in past if p.payee_id is not None]
    if now.payee_id is None or now.payee_id in named:
        return None
    firsts = [p.time for k, p in enumerate(past) if p.payee_id and p.payee_id not in {q.payee_id for q in past[:k]}]
    if sum(0 <= now.time - time <= 8 * HOUR for time in firsts[-5:]) >= 4:
        return "signal", 450
    return ("signal", 100) if len(named) >= 5 else ("insufficient", 0)


def dormancy(now: Payment, past: list[Payment]) -> Verdict:
    if not past:
        return "insufficient", 0
    last, woke = -1, None
    for payment in past:
        if payment.time > last:
            if last >= 0 and payment.time - last > DORMANT_MS:
                woke = payment.time
            last = payment.time
    if now.time - last > DORMANT_MS or (woke is not None and 0 <= now.time - woke <= DAY):
        return "signal", 400
    return None


def geo_velocity(now: Payment, past: list[Payment]) -> Verdict:
    if now.latitude is None or now.longitude is None:
        return None
    last: Payment | None = None
    for payment in past:
        if payment.latitude is not None and (last is None or payment.time >= last.time):
            last = payment
    if last is None:
        return "insufficient", 0
    assert last.latitude is not None
    assert last.longitude is not None
    distance = kilometres(last.latitude, last.longitude, now.latitude, now.longitude)
    hours = abs(now.time - last.time) / HOUR
    too_fast = distance > 0 if hours == 0 else distance / hours > 900
    return ("signal", 450) if distance >= 50 and too_fast else None


def similar_amounts(now: Payment, past: list[Payment]) -> Verdict:
    alike = [
        p.amount for p in past[-12:] if 0 <= now.time - p.time <= DAY and abs(p.amount - now.amount) * 10 <= now.amount
    ]
    return ("signal", 450) if len(alike) >= 4 and sum(alike) + now.amount >= 100_000 else None


def device_drain(now: Payment, past: list[Payment]) -> Verdict:
    """Everything that a device before the newest paid is known; so is what the newest paid of that."""
    newest, since, start, seen = None, 0, 0, set[str]()
    named = [payment for payment in past if payment.device_id is not None]
    for k, payment in enumerate(named):
        assert payment.device_id is not None
        if payment.device_id not in seen and k >= 5:
            newest, since, start = payment.device_id, payment.time, k
        seen.add(payment.device_id)
    if newest is None or now.device_id != newest or now.payee_id is None or not 0 <= now.time - since <= DAY:
        return None
    known = {p.payee_id for p in named[:start]} | {p.payee_id for p in named[start:] if p.device_id != newest}
    first: list[str] = []
    for k, p in enumerate(named[start:], start):
        before = {q.payee_id for q in named[:start]} | {q.payee_id for q in named[start:k] if q.device_id != newest}
        if p.device_id == newest and p.payee_id is not None and p.payee_id not in before and p.payee_id not in first:
            first.append(p.payee_id)
    if now.payee_id in known:
        return None
    return ("signal", 450) if len({*first[-8:], now.payee_id}) >= 3 else None


@pytest.mark.parametrize(
    ("feature", "reference"),
    [
        (NewDevice, new_device),
        (NewPayee, new_payee),
        (Dormancy, dormancy),
        (GeoVelocity, geo_velocity),
        (SimilarAmounts, similar_amounts),
        (DeviceDrain, device_drain),
    ],
)
@settings(max_examples=120, deadline=None)
@given(payments=streams())
def test_a_feature_says_what_its_brute_force_reading_says(
    feature: type[Feature], reference: Callable[[Payment, list[Payment]], Verdict], payments: list[Payment]
) -> None:
    assert verdicts(feature, payments) == [reference(p, payments[:k]) for k, p in enumerate(payments)]


def in_crowd(payments: Iterable[Payment]) -> list[Signal | Insufficient | None]:
    """``OwnAmount`` among a thousand payments of R$ 100 by others, so that the kind's mean is known and tame."""
    population = Population()
    for k in range(1_000):
        population.learn("", None, 10_000, T0)
        population.stray("").add(0.8 + 0.4 * (k % 2), T0)
    context = Context(population, Lists())
    state: Any = OwnAmount.State()
    found = []
    for payment in payments:
        found.append(OwnAmount.assess(state, payment, context))
        OwnAmount.learn(state, payment, context)
    return found


def test_own_amount_needs_five_payments_then_knows_three_times_the_level() -> None:
    small = [Payment(f"t{k}", "a", 5_000, T0 + k * DAY) for k in range(6)]
    outcomes = in_crowd([*small, Payment("big", "a", 25_000, T0 + 6 * DAY)])
    assert [type(outcome) for outcome in outcomes[:5]] == [Insufficient] * 5
    assert outcomes[5] is None
    big = outcomes[6]
    assert isinstance(big, Signal)
    # six payments of half a mean drawn towards one: (3 + 3) / 9; the ratio 2.5 / (2/3)
    assert big.value == pytest.approx(3.75, abs=0.02)
    assert big.points == 450
    assert big.threshold == pytest.approx(3.0 * (1 + 0.6 / math.sqrt(6)), abs=0.01)


def test_own_amount_on_an_empty_partition_goes_by_the_accounts_plain_mean() -> None:
    context = Context(Population(), Lists())
    state: Any = OwnAmount.State()
    found = []
    for number, amount in enumerate([5_000] * 8 + [30_000, 31_000, 40_000]):
        payment = Payment(f"t{number}", "a", amount, T0 + number * HOUR)
        found.append(OwnAmount.assess(state, payment, context))
        OwnAmount.learn(state, payment, context)
    assert all(isinstance(outcome, Insufficient) for outcome in found[:8])
    assert found[8] is None  # 6.0 times; the line is 5 x (1 + 0.6 / sqrt 8) = 6.06
    assert found[9] is None
    last = found[10]
    assert isinstance(last, Signal)
    # what goes beyond twice the mean was learned as twice: (8 x 50 + 100 + 111.11) / 10
    assert last.value == pytest.approx(400 / 61.11, abs=0.01)


def test_own_amount_looks_closer_for_a_fortnight_after_a_hit() -> None:
    small = [Payment(f"t{k}", "a", 5_000, T0 + k * DAY) for k in range(6)]
    hit, again = Payment("hit", "a", 40_000, T0 + 6 * DAY), Payment("again", "a", 21_000, T0 + 10 * DAY)
    followed = in_crowd([*small, hit, again])[-1]
    assert isinstance(followed, Signal)
    assert (followed.points, followed.threshold) == (450, 2.5)
    assert in_crowd([*small, again])[-1] is None or in_crowd([*small, again])[-1].points == 150  # type: ignore[union-attr]
    late = Payment("late", "a", 20_000, T0 + 21 * DAY)
    assert not isinstance(in_crowd([*small, hit, late])[-1], Signal)


def own_amount(now: Payment, past: list[Payment]) -> Verdict:
    """The docstring read naively: everything anew for every payment, among a tame crowd whose mean is R$ 100."""
    learned: list[tuple[int, float]] = []
    hits: list[int] = []
    over: list[int] = []
    verdict: Verdict = None
    for payment in [*past, now]:
        day = payment.time // DAY
        newest = max((d for d, _ in learned), default=day)
        kept = [(d, x) for d, x in learned if d >= newest - 30]
        mine = [x for d, x in kept if day - 30 <= d <= day]
        level = (sum(mine) + 3.0) / (len(mine) + 3.0)
        ratio = payment.amount / 10_000 / level
        verdict = None
        taken = payment.amount / 10_000
        if len(mine) < 5:
            verdict = "insufficient", 0
        else:
            line = 3.0 * (1 + 0.6 / math.sqrt(len(mine)))
            if hits and 0 <= payment.time - max(hits) <= 14 * DAY:
                line = 2.5
            if ratio > min(3.0, line):
                repeated = sum(0 <= payment.time - time <= 72 * HOUR for time in over[-4:])
                verdict = "signal", 450 if ratio > line or repeated >= 3 else 150
            if ratio > line:
                hits.append(payment.time)
            if ratio > 3.0:
                over.append(payment.time)
            taken = min(taken, 2.0 * level)
        if not learned or day >= newest - 30:
            learned = [*kept, (day, taken)]
    return verdict


@settings(max_examples=80, deadline=None)
@given(payments=streams())
def test_own_amount_says_what_its_brute_force_reading_says(payments: list[Payment]) -> None:
    found = in_frozen_crowd(payments)
    assert found == [own_amount(payment, payments[:k]) for k, payment in enumerate(payments)]


def in_frozen_crowd(payments: Iterable[Payment]) -> list[Verdict]:
    """``OwnAmount`` in a population that stands still: strays of 1 without deviation."""
    state: Any = OwnAmount.State()
    found: list[Verdict] = []
    for payment in payments:
        population = Population()
        for _ in range(600):
            population.learn("", None, 10_000, T0)
            population.stray("").add(1.0, T0)
        context = Context(population, Lists())
        outcome = OwnAmount.assess(state, payment, context)
        OwnAmount.learn(state, payment, context)
        found.append(
            ("insufficient", 0)
            if isinstance(outcome, Insufficient)
            else None
            if outcome is None
            else ("signal", outcome.points)
        )
    return found


def test_own_amount_forgets_after_thirty_days_and_does_not_learn_a_theft() -> None:
    small = [Payment(f"t{k}", "a", 5_000, T0 + k * DAY) for k in range(6)]
    later = in_crowd([*small, Payment("big", "a", 25_000, T0 + 40 * DAY)])
    assert isinstance(later[6], Insufficient)
    thefts = [Payment(f"x{k}", "a", 40_000, T0 + (6 + k) * DAY) for k in range(4)]
    assert all(isinstance(outcome, Signal) for outcome in in_crowd([*small, *thefts])[6:])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 100_000)), min_size=1, max_size=60),
    st.integers(0, 40),
)
def test_a_level_is_the_mean_of_thirty_days_drawn_towards_one(taken: list[tuple[int, int]], day: int) -> None:
    history: Any = OwnAmount.State()
    newest = -1
    kept: list[tuple[int, float]] = []
    for when, amount in taken:
        newest = max(newest, when)
        history.add(when, float(amount))
        if when >= newest - 30:
            kept.append((when, float(amount)))
        kept = [(d, a) for d, a in kept if d >= newest - 30]
    inside = [a for d, a in kept if day - 30 <= d <= day]
    count, level = history.level(day)
    assert count == len(inside)
    assert level == pytest.approx((sum(inside) + 3) / (len(inside) + 3), rel=1e-9, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.1, 50.0), min_size=1, max_size=300))
def test_sums_of_one_day_are_plain_moments(values: list[float]) -> None:
    sums = Sums()
    for value in values:
        sums.add(value, T0)
    mean, deviation = sums.moments()
    assert mean == pytest.approx(sum(values) / len(values))
    variance = sum((value - mean) ** 2 for value in values) / len(values)
    assert deviation == pytest.approx(math.sqrt(variance), rel=1e-5, abs=1e-5)


def test_the_tail_draws_a_line_that_few_lie_above() -> None:
    sums = Sums()
    for k in range(20_000):
        sums.add(1.0 if k % 1000 else 1.0 + k / 200, T0)
    line = sums.exceeded_by(0.0005)
    above = sum(1.0 + k / 200 > line for k in range(0, 20_000, 1000))
    assert 0 < above <= 10
    assert Sums().exceeded_by(0.0005) == math.inf


def test_sums_forget_a_thirtieth_a_day() -> None:
    sums = Sums()
    for _ in range(100):
        sums.add(2.0, T0)
    sums.add(2.0, T0 + 10 * DAY)
    assert sums.count == pytest.approx(100 * (29 / 30) ** 10 + 1)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["m1", "m2"]), st.integers(0, 20 * 24), st.booleans()), max_size=40))
def test_suspects_are_the_newest_labels_that_are_fraud(labels: list[tuple[str, int, bool]]) -> None:
    told = [Told("merchant", m, T0 + at * HOUR, f"t{n:03}", T0 + n, bad) for n, (m, at, bad) in enumerate(labels)]
    expected: dict[tuple[str, str], Suspect] = {}
    after_fraud: list[bool] = []
    for merchant in ("m1", "m2"):
        known = sorted((t for t in told if t.party == merchant), key=lambda t: (t.known_at, t.transaction_id))
        run = list(takewhile(lambda t: t.is_fraud, reversed(known)))
        if run:
            expected["merchant", merchant] = Suspect(len(run), min(t.time for t in run))
        after_fraud += [after.is_fraud for before, after in pairwise(known) if before.is_fraud]
    lists = lists_of(told)
    assert lists.suspects == expected
    assert lists.repeats.get("merchant", Repeats()) == Repeats(len(after_fraud), sum(after_fraud))
    half = sorted(told, key=lambda t: (t.known_at, t.transaction_id))
    assert lists_of(half[20:], lists_of(half[:20])) == lists


def test_a_suspect_is_a_hint_where_frauds_seldom_repeat() -> None:
    def points(repeats: Repeats) -> int:
        lists = Lists(suspects={("merchant", "m"): Suspect(1, T0)}, repeats={"merchant": repeats})
        payment = Payment("t", "a", 1, T0, merchant_id="m")
        found = MerchantFraudRate.assess(NoState(), payment, Context(Population(), lists))
        assert isinstance(found, Signal)
        return found.points

    assert [points(Repeats(n, 0)) for n in range(5)] == [500, 500, 500, 100, 100]
    assert points(Repeats(1_000, 499)) == 500
    assert points(Repeats(1_000, 480)) == 100


def test_a_label_counts_from_the_first_boundary_after_it_is_known() -> None:
    assert effective_from(T0 + 1) == epoch_of(T0 + 6 * HOUR)
    assert effective_from(epoch_of(T0)) == epoch_of(T0)


def test_a_suspect_speaks_for_28_days_from_its_first_fraud() -> None:
    def at(time: int, feature: type[Feature], merchant_id: str | None = None, payee_id: str | None = None) -> Any:
        suspects = {("merchant", "m"): Suspect(1, T0), ("payee", "p"): Suspect(3, T0)}
        payment = Payment("t", "a", 1, time, merchant_id=merchant_id, payee_id=payee_id)
        return feature.assess(feature.State(), payment, Context(Population(), Lists(suspects=suspects)))

    assert at(T0 + DAY, MerchantFraudRate, merchant_id="m").points == 500
    assert at(T0 + 28 * DAY - 1, MerchantFraudRate, merchant_id="m").points == 500
    assert at(T0 + 28 * DAY, MerchantFraudRate, merchant_id="m") is None
    assert at(T0, MerchantFraudRate, merchant_id="other") is None
    assert at(T0, MerchantFraudRate) is None
    found = at(T0, PayeeFraudRate, payee_id="p")
    assert (found.id, found.value) == ("payee_fraud_rate", 3.0)


@pytest.mark.parametrize(
    ("block", "allowed", "blocked"),
    [
        (Block("r", T0), None, True),
        (Block("r", T0 + 1), None, False),
        (Block("r", T0 - DAY, T0), None, False),
        (Block("r", T0 - DAY, T0 + 1), None, True),
        (Block("r", T0), Block("known", T0), False),
        (Block("r", T0), Block("known", T0 - DAY, T0), True),
    ],
)
def test_a_block_holds_from_its_time_to_its_end_unless_allowed(
    block: Block, allowed: Block | None, blocked: bool
) -> None:
    for kind, payment in {
        "account": Payment("t", "x", 1, T0),
        "merchant": Payment("t", "a", 1, T0, merchant_id="x"),
        "payee": Payment("t", "a", 1, T0, payee_id="x"),
        "device": Payment("t", "a", 1, T0, device_id="x"),
    }.items():
        lists = Lists(blocks={(kind, "x"): block}, allowed={(kind, "x"): allowed} if allowed else {})
        outcome = BlockList.assess(NoState(), payment, Context(Population(), lists))
        assert (outcome is not None) == blocked
        if isinstance(outcome, Signal):
            assert (outcome.id, outcome.points) == (f"blocked_{kind}", 1000)


@settings(max_examples=20, deadline=None)
@given(payments=streams())
def test_a_feature_without_the_field_it_needs_says_and_learns_nothing(payments: list[Payment]) -> None:
    everything: dict[str, Any] = {
        "merchant_id": "m1",
        "payee_id": "a",
        "device_id": "d1",
        "latitude": -3.1,
        "longitude": -46.6,
        "balance": 90_000,
    }
    suspects = {("merchant", "m1"): Suspect(1, T0), ("payee", "a"): Suspect(1, T0)}
    context = Context(Population(), Lists(suspects=suspects))
    for feature in FEATURES:
        assert feature.needs in (None, *NEEDED)
        if feature.needs is None:
            continue
        state: Any = feature.State()
        for payment in payments:
            feature.learn(state, payment, context)
        before = msgspec.msgpack.encode(state)
        lacking = Payment("t", "a", 90_000, payments[-1].time + 1, **{**everything, feature.needs: None})
        assert feature.assess(state, lacking, context) is None
        feature.learn(state, lacking, context)
        assert msgspec.msgpack.encode(state) == before


@settings(max_examples=40, deadline=None)
@given(payments=streams(), told=st.lists(st.booleans(), min_size=80, max_size=80))
def test_a_partition_asks_every_feature_that_has_something_to_say(payments: list[Payment], told: list[bool]) -> None:
    lists = Lists(suspects={("merchant", "m"): Suspect(1, T0), ("payee", "a"): Suspect(1, T0)})
    population = Population(accounts=1)
    context = Context(population, lists)
    states = [feature.State() for feature in FEATURES]
    partition = PartitionState(0, {})
    for at, bare in enumerate(payments):
        merchant, balance = told[2 * at], told[2 * at + 1]
        payment = msgspec.structs.replace(
            bare, merchant_id="m" if merchant else None, balance=bare.amount + 50 if balance else None
        )
        expected = []
        for feature, state in zip(FEATURES, states, strict=True):
            expected.append(feature.assess(state, payment, context))
        for feature, state in zip(FEATURES, states, strict=True):
            feature.learn(state, payment, context)
        population.learn(payment.kind, payment.channel, payment.amount, payment.time)
        partition.on_payment(payment, lists)
        signals = [outcome for outcome in expected if isinstance(outcome, Signal)]
        (decided,) = partition.flush().decisions
        assert [signal for signal in decided.signals if signal.reason != "insufficient history"] == signals
    assert partition.accounts["a"].features == states


def test_distance_is_the_great_circle() -> None:
    assert kilometres(-23.5505, -46.6333, -22.9068, -43.1729) == pytest.approx(360, rel=0.02)  # São Paulo to Rio
    assert kilometres(0.0, 0.0, 0.0, 180.0) == pytest.approx(math.pi * 6371)


def test_every_feature_has_a_name_of_its_own() -> None:
    names = [feature.id for feature in FEATURES]
    assert len(set(names)) == len(names)


@given(st.integers(0, 60_000), st.none() | st.integers(0, 60_000), st.integers(-150, 150))
def test_a_payment_that_leaves_less_than_a_real_empties_the_balance(amount: int, far: int | None, near: int) -> None:
    for balance in (far, max(0, amount + near)):
        payment = Payment("t", "a", amount, T0, balance=balance)
        found = EmptiedBalance.assess(NoState(), payment, Context(Population(), Lists()))
        left = Fraction(balance - amount, 100) if balance is not None else None
        assert (found is not None) == (left is not None and 0 <= left < 1 and amount >= 200_00)
        share = Fraction(amount, balance) if balance else None
        assert payment.drains == (
            balance is None or amount == balance == 0 or (share is not None and Fraction(1, 2) <= share <= 1)
        )


def unusual_run(now: Payment, past: list[Payment]) -> Verdict:
    """The docstring read naively, among a crowd that pays R$ 100 on the mean with a deviation of R$ 50 and whose
    amounts know nothing of each other."""

    def excess(payment: Payment) -> float:
        return max(0.0, min((payment.amount - 10_000) / 5_000, 4.0) - 1.0) if payment.amount > 10_000 else 0.0

    if not excess(now):
        return None
    within = [p for p in past[-16:] if 0 <= now.time - p.time <= 48 * HOUR]
    if not any(excess(p) for p in within):
        return None
    before = len(past) - len(within)
    earlier = sum(excess(p) for p in past) - sum(excess(p) for p in within)
    habit = (earlier + 10 * 0.1037) / (before + 10)
    total = excess(now) + sum(excess(p) for p in within)
    return ("signal", 450) if total > 3.0 + habit * (len(within) + 1) + 1e-9 else None


@settings(max_examples=150, deadline=None)
@given(payments=streams())
def test_an_unusual_run_is_what_its_brute_force_reading_says(payments: list[Payment]) -> None:
    state: Any = UnusualRun.State()
    prepared = crowd(0.0)
    for at, payment in enumerate(payments):
        population = deepcopy(prepared)
        found = UnusualRun.assess(state, payment, Context(population, Lists()))
        UnusualRun.learn(state, payment, Context(population, Lists()))
        verdict = None if found is None else ("signal", found.points if isinstance(found, Signal) else 0)
        assert verdict == unusual_run(payment, payments[:at])


def crowd(alike: float) -> Population:
    """A thousand payments of R$ 50 and R$ 150; of their pairs, that share beyond half which is alike."""
    population = Population()
    for k in range(1_000):
        population.learn("", None, 5_000 if k % 2 else 15_000, T0)
        same = k % 100 < 50 + 50 * alike
        before = 0.5 if k // 100 % 2 else 1.5
        population.likeness.add(before, before if same else 2.0 - before, 0.1037, T0)
    return population


def test_an_unusual_run_asks_for_more_where_payments_of_an_account_are_alike() -> None:
    def last(alike: float, history: int) -> Any:
        state: Any = UnusualRun.State()
        context = Context(crowd(alike), Lists())
        past = [Payment(f"h{k}", "a", 9_000, T0 + k * 6 * HOUR) for k in range(history)]
        run = [Payment(f"r{k}", "a", 26_000, T0 + 12 * DAY + k * HOUR) for k in range(3)]
        for payment in [*past, *run[:2]]:
            UnusualRun.learn(state, payment, context)
        return UnusualRun.assess(state, run[2], context)

    assert crowd(0.4).likeness.correlation() == pytest.approx(0.4, abs=0.01)
    assert last(0.0, 0).points == 450
    assert last(0.4, 0) == Insufficient(UnusualRun.id, 0, 20)
    known, strict = last(0.0, 40), last(0.4, 40)
    assert (known.points, strict.points) == (450, 450)
    assert known.threshold < strict.threshold
    empty: Any = UnusualRun.State()
    assert UnusualRun.assess(empty, Payment("t", "a", 90_000, T0), Context(Population(), Lists())) is None


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0.0, 6.0), st.floats(0.0, 6.0)), min_size=200, max_size=260))
def test_likeness_is_the_correlation_of_the_pairs(pairs: list[tuple[float, float]]) -> None:
    likeness = Likeness()
    for before, now in pairs:
        likeness.add(before, now, 1.0, T0)
    capped = [(min(a, 3.0), min(b, 3.0)) for a, b in pairs]
    both = [x for pair in capped for x in pair]
    mean = sum(both) / len(both)
    variance = sum((x - mean) ** 2 for x in both) / len(both)
    expected = sum((a - mean) * (b - mean) for a, b in capped) / len(capped) / variance if variance > 1e-6 else 1.0
    if variance > 1e-6:
        assert likeness.correlation() == pytest.approx(expected, rel=1e-5, abs=1e-5)
    assert likeness.excess() == pytest.approx(1.0)
    assert Likeness().correlation() == 1.0


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from([5_000, 15_000, 24_000, 31_000, 32_000, 90_000]), min_size=180, max_size=260))
def test_population_amount_says_what_its_brute_force_reading_says(amounts: list[int]) -> None:
    population = Population(accounts=25)
    for at, amount in enumerate(amounts):
        found = PopulationAmount.assess(NoState(), Payment("t", "a", amount, T0), Context(population, Lists()))
        seen = amounts[:at]
        if len(seen) < 200:
            assert found == Insufficient(PopulationAmount.id, len(seen), 200)
        else:
            mean = sum(seen) / len(seen)
            deviation = math.sqrt(sum((x - mean) ** 2 for x in seen) / len(seen))
            # 25 accounts: four deviations, farther by 0.6 over the root of 25
            beyond = amount > mean + 4.48 * deviation
            assert isinstance(found, Signal) == beyond
            if isinstance(found, Signal):
                assert found.points == (450 if deviation <= mean else 100)
        population.learn("", None, amount, T0)
