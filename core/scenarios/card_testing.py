"""Card testing: a handful of tiny purchases to see whether the card lives, then a large one."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from core.scenarios.campaign import SECOND_MS, Builder
from core.scenarios.knobs import Reais, Some, Wait


class Knobs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    cards: Annotated[Some, Meta(description="cards tried out")] = 3
    tries: Annotated[Some, Meta(description="small purchases with each; 5 to 10 are seen")] = 6
    every_s: Annotated[Wait, Meta(description="seconds between them")] = 1.5
    smallest: Annotated[Reais, Meta(description="smallest try, R$")] = 0.5
    largest: Annotated[Reais, Meta(description="largest try, R$")] = 4.9
    purchase: Annotated[Reais, Meta(description="the purchase that follows, about, R$")] = 900.0


class CardTesting:
    id: ClassVar[str] = "card_testing"
    title: ClassVar[str] = "Card testing"
    story: ClassVar[str] = (
        "6 purchases below R$ 5 within seconds, then one of about R$ 900 (Flink walk-through, Sparkov)."
    )
    caught_by: ClassVar[tuple[str, ...]] = ("card_testing", "high_velocity", "own_amount")
    hard: ClassVar[bool] = False
    Parameters: ClassVar[type[msgspec.Struct]] = Knobs

    @staticmethod
    def plan(builder: Builder, parameters: Knobs) -> None:
        random = builder.random
        shops = [merchant for row in builder.population.merchants for merchant in row]
        for k in range(parameters.cards):
            victim = builder.victim()
            builder.history(victim)
            time = builder.start + k * SECOND_MS // 2
            for _ in range(parameters.tries):
                shop = random.choice(shops)
                cents = round(100 * random.uniform(parameters.smallest, parameters.largest))
                builder.pay(
                    victim,
                    time,
                    cents,
                    role="tester",
                    channel="CREDIT",
                    device=builder.device(f"bot{k}"),
                    shop=shop,
                )
                time += int(parameters.every_s * SECOND_MS)
            shop = random.choice(shops)
            builder.pay(
                victim,
                time + 4 * SECOND_MS,
                round(100 * parameters.purchase * random.uniform(0.8, 1.3)),
                role="cash-out",
                channel="CREDIT",
                device=builder.device(f"bot{k}"),
                shop=shop,
            )
            builder.expect(victim)
