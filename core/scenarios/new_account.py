"""An account opened today receives large sums and is emptied at once."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from core.scenarios.campaign import MINUTE_MS, Builder
from core.scenarios.knobs import Reais, Some


class Knobs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    mules: Annotated[Some, Meta(description="accounts opened today")] = 2
    senders: Annotated[Some, Meta(description="accounts that pay each")] = 6
    lowest: Annotated[Reais, Meta(description="smallest payment in, R$")] = 700.0
    highest: Annotated[Reais, Meta(description="largest payment in, R$")] = 2000.0


class NewAccount:
    id: ClassVar[str] = "new_account"
    title: ClassVar[str] = "Brand-new account"
    story: ClassVar[str] = (
        "Six payments of R$ 700 to 2,000 into an account less than a day old, then one TED with all of it (Tazama 001)."
    )
    caught_by: ClassVar[tuple[str, ...]] = ("high_amount", "fan_in")
    hard: ClassVar[bool] = False
    Parameters: ClassVar[type[msgspec.Struct]] = Knobs

    @staticmethod
    def plan(builder: Builder, parameters: Knobs) -> None:
        random = builder.random
        for _ in range(parameters.mules):
            mule = builder.victim()
            collected = 0
            for n in range(parameters.senders):
                victim = builder.victim()
                amount = round(100 * random.uniform(parameters.lowest, parameters.highest))
                collected += amount
                time = builder.start - (parameters.senders - n) * 2 * MINUTE_MS
                builder.pay(victim, time, amount, role="victim", payee=mule.account_id)
            builder.pay(mule, builder.start, collected - 50_00, role="cash-out", channel="TED")
            builder.expect(mule)
