"""A seeded population: customers, their devices, habits and payees, and the merchants they buy from.

Nothing is stored: a customer is derived from the seed and an index, so a population of millions costs no memory and the
same seed gives the same people. Activity is gamma-distributed (shape 1.2); homes follow the census.
"""

from __future__ import annotations

from bisect import bisect
from functools import lru_cache
from itertools import accumulate
from math import exp
from random import Random
from typing import NamedTuple

from core.scenarios.amounts import CATEGORIES
from core.scenarios.places import CITIES

CLASSES = 1024
PAYEES = 12
TRIPS = 0.03
SHOPS, SHOPPERS = 200, 0.1
"""One account in so many is a small shop's; the share of a customer's payees that are such accounts."""
FAMILIES = 0.02
"""Share of customers who live, three at a time, with one telephone."""
QUARTER_MS = 7_776_000_000
WEEK_MS = 604_800_000
MERCHANTS_PER_CITY = 240
LIMITS = (1_000_00, 2_000_00, 3_000_00, 5_000_00, 10_000_00)
_LIMIT_SHARES = (0.35, 0.25, 0.25, 0.10, 0.05)
_MASK = (1 << 64) - 1


def mix(*parts: int) -> int:
    """64 well-spread bits of some integers (the steps of splitmix64)."""
    state = 0x9E3779B97F4A7C15
    for part in parts:
        state = (state ^ (part & _MASK)) * 0xBF58476D1CE4E5B9 & _MASK
        state ^= state >> 29
    state = state * 0x94D049BB133111EB & _MASK
    return state ^ (state >> 31)


def unit(*parts: int) -> float:
    """A number in [0, 1) of some integers."""
    return mix(*parts) / 2**64


class Customer(NamedTuple):
    """``level`` multiplies every amount; ``limit`` caps a Pix, centavos; ``week_offset`` staggers trips, ms."""

    number: int
    account_id: str
    city: int
    latitude: float
    longitude: float
    level: float
    limit: int
    week_offset: int


class Merchant(NamedTuple):
    merchant_id: str
    name: str
    category: str
    city: int


class Population:
    """``size`` customers (rounded up to a multiple of 1,024) and 240 merchants a city."""

    def __init__(self, seed: int, size: int) -> None:
        self.seed = seed
        self.size = -(-size // CLASSES) * CLASSES
        self._homes = list(accumulate(city.inhabitants for city in CITIES))
        self._limits = list(accumulate(_LIMIT_SHARES))
        random = Random(seed)
        activity = [random.gammavariate(1.2, 1 / 1.2) + 0.05 for _ in range(CLASSES)]
        self._activity = list(accumulate(activity))
        self.merchants = _merchants(seed)
        self.customer = lru_cache(maxsize=262_144)(self._customer)
        self._device = lru_cache(maxsize=262_144)(self._device_of)
        self.trip = lru_cache(maxsize=262_144)(self._trip)

    def draw(self, random: Random) -> Customer:
        """A customer who pays now: the more active, the more often."""
        group = bisect(self._activity, random.random() * self._activity[-1])
        return self.customer(min(group, CLASSES - 1) + CLASSES * int(random.random() * (self.size // CLASSES)))

    def account_id(self, index: int) -> str:
        return f"acc-{index:06d}"

    def payee(self, customer: Customer, rank: int) -> str:
        """The account that the customer pays ``rank``-th most often, from 0 to ``PAYEES`` - 1."""
        drawn = mix(self.seed, 8, customer.number, rank)
        if drawn >> 48 < SHOPPERS * 2**16:
            return self.account_id(drawn % (self.size // SHOPS) * SHOPS)
        return self.account_id(drawn % self.size)

    def device(self, customer: Customer, time: int) -> str:
        """The telephone in use at ``time``: one customer in twelve changes it within a quarter of a year."""
        return self._device(customer.number, time // QUARTER_MS)

    def _device_of(self, index: int, quarter: int) -> str:
        if unit(self.seed, 13, index // 3) < FAMILIES:
            index -= index % 3
        changed = unit(self.seed, 11, index, quarter) < 1 / 12
        return f"d-{mix(self.seed, 12, index, quarter if changed else 0) & 0xFFFFFFFF:08x}"

    def _trip(self, index: int, week: int) -> int:
        """The city a customer travels to in a week of his own, -1 for none: three weeks in a hundred are trips."""
        if unit(self.seed, 32, index, week) >= TRIPS:
            return -1
        return int(unit(self.seed, 33, index, week) * len(CITIES))

    def _customer(self, index: int) -> Customer:
        bits, more = mix(self.seed, 1, index), mix(self.seed, 2, index)
        home = bisect(self._homes, (bits & 0xFFFFFF) / 2**24 * self._homes[-1])
        city = CITIES[home]
        # the sum of three uniforms is near enough to a bell
        bell = ((bits >> 24 & 0xFF) + (bits >> 32 & 0xFF) + (bits >> 40 & 0xFF)) / 256 - 1.5
        limit = LIMITS[min(bisect(self._limits, (bits >> 48) / 2**16), len(LIMITS) - 1)]
        return Customer(
            index,
            self.account_id(index),
            home,
            round(city.latitude + ((more & 0xFFFF) / 2**16 - 0.5) * 0.3, 4),
            round(city.longitude + ((more >> 16 & 0xFFFF) / 2**16 - 0.5) * 0.3, 4),
            exp(0.9 * bell),
            limit,
            (more >> 32) * WEEK_MS >> 32,
        )


@lru_cache(maxsize=2)
def _merchants(seed: int) -> list[list[Merchant]]:
    """Merchants by city, their names by Faker."""
    from faker import Faker  # a third of a second to import: only who makes payments needs it

    faker = Faker("pt_BR")
    faker.seed_instance(seed)
    names = [faker.company() for _ in range(400)]
    categories = list(CATEGORIES)
    shares = list(accumulate(share for share, _, _ in CATEGORIES.values()))
    made: list[list[Merchant]] = []
    for city in range(len(CITIES)):
        row = []
        for k in range(MERCHANTS_PER_CITY):
            number = city * MERCHANTS_PER_CITY + k
            category = categories[min(bisect(shares, unit(seed, 21, number) * shares[-1]), len(categories) - 1)]
            row.append(Merchant(f"m-{number}", names[mix(seed, 22, number) % len(names)], category, city))
        made.append(row)
    return made
