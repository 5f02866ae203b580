"""Every scenario by name. To add one: a file beside the others, its class here, its test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from core.scenarios.account_takeover import AccountTakeover
from core.scenarios.app_scam import AppScam
from core.scenarios.base import Scenario
from core.scenarios.campaign import Builder, Campaign
from core.scenarios.card_spree import CardSpree
from core.scenarios.card_testing import CardTesting
from core.scenarios.compromised_merchant import CompromisedMerchant
from core.scenarios.device_drain import DeviceDrain
from core.scenarios.dormant_account import DormantAccount
from core.scenarios.high_amount import HighAmount
from core.scenarios.layering_ring import LayeringRing
from core.scenarios.leaked_card import LeakedCard
from core.scenarios.mule_network import MuleNetwork
from core.scenarios.new_account import NewAccount
from core.scenarios.population import Population
from core.scenarios.structuring import Structuring
from core.scenarios.velocity_burst import VelocityBurst

SCENARIOS: dict[str, type[Scenario]] = {
    scenario.id: scenario
    for scenario in (
        HighAmount,
        VelocityBurst,
        CardTesting,
        CompromisedMerchant,
        LeakedCard,
        CardSpree,
        AccountTakeover,
        DeviceDrain,
        Structuring,
        MuleNetwork,
        DormantAccount,
        AppScam,
        LayeringRing,
        NewAccount,
    )
}


class UnknownScenario(ValueError):
    """No scenario of that name, or a parameter that it does not have."""


def find(name: str) -> type[Scenario]:
    """The scenario of that name; raises ``UnknownScenario`` naming those there are."""
    if name not in SCENARIOS:
        raise UnknownScenario(f"no scenario is called {name!r}; there are {', '.join(SCENARIOS)}")
    return SCENARIOS[name]


def check(name: str, parameters: Mapping[str, Any] | None) -> Any:
    """The scenario's typed parameters; raises ``UnknownScenario`` for a wrong name or value."""
    try:
        return msgspec.convert(dict(parameters or {}), find(name).Parameters)
    except msgspec.ValidationError as error:
        raise UnknownScenario(f"scenario {name}: {error}") from error


def build(
    name: str, run_id: str, seed: int, start: int, population: Population, parameters: Mapping[str, Any] | None = None
) -> Campaign:
    """The campaign of a run; raises ``UnknownScenario`` for a wrong name or parameter."""
    typed = check(name, parameters)
    builder = Builder(population, name, run_id, seed, start)
    find(name).plan(builder, typed)
    return builder.finish()
