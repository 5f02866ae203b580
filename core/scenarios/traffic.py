"""Honest payments of a population, one at a time, in the order of their event time.

Channel shares of 2024 (Pix 55.7, credit 17.3, debit 14.6, boleto 3.7, TED 0.7 %, normalised). Among them the hard
negatives without which every rule looks perfect: bill bursts, equal amounts to several payees, trips by air, new
telephones, telephones of a family, shops that many accounts pay.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from heapq import heappop, heappush
from itertools import accumulate
from random import Random
from typing import NamedTuple

from core.scenarios import amounts
from core.scenarios.places import CITIES
from core.scenarios.population import PAYEES, WEEK_MS, Customer, Population
from schema.transaction import Transaction

DAY_MS = 86_400_000
_SHARES = {"PIX": 55.7, "CREDIT": 17.3, "DEBIT": 14.6, "BOLETO": 3.7, "TED": 0.7}
_CHANNELS = list(_SHARES)
_CUMULATED = list(accumulate(_SHARES.values()))
_TABLE = [_CHANNELS[bisect(_CUMULATED, (i + 0.5) / 1000 * _CUMULATED[-1])] for i in range(1000)]
# Zipf(1.1) over a customer's payees
_ZIPF = list(accumulate((k + 1) ** -1.1 for k in range(PAYEES)))

# payments per hour of a working day, per cent (two bells at 12.3 and 18.6 h): 38 % after 17 h, 4.9 % from 22 to 06 h
HOURS = (
    *(0.21, 0.21, 0.22, 0.24, 0.30, 0.46, 0.85, 1.59, 2.80, 4.41, 6.10, 7.39),
    *(7.89, 7.63, 7.12, 7.01, 7.58, 8.41, 8.67, 7.81, 5.99, 3.89, 2.16, 1.07),
)
# Monday first; Sundays are the quietest for Pix
WEEKDAYS = (0.9, 0.95, 1.0, 1.0, 1.35, 1.25, 0.7)
UTC_OFFSET_MS = -3 * 3_600_000


SALARY_DAYS, SALARY_FACTOR = (5, 6, 7), 5.0
"""Days of the month on which salaries are there and bills are paid, and how much likelier bursts of bills are then."""
_OTHER_FACTOR = (30 - 3 * SALARY_FACTOR) / 27


class Habits(NamedTuple):
    """How often the hard negatives and novelties happen, each a share of a month's payments."""

    new_payee: float = 0.04
    bill_burst: float = 0.00004
    equal_amounts: float = 0.00005


class Traffic:
    """Payments of ``population``; the same seed and the same times give the same payments."""

    def __init__(self, population: Population, seed: int, prefix: str = "", habits: Habits | None = None) -> None:
        self.population = population
        self.habits = habits or Habits()
        self._random = Random(seed)
        self._prefix = prefix or f"s{seed}"
        self._count = 0
        self._cards = amounts.card_tables()
        self._day, self._bursts = -1, 0.0
        self._pending: list[tuple[int, int, Customer, str, int, str | None]] = []

    def at(self, time: int, produced_at: int | None = None) -> Transaction:
        """The payment made at ``time`` (epoch ms); one that a burst has planned for it comes first."""
        if self._pending and self._pending[0][0] <= time:
            _, _, customer, channel, amount, payee = heappop(self._pending)
            return self._make(customer, channel, amount, payee, time, produced_at)
        random = self._random
        customer = self.population.draw(random)
        habit = random.random()
        if (day := (time + UTC_OFFSET_MS) // DAY_MS) != self._day:
            self._day, self._bursts = day, self.habits.bill_burst * _salaries(day)
        if habit < self._bursts:
            self._plan_bills(customer, time)
        elif habit < self._bursts + self.habits.equal_amounts:
            self._plan_equal(customer, time)
        return self._make(customer, _TABLE[int(random.random() * 1000)], None, None, time, produced_at)

    def stream(self, count: int, start: int, rate: float) -> Iterator[Transaction]:
        """``count`` payments from ``start`` on at ``rate`` a second of event time."""
        step = 1000 / rate
        for k in range(count):
            yield self.at(start + int(k * step))

    def days(self, start: int, days: int, per_day: int) -> Iterator[Transaction]:
        """Whole days (UTC-3) with the hours and weekdays of section 4.2 of life: ``per_day`` payments on a mean day."""
        random = self._random
        for day in range(days):
            midnight = start + day * DAY_MS
            weight = WEEKDAYS[((midnight + UTC_OFFSET_MS) // DAY_MS + 3) % 7] * _season(midnight)
            times: list[int] = []
            for hour, share in enumerate(HOURS):
                expected = per_day * weight * share / 100
                number = int(expected) + (random.random() < expected % 1)
                first = midnight - UTC_OFFSET_MS + hour * 3_600_000
                times.extend(first + int(random.random() * 3_600_000) for _ in range(number))
            for time in sorted(times):
                yield self.at(time)

    # ------------------------------------------------------------------------------------------------- one payment

    def _make(
        self,
        customer: Customer,
        channel: str,
        amount: int | None,
        payee: str | None,
        time: int,
        produced_at: int | None,
    ) -> Transaction:
        random = self._random
        self._count += 1
        draw = int(random.random() * amounts.SIZE)
        merchant_id = name = category = device = None
        latitude: float | None
        longitude: float | None
        city_index, latitude, longitude = self._whereabouts(customer, time)
        if channel in ("CREDIT", "DEBIT"):
            row = self.population.merchants[city_index]
            merchant = row[int(random.random() ** 1.6 * len(row))]
            merchant_id, name, category = merchant.merchant_id, merchant.name, merchant.category
            value = amount or int(self._cards[channel, category][draw] * customer.level)
            if channel == "CREDIT" and random.random() < 0.35:
                device = self.population.device(customer, time)
        else:
            device = self.population.device(customer, time)
            if channel == "PIX":
                value = amount or min(int(amounts.PIX[draw] * customer.level), customer.limit)
                payee = payee or self._payee(customer)
            elif channel == "BOLETO":
                value = amount or int(amounts.BOLETO[draw] * customer.level)
                payee = payee or f"biller-{customer.number % 97 + int(random.random() * 3)}"
                latitude = longitude = None
            else:
                value = amount or int(amounts.TED[draw] * customer.level)
                payee = payee or self.population.payee(customer, 0)
                latitude = longitude = None
        city = CITIES[city_index]
        return Transaction(
            transaction_id=f"tx-{self._prefix}-{self._count}",
            account_id=customer.account_id,
            amount=Decimal(max(value, 100)).scaleb(-2),
            event_time=time,
            channel=channel,
            merchant_id=merchant_id,
            merchant_name=name,
            merchant_category=category,
            payee_id=payee,
            device_id=device,
            city=city.name,
            state=city.state,
            latitude=latitude,
            longitude=longitude,
            produced_at=produced_at,
        )

    def _payee(self, customer: Customer) -> str:
        random = self._random
        if random.random() < self.habits.new_payee:
            return self.population.account_id(int(random.random() * self.population.size))
        return self.population.payee(customer, min(bisect(_ZIPF, random.random() * _ZIPF[-1]), PAYEES - 1))

    def _whereabouts(self, customer: Customer, time: int) -> tuple[int, float | None, float | None]:
        """City and position; nowhere during the half day in which a trip begins or ends."""
        shifted = time + customer.week_offset
        week = shifted // WEEK_MS
        trip = self.population.trip
        there = trip(customer.number, week)
        if shifted % WEEK_MS < DAY_MS // 2 and (there >= 0 or trip(customer.number, week - 1) >= 0):
            return customer.city, None, None
        if there < 0:
            return customer.city, customer.latitude, customer.longitude
        return there, CITIES[there].latitude, CITIES[there].longitude

    # ------------------------------------------------------------------------------------------------ hard negatives

    def _plan_bills(self, customer: Customer, time: int) -> None:
        """Salary day: five to ten bills within ten minutes."""
        random = self._random
        for k in range(random.randint(5, 10)):
            channel = "BOLETO" if random.random() < 0.6 else "PIX"
            heappush(
                self._pending, (time + int(random.random() * 600_000), self._count * 16 + k, customer, channel, 0, None)
            )

    def _plan_equal(self, customer: Customer, time: int) -> None:
        """A parent pays two or three children the same pocket money within five minutes."""
        random = self._random
        amount = random.choice((50_00, 100_00, 150_00, 200_00))
        for k in range(random.randint(2, 3)):
            due = time + 20_000 + int(random.random() * 280_000)
            heappush(
                self._pending, (due, self._count * 16 + k, customer, "PIX", amount, self.population.payee(customer, k))
            )


def _salaries(day: int) -> float:
    """How likely a burst of bills is on a day since 1970, against the mean day of a month."""
    of_month = (date(1970, 1, 1) + timedelta(days=day)).day
    return SALARY_FACTOR if of_month in SALARY_DAYS else _OTHER_FACTOR


def _season(time: int) -> float:
    """Weight of the day of the year: Black Friday to Christmas is busy, January and February are quiet."""
    day = (time + UTC_OFFSET_MS) // DAY_MS % 365.2425
    if day >= 328:
        return 1.6
    return 0.8 if day < 59 else 1.0
