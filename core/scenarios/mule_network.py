"""Stolen money collected on one account and passed on at once, less a commission."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from core.scenarios.campaign import MINUTE_MS, SECOND_MS, Builder
from core.scenarios.knobs import Reais, Share, Some


class Knobs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    mules: Annotated[Some, Meta(description="accounts that pass money on")] = 2
    senders: Annotated[Some, Meta(description="accounts that pay each")] = 8
    receivers: Annotated[Some, Meta(description="accounts that each pays")] = 6
    lowest: Annotated[Reais, Meta(description="smallest payment in, R$")] = 100.0
    highest: Annotated[Reais, Meta(description="largest payment in, R$")] = 200.0
    commission: Annotated[Share, Meta(description="share that the mule keeps")] = 0.1


class MuleNetwork:
    id: ClassVar[str] = "mule_network"
    title: ClassVar[str] = "Mule network"
    story: ClassVar[str] = (
        "Eight accounts pay 100 to 200 each into a mule, which sends 90 % on to six others within minutes (AMLSim, "
        "Tazama 016/017)."
    )
    caught_by: ClassVar[tuple[str, ...]] = ("new_payee", "fan_in", "fan_out")
    hard: ClassVar[bool] = False
    Parameters: ClassVar[type[msgspec.Struct]] = Knobs

    @staticmethod
    def plan(builder: Builder, parameters: Knobs) -> None:
        random = builder.random
        for m in range(parameters.mules):
            mule = builder.victim()
            collected = 0
            for n in range(parameters.senders):
                victim = builder.victim()
                amount = round(100 * random.uniform(parameters.lowest, parameters.highest))
                collected += amount
                time = builder.start - 20 * MINUTE_MS + n * MINUTE_MS
                builder.pay(victim, time, amount, role="victim", payee=mule.account_id)
            share = int(collected * (1 - parameters.commission)) // parameters.receivers
            for n in range(parameters.receivers):
                builder.pay(mule, builder.start - (parameters.receivers - n) * 30 * SECOND_MS + m, share, role="mule")
            builder.expect(mule)
