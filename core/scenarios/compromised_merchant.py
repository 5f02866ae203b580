"""A compromised merchant: every card that was used there pays the thief, in amounts like any other."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from core.scenarios.campaign import HOUR_MS, SECOND_MS, Builder
from core.scenarios.knobs import Some, Wait


class Knobs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    before: Annotated[Some, Meta(description="frauds at the shop that become known now")] = 6
    after: Annotated[Some, Meta(description="frauds that follow")] = 6
    pause_s: Annotated[Wait, Meta(description="seconds until they do, so that the lists can hold the shop")] = 22.0


class CompromisedMerchant:
    id: ClassVar[str] = "compromised_merchant"
    title: ClassVar[str] = "Compromised merchant"
    story: ClassVar[str] = (
        "All payments at one shop are fraud, their amounts unchanged; only what is known of the shop tells "
        "(Handbook scenario 2)."
    )
    caught_by: ClassVar[tuple[str, ...]] = ("merchant_fraud_rate",)
    hard: ClassVar[bool] = False
    Parameters: ClassVar[type[msgspec.Struct]] = Knobs

    @staticmethod
    def plan(builder: Builder, parameters: Knobs) -> None:
        random = builder.random
        shop = random.choice([m for row in builder.population.merchants for m in row])
        for k in range(parameters.before):
            victim = builder.victim()
            time = builder.start - (parameters.before - k) * 5 * HOUR_MS
            builder.pay(
                victim,
                time,
                random.randint(30_00, 220_00),
                role="victim",
                channel="CREDIT",
                known_after=builder.start - time,
                shop=shop,
            )
        for k in range(parameters.after):
            victim = builder.victim()
            time = builder.start + int((parameters.pause_s + k * 0.5) * SECOND_MS)
            builder.pay(victim, time, random.randint(30_00, 220_00), role="victim", channel="CREDIT", shop=shop)
            builder.expect(victim)
