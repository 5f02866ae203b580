"""Honest traffic: the same seed gives the same stream, and the stream has the shape that was promised."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from core.scenarios.population import Population, mix, unit
from core.scenarios.traffic import Traffic
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


def test_hard_negatives_happen() -> None:
    payments = list(Traffic(Population(3, 1_024), 3).stream(120_000, START, 1.0))
    by_account: dict[str, list[int]] = {}
    for payment in payments:
        by_account.setdefault(payment.account_id, []).append(payment.event_time)
    bursts = sum(any(times[k + 4] - times[k] < 600_000 for k in range(len(times) - 4)) for times in by_account.values())
    assert bursts >= 1


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 2**63), min_size=1, max_size=4))
def test_mixing_gives_64_bits_and_a_unit(parts: list[int]) -> None:
    assert 0 <= mix(*parts) < 2**64
    assert 0.0 <= unit(*parts) < 1.0
