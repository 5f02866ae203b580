"""The customer is talked into paying: small sums that build trust, then a large one."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from core.scenarios.campaign import DAY_MS, Builder
from core.scenarios.knobs import Days, Factor, Some


class Knobs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    victims: Annotated[Some, Meta(description="people talked into it")] = 5
    trust: Annotated[Some, Meta(description="small payments that build trust")] = 3
    days: Annotated[Days, Meta(description="days they are spread over")] = 6
    lowest_factor: Annotated[Factor, Meta(description="last payment against the usual, at least")] = 5.0
    highest_factor: Annotated[Factor, Meta(description="last payment against the usual, at most")] = 20.0


class AppScam:
    id: ClassVar[str] = "app_scam"
    title: ClassVar[str] = "Payment scam"
    story: ClassVar[str] = (
        "Three payments of R$ 20 to 150 to a new payee over days, then one of 5 to 20 times the usual, from the "
        "right device and place (PaySim#15); low recall is expected."
    )
    caught_by: ClassVar[tuple[str, ...]] = ("own_amount", "high_amount")
    hard: ClassVar[bool] = True
    Parameters: ClassVar[type[msgspec.Struct]] = Knobs

    @staticmethod
    def plan(builder: Builder, parameters: Knobs) -> None:
        random = builder.random
        for _ in range(parameters.victims):
            victim = builder.victim()
            builder.history(victim, payments=10, until=(parameters.days + 1) * DAY_MS)
            scammer = builder.stranger()
            for n in range(parameters.trust):
                time = builder.start - (parameters.trust - n) * parameters.days * DAY_MS // parameters.trust
                builder.pay(victim, time, random.randint(20_00, 150_00), role="victim", payee=scammer)
            usual = 110_00 * victim.level
            factor = random.uniform(parameters.lowest_factor, parameters.highest_factor)
            builder.pay(victim, builder.start, round(usual * factor), role="victim", payee=scammer)
            builder.expect(victim)
