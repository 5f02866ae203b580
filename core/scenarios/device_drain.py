"""A new device empties an account by Pix, each transfer under the limit for unregistered devices."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from core.scenarios.campaign import SECOND_MS, Builder
from core.scenarios.knobs import Reais, Some, Wait


class Knobs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    victims: Annotated[Some, Meta(description="accounts drained")] = 3
    transfers: Annotated[Some, Meta(description="Pix from each, the last of them now")] = 5
    every_s: Annotated[Wait, Meta(description="seconds between them")] = 25.0
    limit: Annotated[Reais, Meta(description="what one Pix may not exceed, R$")] = 200.0


class DeviceDrain:
    id: ClassVar[str] = "device_drain"
    title: ClassVar[str] = "Drain under the limit"
    story: ClassVar[str] = (
        "Five Pix of at most R$ 200 from an unregistered device, up to its R$ 1,000 a day (BCB limits of 2024)."
    )
    caught_by: ClassVar[tuple[str, ...]] = ("device_drain", "high_velocity")
    hard: ClassVar[bool] = False
    Parameters: ClassVar[type[msgspec.Struct]] = Knobs

    @staticmethod
    def plan(builder: Builder, parameters: Knobs) -> None:
        for k in range(parameters.victims):
            victim = builder.victim()
            builder.history(victim)
            for n in range(parameters.transfers):
                time = builder.start - int((parameters.transfers - 1 - n) * parameters.every_s * SECOND_MS)
                amount = round(100 * parameters.limit * builder.random.uniform(0.9, 1.0))
                builder.pay(victim, time, amount, role="victim", device=builder.device(f"new{k}"))
            builder.expect(victim)
