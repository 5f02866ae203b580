"""A stolen card at night: a dozen large purchases within two days."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from core.scenarios.campaign import HOUR_MS, Builder


class Knobs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Amounts in reais; the spree ends now."""

    victims: int = 3
    purchases: int = 10
    hours: int = 45
    lowest: float = 700.0
    highest: float = 1500.0


class CardSpree:
    id: ClassVar[str] = "card_spree"
    title: ClassVar[str] = "Stolen card spree"
    story: ClassVar[str] = "Eight to twelve large purchases in 45 hours, most of them between 22 and 04 h (Sparkov)."
    caught_by: ClassVar[tuple[str, ...]] = ("own_amount", "high_velocity")
    hard: ClassVar[bool] = False
    Parameters: ClassVar[type[msgspec.Struct]] = Knobs

    @staticmethod
    def plan(builder: Builder, parameters: Knobs) -> None:
        random = builder.random
        shops = [m for row in builder.population.merchants for m in row if m.category in ("supermarket", "shopping")]
        for _ in range(parameters.victims):
            victim = builder.victim()
            builder.history(victim, payments=10, until=(parameters.hours + 1) * HOUR_MS)
            for k in range(parameters.purchases):
                share = (k + random.random() * 0.8) / parameters.purchases
                shop = random.choice(shops)
                builder.pay(
                    victim,
                    builder.start - int((1 - share) * parameters.hours * HOUR_MS),
                    round(100 * random.uniform(parameters.lowest, parameters.highest)),
                    role="victim",
                    channel="CREDIT",
                    shop=shop,
                )
            builder.expect(victim)
