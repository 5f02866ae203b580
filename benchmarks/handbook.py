"""The Fraud-Detection-Handbook's simulated payments, made by the recipe that the book publishes.

    python -m benchmarks.handbook --from 2018-06-01 --to 2018-07-24 > history.csv
    python -m benchmarks.handbook --seed 7 > another_world.csv

With seed 0 these are the book's own customers, terminals and payments (numpy's legacy generators are rebuilt on
Python's Mersenne twister), so the weeks before a published extract can be replayed ahead of it. Another seed is another
world of the same law, to tune on: nothing is ever fitted on the extract itself.

Source: chapter 3, "Transaction data simulator". 5,000 customers and 10,000 terminals on a square of 100 by 100, of
which a customer uses those within a distance of 5; amounts N(mean, mean / 2) with mean U(5, 100); Poisson payments a
day with mean U(0, 4); times N(noon, 20,000 s). Fraud: amounts above 220; two terminals a day for 28 days; three
customers a day, a third of whose payments of 14 days are multiplied by 5.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from math import exp, log, sqrt
from random import Random
from typing import NamedTuple

FIRST_DAY = date(2018, 4, 1)
CUSTOMERS, TERMINALS, RADIUS = 5_000, 10_000, 5.0
DAY_S = 86_400
_WORD = 0xFFFFFFFF
COLUMNS = (
    "TRANSACTION_ID",
    "TX_DATETIME",
    "CUSTOMER_ID",
    "TERMINAL_ID",
    "TX_AMOUNT",
    "TX_TIME_SECONDS",
    "TX_TIME_DAYS",
    "TX_FRAUD",
    "TX_FRAUD_SCENARIO",
)


class Legacy:
    """numpy's ``RandomState``: the draws that the recipe makes."""

    def __init__(self, seed: int) -> None:
        word = seed & _WORD
        key = []
        for position in range(624):
            key.append(word)
            word = (1812433253 * (word ^ (word >> 30)) + position + 1) & _WORD
        self._twister = Random()
        self._twister.setstate((3, (*key, 624), None))
        self._double = self._twister.random
        self._spare: float | None = None

    def uniform(self, low: float, high: float) -> float:
        return low + (high - low) * self._double()

    def normal(self, mean: float, deviation: float) -> float:
        if self._spare is not None:
            found, self._spare = self._spare, None
            return mean + deviation * found
        while True:
            x, y = 2.0 * self._double() - 1.0, 2.0 * self._double() - 1.0
            square = x * x + y * y
            if 0.0 < square < 1.0:
                break
        factor = sqrt(-2.0 * log(square) / square)
        self._spare = factor * x
        return mean + deviation * (factor * y)

    def poisson(self, mean: float) -> int:
        """For means below 10."""
        least, product, count = exp(-mean), 1.0, 0
        while True:
            product *= self._double()
            if product <= least:
                return count
            count += 1

    def sample(self, population: int, size: int) -> list[int]:
        """``size`` of ``range(population)`` without replacement."""
        order = list(range(population))
        for i in range(population - 1, 0, -1):
            mask = (1 << i.bit_length()) - 1
            while (j := self._twister.getrandbits(32) & mask) > i:
                pass
            order[i], order[j] = order[j], order[i]
        return order[:size]


class Row(NamedTuple):
    second: int
    customer: int
    terminal: int
    amount: float


class Fraud(NamedTuple):
    row: Row
    scenario: int


def simulate(days: int, seed: int = 0) -> list[Fraud]:
    """The first ``days`` days in order of time; scenario 0 is honest."""
    rows = sorted(_payments(days, seed), key=lambda row: row.second)
    scenarios = [1 if row.amount > 220 else 0 for row in rows]
    by_terminal: dict[int, list[int]] = defaultdict(list)
    by_customer: dict[int, list[int]] = defaultdict(list)
    for at, row in enumerate(rows):
        by_terminal[row.terminal].append(at)
        by_customer[row.customer].append(at)
    # The recipe leaves the last day out of both.
    for day in range(days - 1):
        for terminal in Legacy(seed + day).sample(TERMINALS, 2):
            for at in by_terminal[terminal]:
                if day <= rows[at].second // DAY_S < day + 28:
                    scenarios[at] = 2
    for day in range(days - 1):
        cards = Legacy(seed + day).sample(CUSTOMERS, 3)
        theirs = sorted(at for card in cards for at in by_customer[card] if day <= rows[at].second // DAY_S < day + 14)
        for at in Random(seed + day).sample(theirs, len(theirs) // 3):
            rows[at] = rows[at]._replace(amount=rows[at].amount * 5)
            scenarios[at] = 3
    return [Fraud(row, scenario) for row, scenario in zip(rows, scenarios, strict=True)]


def _payments(days: int, seed: int) -> Iterator[Row]:
    people, places = Legacy(seed), Legacy(seed + 1)
    customers = [
        (people.uniform(0, 100), people.uniform(0, 100), people.uniform(5, 100), people.uniform(0, 4))
        for _ in range(CUSTOMERS)
    ]
    terminals = [(places.uniform(0, 100), places.uniform(0, 100)) for _ in range(TERMINALS)]
    for number, (x, y, mean, activity) in enumerate(customers):
        near = [t for t, (a, b) in enumerate(terminals) if sqrt((x - a) ** 2 + (y - b) ** 2) < RADIUS]
        numbers, choices = Legacy(number + seed * CUSTOMERS), Random(number + seed * CUSTOMERS)
        for day in range(days):
            for _ in range(numbers.poisson(activity)):
                time = int(numbers.normal(DAY_S / 2, 20_000))
                if not 0 < time < DAY_S:
                    continue
                amount = numbers.normal(mean, mean / 2)
                if amount < 0:
                    amount = numbers.uniform(0, mean * 2)
                if near:
                    yield Row(day * DAY_S + time, number, choices.choice(near), round(amount, 2))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.handbook", description=__doc__.split("\n")[0])
    parser.add_argument("--from", dest="since", type=date.fromisoformat, default=date(2018, 7, 25), metavar="DATE")
    parser.add_argument("--to", dest="until", type=date.fromisoformat, default=date(2018, 8, 14), metavar="DATE")
    parser.add_argument("--seed", type=int, default=0, help="0: the book's own world")
    chosen = parser.parse_args(arguments)
    if not FIRST_DAY <= chosen.since <= chosen.until:
        parser.error(f"--from and --to are days from {FIRST_DAY} on, in this order")
    first = (chosen.since - FIRST_DAY).days
    out = csv.writer(sys.stdout)
    out.writerow(COLUMNS)
    last = (chosen.until - FIRST_DAY).days
    # A card's fraud is a third of its fortnight's payments: the fortnight after the last day is made as well.
    for number, (row, scenario) in enumerate(simulate(last + 16, chosen.seed)):
        day, second = divmod(row.second, DAY_S)
        if not first <= day <= last:
            continue
        clock = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
        moment = f"{FIRST_DAY + timedelta(days=day)} {clock}"
        fraud = int(scenario > 0)
        out.writerow(
            (number, moment, row.customer, row.terminal, f"{row.amount:.2f}", row.second, day, fraud, scenario)
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
