"""An account taken over: a payment far away minutes after one at home, from a new device, to strangers."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from core.scenarios.campaign import MINUTE_MS, SECOND_MS, Builder
from core.scenarios.knobs import Reais, Some, Wait


class Knobs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    victims: Annotated[Some, Meta(description="accounts taken over")] = 3
    transfers: Annotated[Some, Meta(description="payments to strangers from each")] = 3
    minutes: Annotated[Wait, Meta(description="minutes from the last honest payment to the first theft")] = 8.0
    lowest: Annotated[Reais, Meta(description="smallest transfer, R$")] = 400.0
    highest: Annotated[Reais, Meta(description="largest transfer, R$")] = 1800.0


class AccountTakeover:
    id: ClassVar[str] = "account_takeover"
    title: ClassVar[str] = "Account takeover"
    story: ClassVar[str] = (
        "Minutes after a payment at home the account pays strangers from another city on a new device until it is "
        "empty (ATM demonstration, Tazama 074, PaySim)."
    )
    caught_by: ClassVar[tuple[str, ...]] = ("geo_velocity", "device_drain", "new_device")
    hard: ClassVar[bool] = False
    Parameters: ClassVar[type[msgspec.Struct]] = Knobs

    @staticmethod
    def plan(builder: Builder, parameters: Knobs) -> None:
        random = builder.random
        for k in range(parameters.victims):
            victim = builder.victim()
            builder.history(victim)
            away = int(parameters.minutes * MINUTE_MS)
            builder.pay(
                victim,
                builder.start - away,
                45_00,
                role="history",
                fraud=False,
                payee=builder.population.payee(victim, 0),
            )
            city = next(c for c in (6, 10, 3, 0) if c != victim.city)  # Manaus, Porto Alegre, Fortaleza, São Paulo
            for n in range(parameters.transfers):
                builder.pay(
                    victim,
                    builder.start + n * SECOND_MS,
                    round(100 * random.uniform(parameters.lowest, parameters.highest)),
                    role="victim",
                    device=builder.device(f"thief{k}"),
                    city=city,
                )
            builder.expect(victim)
