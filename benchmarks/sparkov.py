"""Card payments as the Sparkov generator makes them, by our own code from its published profiles.

    python -m benchmarks.sparkov > cards.csv                         the columns of the published extract
    python -m benchmarks.sparkov --layout raw --seed 2 > cards.psv   those of the generator itself, between bars

460 cards, each with a whole number of purchases a day, in fourteen categories with gamma amounts in US$. Nearly every
card is stolen once: on two days the thief makes some ten purchases, four in five of them between 22 and 04 h, of
amounts that keep close to a mean of their own (US$ 1,000 in web shops, US$ 12 of fuel), and the owner none.

Source: Sparkov_Data_Generation, its code and the profiles of adults of 25 to 50; shares of the categories and of
morning and evening as counted in the published extract.
"""

from __future__ import annotations

import argparse
import csv
import sys
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from random import Random
from typing import NamedTuple

FIRST_DAY = date(2019, 1, 1)
VICTIMS = 0.97
NIGHT = 0.8
MORNING = 0.4
"""Share of the categories, in this order, whose purchases are made before noon."""
# category: share of honest purchases, mean and deviation in US$; share of fraud, mean and deviation
CATEGORIES: dict[str, tuple[float, float, float, float, float, float]] = {
    "gas_transport": (101, 70, 15, 80, 12, 2),
    "grocery_net": (35, 60, 20, 18, 12, 2),
    "grocery_pos": (95, 120, 20, 232, 310, 20),
    "misc_pos": (61, 80, 100, 33, 8, 1),
    "shopping_net": (75, 100, 200, 228, 1000, 100),
    "misc_net": (49, 100, 150, 122, 800, 80),
    "kids_pets": (87, 60, 50, 32, 20, 2),
    "shopping_pos": (90, 100, 225, 112, 880, 80),
    "home": (95, 60, 50, 26, 255, 25),
    "entertainment": (72, 100, 75, 31, 500, 50),
    "food_dining": (70, 60, 40, 20, 120, 12),
    "personal_care": (70, 55, 50, 29, 20, 2),
    "health_fitness": (66, 60, 50, 18, 20, 2),
    "travel": (31, 60, 600, 15, 10, 1),
}
_WEEKDAYS = (80, 90, 100, 100, 150, 175, 175)
_CITIES = (
    ("Longview", "TX", 32.4264, -94.7117, 102348),
    ("Denver", "CO", 39.7313, -104.9811, 990452),
    ("Sarasota", "FL", 27.2866, -82.4770, 232625),
    ("Galena", "OH", 40.2011, -82.8749, 10301),
    ("Valley Stream, South", "NY", 40.6523, -73.7118, 60957),
    ("Weed", "CA", 41.6661, -122.4086, 6630),
)


class Purchase(NamedTuple):
    time: datetime
    card: int
    category: str
    amount: float
    fraud: bool


def simulate(cards: int, days: int, seed: int) -> list[Purchase]:
    """All purchases in order of time."""
    draw = Random(seed)
    found = [purchase for card in range(cards) for purchase in _card(card, days, draw)]
    return sorted(found, key=lambda purchase: (purchase.time, purchase.card))


def _card(card: int, days: int, draw: Random) -> Iterator[Purchase]:
    stolen: set[date] = set()
    if draw.random() < VICTIMS:
        first = FIRST_DAY + timedelta(days=draw.randint(1, days - 7))
        for _ in range(draw.randint(4, 16)):
            day = first + timedelta(days=draw.randint(0, 1))
            stolen.add(day)
            yield _purchase(card, day, draw, fraud=True)
    calendar = [FIRST_DAY + timedelta(days=day) for day in range(days)]
    busy = [_WEEKDAYS[day.weekday()] for day in calendar]
    a_day = draw.choice((1, 1, 1, 2, 2, 3, 3, 4, 4, 6))
    for day in draw.choices(calendar, busy, k=days * a_day):
        if day not in stolen:
            yield _purchase(card, day, draw, fraud=False)


def _purchase(card: int, day: date, draw: Random, *, fraud: bool) -> Purchase:
    offset = 3 if fraud else 0
    shares = [kind[offset] for kind in CATEGORIES.values()]
    # One draw decides both the category and the half of the day, as the generator has it.
    chosen = draw.random()
    category = list(CATEGORIES)[bisect_left(list(accumulate(shares)), chosen * sum(shares))]
    mean, deviation = CATEGORIES[category][offset + 1 : offset + 3]
    amount = draw.gammavariate((mean / deviation) ** 2, deviation**2 / mean)
    hours = (0, 12) if chosen <= MORNING else (12, 24)
    if fraud and draw.random() < NIGHT:
        hours = (0, 4) if chosen <= MORNING else (22, 24)
    time = datetime(day.year, day.month, day.day, draw.randrange(*hours), draw.randrange(60), draw.randrange(60))
    return Purchase(time, card, category, round(amount if amount >= 1 else draw.uniform(1, 10), 2), fraud)


EXTRACT = (
    *("", "trans_date_trans_time", "cc_num", "merchant", "category", "amt", "first", "last", "gender", "street"),
    *("city", "state", "zip", "lat", "long", "city_pop", "job", "dob", "trans_num", "unix_time", "merch_lat"),
    *("merch_long", "is_fraud"),
)
RAW = (
    *("ssn", "cc_num", "first", "last", "gender", "street", "city", "state", "zip", "lat", "long", "city_pop", "job"),
    *("dob", "acct_num", "profile", "trans_num", "trans_date", "trans_time", "unix_time", "category", "amt"),
    *("is_fraud", "merchant", "merch_lat", "merch_long"),
)


def rows(purchases: Sequence[Purchase], seed: int) -> Iterator[dict[str, object]]:
    """Every column of either layout."""
    draw = Random(seed + 1)
    for number, bought in enumerate(purchases):
        card = Random(bought.card)
        city, state, latitude, longitude, people = card.choice(_CITIES)
        yield {
            "": number,
            "ssn": f"{bought.card:09d}",
            "cc_num": 4_000_000_000_000_000 + bought.card * 7_919,
            "first": "Ana",
            "last": f"Card{bought.card}",
            "gender": card.choice("FM"),
            "street": f"{card.randint(1, 9999)} Oak Street, Apt. {card.randint(1, 99)}",
            "city": city,
            "state": state,
            "zip": f"{card.randint(1000, 99999):05d}",
            "lat": latitude,
            "long": longitude,
            "city_pop": people,
            "job": "Engineer, civil",
            "dob": f"{card.randint(1940, 2000)}-{card.randint(1, 12):02d}-01",
            "acct_num": 100_000_000_000 + bought.card,
            "profile": "adults_2550_female_urban.json",
            "trans_num": f"{draw.getrandbits(128):032x}",
            "trans_date_trans_time": f"{bought.time:%Y-%m-%d %H:%M:%S}",
            "trans_date": f"{bought.time:%Y-%m-%d}",
            "trans_time": f"{bought.time:%H:%M:%S}",
            "unix_time": int(bought.time.replace(tzinfo=UTC).timestamp()),
            "category": bought.category,
            "amt": f"{bought.amount:.2f}",
            "is_fraud": int(bought.fraud),
            "merchant": f"fraud_{bought.category.title()}, Shop and Sons {draw.randrange(50)}",
            "merch_lat": round(latitude + draw.uniform(-1, 1), 6),
            "merch_long": round(longitude + draw.uniform(-1, 1), 6),
        }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sparkov", description=__doc__.split("\n")[0])
    parser.add_argument("--cards", type=int, default=460)
    parser.add_argument("--days", type=int, default=120, help="8 or more")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--layout", choices=("extract", "raw"), default="extract")
    chosen = parser.parse_args(arguments)
    if chosen.days < 8 or chosen.cards < 1:
        parser.error("8 days and 1 card at least")
    raw = chosen.layout == "raw"
    out = csv.DictWriter(
        sys.stdout, RAW if raw else EXTRACT, extrasaction="ignore", delimiter="|" if raw else ",", lineterminator="\n"
    )
    out.writeheader()
    out.writerows(rows(simulate(chosen.cards, chosen.days, chosen.seed), chosen.seed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
