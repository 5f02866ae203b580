"""Money sent round in a circle of accounts to hide where it came from."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from core.scenarios.campaign import DAY_MS, MINUTE_MS, Builder
from core.scenarios.knobs import Hops, Reais, Some, Wait


class Knobs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    rings: Annotated[Some, Meta(description="circles of accounts")] = 2
    hops: Annotated[Hops, Meta(description="accounts of a circle")] = 5
    amount: Annotated[Reais, Meta(description="what goes round, about, R$")] = 2400.0
    minutes: Annotated[Wait, Meta(description="minutes between hops")] = 12.0


class LayeringRing:
    id: ClassVar[str] = "layering_ring"
    title: ClassVar[str] = "Layering ring"
    story: ClassVar[str] = (
        "A sum goes through four to seven accounts and back, each keeping a little (gen-fraud-graph); low recall "
        "is expected."
    )
    caught_by: ClassVar[tuple[str, ...]] = ("pass_through", "round_trip", "own_amount")
    hard: ClassVar[bool] = True
    Parameters: ClassVar[type[msgspec.Struct]] = Knobs

    @staticmethod
    def plan(builder: Builder, parameters: Knobs) -> None:
        for _ in range(parameters.rings):
            ring = [builder.victim() for _ in range(parameters.hops)]
            amount = round(100 * parameters.amount * builder.random.uniform(0.8, 1.2))
            for member in ring:
                builder.history(member, until=DAY_MS)
            for n, member in enumerate(ring):
                time = builder.start - int((parameters.hops - 1 - n) * parameters.minutes * MINUTE_MS)
                builder.pay(member, time, amount, role="mule", payee=ring[(n + 1) % len(ring)].account_id)
                amount = int(amount * builder.random.uniform(0.94, 0.99))
                builder.expect(member)
