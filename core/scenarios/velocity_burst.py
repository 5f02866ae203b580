"""A bot empties an account: many payments within a minute."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from core.scenarios.campaign import SECOND_MS, Builder
from core.scenarios.knobs import Reais, Some, Wait


class Knobs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    victims: Annotated[Some, Meta(description="stolen accounts")] = 4
    payments: Annotated[Some, Meta(description="payments of each")] = 6
    every_s: Annotated[Wait, Meta(description="seconds between them")] = 1.0
    lowest: Annotated[Reais, Meta(description="smallest payment, R$")] = 40.0
    highest: Annotated[Reais, Meta(description="largest payment, R$")] = 180.0


class VelocityBurst:
    id: ClassVar[str] = "velocity_burst"
    title: ClassVar[str] = "Velocity burst"
    story: ClassVar[str] = "One bot sends 6 payments in as many seconds from each stolen account."
    caught_by: ClassVar[tuple[str, ...]] = ("high_velocity", "shared_device")
    hard: ClassVar[bool] = False
    Parameters: ClassVar[type[msgspec.Struct]] = Knobs

    @staticmethod
    def plan(builder: Builder, parameters: Knobs) -> None:
        spread = parameters.highest - parameters.lowest
        for k in range(parameters.victims):
            victim = builder.victim()
            first = builder.start + k * SECOND_MS // 3
            for n in range(parameters.payments):
                time = first + int(n * parameters.every_s * SECOND_MS)
                amount = round(100 * (parameters.lowest + spread * builder.random.random()))
                builder.pay(victim, time, amount, role="victim", device=builder.device("bot"))
            builder.expect(victim)
