"""An account nobody has used for months pays several times within a minute or two."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from core.scenarios.campaign import DAY_MS, SECOND_MS, Builder
from core.scenarios.knobs import Days, Reais, Some


class Knobs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    accounts: Annotated[Some, Meta(description="accounts that wake")] = 3
    asleep_days: Annotated[Days, Meta(description="days without a payment")] = 120
    payments: Annotated[Some, Meta(description="payments of each")] = 3
    lowest: Annotated[Reais, Meta(description="smallest payment, R$")] = 300.0
    highest: Annotated[Reais, Meta(description="largest payment, R$")] = 900.0


class DormantAccount:
    id: ClassVar[str] = "dormant_account"
    title: ClassVar[str] = "Dormant account wakes"
    story: ClassVar[str] = "No payment for more than 91.3 days, then a burst of three (Tazama 003/004)."
    caught_by: ClassVar[tuple[str, ...]] = ("dormant_account",)
    hard: ClassVar[bool] = False
    Parameters: ClassVar[type[msgspec.Struct]] = Knobs

    @staticmethod
    def plan(builder: Builder, parameters: Knobs) -> None:
        for _ in range(parameters.accounts):
            sleeper = builder.victim()
            builder.history(sleeper, until=parameters.asleep_days * DAY_MS)
            for n in range(parameters.payments):
                amount = round(100 * builder.random.uniform(parameters.lowest, parameters.highest))
                builder.pay(
                    sleeper, builder.start - (parameters.payments - 1 - n) * 30 * SECOND_MS, amount, role="victim"
                )
            builder.expect(sleeper)
