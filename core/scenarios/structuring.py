"""A sum above the reporting line moved in equal pieces below it."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from core.scenarios.campaign import DAY_MS, MINUTE_MS, Builder
from core.scenarios.knobs import Reais, Some, Wait


class Knobs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    accounts: Annotated[Some, Meta(description="accounts that split a sum")] = 3
    pieces: Annotated[Some, Meta(description="pieces of each")] = 6
    piece: Annotated[Reais, Meta(description="a piece, about, R$")] = 1900.0
    every_minutes: Annotated[Wait, Meta(description="minutes between pieces")] = 40.0


class Structuring:
    id: ClassVar[str] = "structuring"
    title: ClassVar[str] = "Structuring"
    story: ClassVar[str] = (
        "More than R$ 10,000 leave in six or more nearly equal pieces within a day (Tazama 006, 021, 091)."
    )
    caught_by: ClassVar[tuple[str, ...]] = ("similar_amounts", "structuring")
    hard: ClassVar[bool] = False
    Parameters: ClassVar[type[msgspec.Struct]] = Knobs

    @staticmethod
    def plan(builder: Builder, parameters: Knobs) -> None:
        for _ in range(parameters.accounts):
            smurf = builder.victim()
            builder.history(smurf, until=DAY_MS)
            payee = builder.stranger()
            for n in range(parameters.pieces):
                time = builder.start - int((parameters.pieces - 1 - n) * parameters.every_minutes * MINUTE_MS)
                amount = round(100 * parameters.piece * builder.random.uniform(0.96, 1.04))
                builder.pay(smurf, time, amount, role="mule", payee=payee)
            builder.expect(smurf)
