"""A leaked card used without its owner: purchases five times as large as the owner makes."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from core.scenarios.amounts import SIZE, card_tables
from core.scenarios.campaign import DAY_MS, HOUR_MS, Builder
from core.scenarios.knobs import Days, Factor, Some


class Knobs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    victims: Annotated[Some, Meta(description="leaked cards")] = 3
    days: Annotated[Days, Meta(description="days until now, two purchases each, every third the thief's")] = 14
    factor: Annotated[Factor, Meta(description="the thief's purchase against the usual")] = 5.0


class LeakedCard:
    id: ClassVar[str] = "leaked_card"
    title: ClassVar[str] = "Leaked card"
    story: ClassVar[str] = (
        "A third of a card's purchases are the thief's, five times the usual amount, over two weeks (Handbook "
        "scenario 3)."
    )
    caught_by: ClassVar[tuple[str, ...]] = ("own_amount",)
    hard: ClassVar[bool] = False
    Parameters: ClassVar[type[msgspec.Struct]] = Knobs

    @staticmethod
    def plan(builder: Builder, parameters: Knobs) -> None:
        random = builder.random
        shops = [m for row in builder.population.merchants for m in row if m.category in ("supermarket", "restaurant")]
        tables = card_tables()
        for _ in range(parameters.victims):
            victim = builder.victim()
            first = builder.start - parameters.days * DAY_MS
            for k in range(12 + 2 * parameters.days):
                honest = k < 12
                time = first - (12 - k) * DAY_MS // 2 if honest else first + (k - 12) * DAY_MS // 2
                fraud = not honest and k % 3 == 2
                shop = random.choice(shops)
                usual = tables["CREDIT", shop.category][int(random.random() * SIZE)] * victim.level
                builder.pay(
                    victim,
                    time + int(random.random() * 6 * HOUR_MS),
                    max(500, int(usual * (parameters.factor if fraud else 1))),
                    role="victim" if fraud else "history",
                    fraud=fraud,
                    channel="CREDIT",
                    shop=shop,
                )
            builder.expect(victim)
