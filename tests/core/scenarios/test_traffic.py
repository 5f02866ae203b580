"""Honest traffic: the same seed gives the same stream, and the stream has the shape that was promised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from core.detection.features.geo_velocity import kilometres
from core.scenarios.population import Population, mix, unit
from core.scenarios.traffic import Habits, Traffic
from schema.transaction import Transaction

START = 1_750_032_000_000


def stream(count: int, seed: int = 3) -> list[Transaction]:
    return list(Traffic(Population(seed, 5_000), seed).stream(count, START, 50.0))


def test_the_same_seed_gives_the_same_stream() -> None:
    assert stream(500) == stream(500)
    assert stream(500) != stream(500, seed=4)


def test_channels_and_amounts_have_the_published_shape() -> None:
    payments = stream(40_000)
    shares = Counter(payment.channel for payment in payments)
    assert 0.58 < shares["PIX"] / 40_000 < 0.64
    assert 0.16 < shares["CREDIT"] / 40_000 < 0.22
    pix = sorted(payment.amount for payment in payments if payment.channel == "PIX")
    assert 60 < pix[len(pix) // 2] < 95
    assert sum(amount < 100 for amount in pix) / len(pix) > 0.5
    assert sum(payment.amount > 3000 for payment in payments) / 40_000 < 0.003
    assert all(payment.amount > 0 for payment in payments)


def test_days_have_their_hours() -> None:
    payments = list(Traffic(Population(3, 5_000), 3).days(START, 7, 4_000))
    times = [payment.event_time for payment in payments]
    assert times == sorted(times)
    hours = Counter((datetime.fromtimestamp(time / 1000, UTC) - timedelta(hours=3)).hour for time in times)
    night = sum(hours[hour] for hour in (22, 23, 0, 1, 2, 3, 4, 5)) / len(times)
    assert 0.03 < night < 0.08
    assert hours[12] > 5 * hours[3]


def test_a_customer_keeps_home_device_and_payees() -> None:
    population = Population(3, 5_000)
    customer = population.customer(17)
    assert customer == Population(3, 9_000).customer(17)
    assert population.payee(customer, 2) == population.payee(customer, 2)
    assert population.device(customer, START) == population.device(customer, START + 1_000)


@lru_cache(maxsize=1)
def autumn() -> list[Transaction]:
    """From 1 October to Christmas, a thousand people."""
    population = Population(3, 1_024)
    return list(Traffic(population, 3).days(1_759_276_800_000, 85, int(2.16 * population.size)))


def by(key: Callable[[Transaction], str | None], payments: Iterable[Transaction]) -> dict[str, list[Transaction]]:
    found: dict[str, list[Transaction]] = {}
    for payment in payments:
        if (of := key(payment)) is not None:
            found.setdefault(of, []).append(payment)
    return found


def local(payment: Transaction) -> datetime:
    return datetime.fromtimestamp(payment.event_time / 1000, UTC) - timedelta(hours=3)


def test_bills_are_paid_in_bursts_most_of_all_when_salaries_are_there() -> None:
    habits = Habits(bill_burst=0.002)
    month = Traffic(Population(3, 1_024), 3, habits=habits).days(1_759_276_800_000, 60, 1_000)
    bursts: list[int] = []
    for payments in by(lambda payment: payment.account_id, month).values():
        times = [payment.event_time for payment in payments]
        bursts += [local(payments[k]).day for k in range(len(times) - 4) if times[k + 4] - times[k] < 600_000]
    on_salary_days = sum(day in (5, 6, 7) for day in bursts)
    assert len(bursts) > 20
    assert on_salary_days / 6 > 2 * (len(bursts) - on_salary_days) / 54


def test_black_friday_to_christmas_is_busy() -> None:
    days = Counter(local(payment).date() for payment in autumn())
    november, december = date(2025, 11, 4), date(2025, 12, 2)
    assert days[december] > 1.4 * days[november]
    assert days[date(2025, 11, 28)] > 1.4 * days[date(2025, 11, 7)]  # a Friday each


def test_people_fly_and_never_faster_than_an_aeroplane() -> None:
    flights, fastest = 0, 0.0
    for payments in by(lambda payment: payment.account_id, autumn()).values():
        placed = [
            (payment.event_time, payment.latitude, payment.longitude)
            for payment in payments
            if payment.latitude is not None and payment.longitude is not None
        ]
        for (left, *here), (arrived, *there) in pairwise(placed):
            far = kilometres(*here, *there)
            if far > 300:
                flights += 1
                fastest = max(fastest, far / ((arrived - left) / 3_600_000))
    assert flights > 50
    assert fastest < 900


def test_a_shop_owner_is_paid_by_many_people_a_day() -> None:
    payers = [
        {payment.account_id for payment in payments if local(payment).date() == date(2025, 10, 8)}
        for payments in by(lambda payment: payment.payee_id if payment.channel == "PIX" else None, autumn()).values()
    ]
    assert sorted(map(len, payers))[-3] >= 10


def test_telephones_are_changed_and_shared_by_families() -> None:
    devices = {of: {p.device_id for p in payments if p.device_id} for of, payments in by(_account, autumn()).items()}
    changed = sum(len(used) > 1 for used in devices.values()) / len(devices)
    assert 0.05 < changed < 0.4
    owners = by(lambda payment: payment.device_id, autumn())
    assert 3 in {len({payment.account_id for payment in payments}) for payments in owners.values()}


def test_parents_pay_several_children_the_same() -> None:
    found = 0
    for payments in by(_account, autumn()).values():
        pix = [payment for payment in payments if payment.channel == "PIX"]
        for a, b in pairwise(pix):
            found += a.amount == b.amount and a.payee_id != b.payee_id and b.event_time - a.event_time < 300_000
    assert found >= 3


def _account(payment: Transaction) -> str:
    return payment.account_id


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 2**63), min_size=1, max_size=4))
def test_mixing_gives_64_bits_and_a_unit(parts: list[int]) -> None:
    assert 0 <= mix(*parts) < 2**64
    assert 0.0 <= unit(*parts) < 1.0
