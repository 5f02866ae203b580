"""Every scenario by name. To add one: a file beside the others, its class here, its test."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from core.scenarios import knobs
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
from core.scenarios.knobs import Parameter
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


def parameters(name: str) -> tuple[Parameter, ...]:
    """What can be set of a scenario, in the order of its file; raises ``UnknownScenario``."""
    return knobs.parameters(find(name).Parameters)


def settled(name: str, given: Mapping[str, object] | None = None) -> dict[str, int | float]:
    """Every parameter of a run with its value, as given (numbers or their texts) or by default.

    Raises ``UnknownScenario`` for a wrong name or value.
    """
    try:
        return knobs.settled(find(name).Parameters, given or {})
    except knobs.WrongParameter as error:
        raise UnknownScenario(f"scenario {name}: {error}") from None


def build(
    name: str,
    run_id: str,
    seed: int,
    start: int,
    population: Population,
    given: Mapping[str, object] | None = None,
) -> Campaign:
    """The campaign of a run; raises ``UnknownScenario`` for a wrong name or parameter."""
    builder = Builder(population, name, run_id, seed, start)
    find(name).plan(builder, msgspec.convert(settled(name, given), find(name).Parameters))
    return builder.finish()
