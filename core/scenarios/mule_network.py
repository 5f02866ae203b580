"""Stolen money collected on one account and passed on at once, less a commission."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from core.scenarios.campaign import MINUTE_MS, SECOND_MS, Builder


class Knobs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Amounts in reais; ``commission`` is the share that the mule keeps."""

    mules: int = 2
    senders: int = 8
    receivers: int = 6
    lowest: float = 100.0
    highest: float = 200.0
    commission: float = 0.1


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
