"""A stolen card at night: a dozen large purchases within two days."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from core.scenarios.campaign import HOUR_MS, Builder
from core.scenarios.knobs import Hours, Reais, Some

NIGHTLY = 0.85
"""Share of the purchases between 22 and 04 h."""


class Knobs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    victims: Annotated[Some, Meta(description="stolen cards")] = 3
    purchases: Annotated[Some, Meta(description="purchases with each")] = 10
    hours: Annotated[Hours, Meta(description="hours until now that the spree takes")] = 45
    lowest: Annotated[Reais, Meta(description="smallest purchase, R$")] = 700.0
    highest: Annotated[Reais, Meta(description="largest purchase, R$")] = 1500.0


class CardSpree:
    id: ClassVar[str] = "card_spree"
    title: ClassVar[str] = "Stolen card spree"
    story: ClassVar[str] = "Eight to twelve large purchases in 45 hours, most of them between 22 and 04 h (Sparkov)."
    caught_by: ClassVar[tuple[str, ...]] = ("own_amount", "sum_day", "night_spend")
    hard: ClassVar[bool] = False
    Parameters: ClassVar[type[msgspec.Struct]] = Knobs

    @staticmethod
    def plan(builder: Builder, parameters: Knobs) -> None:
        random = builder.random
        slots = [builder.start - hour * HOUR_MS for hour in range(1, parameters.hours + 1)]
        nights = [time for time in slots if _at_night(time)] or slots
        days = [time for time in slots if not _at_night(time)] or slots
        shops = [m for row in builder.population.merchants for m in row if m.category in ("supermarket", "shopping")]
        for _ in range(parameters.victims):
            victim = builder.victim()
            builder.history(victim, payments=10, until=(parameters.hours + 1) * HOUR_MS)
            for _ in range(parameters.purchases):
                hour = random.choice(nights if random.random() < NIGHTLY else days)
                shop = random.choice(shops)
                builder.pay(
                    victim,
                    hour + int(random.random() * HOUR_MS),
                    round(100 * random.uniform(parameters.lowest, parameters.highest)),
                    role="victim",
                    channel="CREDIT",
                    shop=shop,
                )
            builder.expect(victim)


def _at_night(time: int) -> bool:
    """Whether an hour that begins at ``time`` (epoch ms) begins between 22 and 04 h in Brasilia (UTC-3)."""
    return (time // HOUR_MS - 3) % 24 >= 22 or (time // HOUR_MS - 3) % 24 < 4
