"""Extreme amounts: one payment far above what people pay."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from core.scenarios.campaign import SECOND_MS, Builder
from core.scenarios.knobs import Reais, Some, Wait


class Knobs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    victims: Annotated[Some, Meta(description="accounts that pay once each")] = 5
    lowest: Annotated[Reais, Meta(description="smallest payment, R$")] = 3500.0
    highest: Annotated[Reais, Meta(description="largest payment, R$")] = 9500.0
    every_s: Annotated[Wait, Meta(description="seconds between two accounts")] = 0.4


class HighAmount:
    id: ClassVar[str] = "high_amount"
    title: ClassVar[str] = "High-amount burst"
    story: ClassVar[str] = "Several accounts each send one Pix far above R$ 3,000 (Handbook scenario 1)."
    caught_by: ClassVar[tuple[str, ...]] = ("high_amount", "population_amount")
    hard: ClassVar[bool] = False
    Parameters: ClassVar[type[msgspec.Struct]] = Knobs

    @staticmethod
    def plan(builder: Builder, parameters: Knobs) -> None:
        spread = parameters.highest - parameters.lowest
        for k in range(parameters.victims):
            victim = builder.victim()
            amount = round(100 * (parameters.lowest + spread * builder.random.random()))
            builder.pay(victim, builder.start + int(k * parameters.every_s * SECOND_MS), amount, role="victim")
            builder.expect(victim)
