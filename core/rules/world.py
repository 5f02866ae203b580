"""A labelled world to measure on: weeks of honest payments of some hundred people, with every scenario thrown in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from zlib import crc32

import msgspec

from core.replay.scorecard import Truth
from core.rules.payments import Known
from core.scenarios import registry
from core.scenarios.campaign import Campaign
from core.scenarios.population import Population
from core.scenarios.traffic import Traffic
from ksqldb.rulebook import Sent
from schema.transaction import Transaction, centavos

DAY_MS = 86_400_000
START = 1_750_032_000_000
"""The end of the honest weeks, and the now of every campaign."""
PEOPLE, DAYS, WARM_DAYS = 600, 28, 7
PAYMENTS_A_DAY = 2.16
POPULATION = 50_000
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class World(NamedTuple):
    """Payments in order of time with their truth (honest ones have one too), and the campaigns among them."""

    payments: list[tuple[Transaction, Truth]]
    campaigns: dict[tuple[str, int], Campaign]
    honest: frozenset[str]
    """Payments of ordinary traffic after the first week, by which false positives are counted."""


def build(seed: int, scenarios: Sequence[str], campaigns: int, people: int = PEOPLE) -> World:
    """``campaigns`` of each scenario, seeds from ``seed`` on, among so many honest people; the same arguments give the
    same world."""
    traffic = Traffic(Population(seed, people), seed, f"w{seed}")
    first = START - DAYS * DAY_MS
    ordinary = list(traffic.days(first, DAYS, int(PAYMENTS_A_DAY * people)))
    victims = Population(seed, POPULATION)
    made = {
        # A seed of its own for each, so that no victim meets two crimes.
        (name, number): registry.build(name, f"{name}-{number}", crc32(f"{name} {number}".encode()), START, victims)
        for name in scenarios
        for number in range(seed, seed + campaigns)
    }
    payments = [(tx, Truth(False)) for tx in ordinary]
    payments += [pair for campaign in made.values() for pair in _of(campaign)]
    payments.sort(key=lambda pair: pair[0].event_time)
    warm = first + WARM_DAYS * DAY_MS
    return World(payments, made, frozenset(tx.transaction_id for tx in ordinary if tx.event_time >= warm))


def _of(campaign: Campaign) -> Iterator[tuple[Transaction, Truth]]:
    for planned in campaign.payments:
        label = planned.label
        truth = Truth(label.is_fraud, label.scenario if label.is_fraud else None, label.campaign_id)
        yield planned.transaction, truth


def as_known(world: World) -> list[Known]:
    """The payments as records of their topic."""
    return [
        Known(
            Sent(tx.account_id.encode(), _ENCODER.encode(tx), tx.event_time),
            tx.transaction_id,
            tx.account_id,
            centavos(tx.amount),
            tx.channel,
            truth,
        )
        for tx, truth in world.payments
    ]
