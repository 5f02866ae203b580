"""A compromised merchant: every card that was used there pays the thief, in amounts like any other."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from core.scenarios.campaign import HOUR_MS, SECOND_MS, Builder


class Knobs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``before`` payments become known as fraud now, ``after`` follow once the lists can hold it."""

    before: int = 6
    after: int = 6
    pause_s: float = 22.0


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
