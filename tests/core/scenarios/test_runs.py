"""What of a scenario can be set, how a run is asked for, and several runs side by side."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from core.scenarios import registry
from core.scenarios.knobs import Parameter, WrongParameter, given
from core.scenarios.runs import Row, Run, compare, request
from tests.core.scenarios.test_scenarios import START, people


@pytest.mark.parametrize("name", registry.SCENARIOS)
def test_every_parameter_is_described_and_its_default_is_allowed(name: str) -> None:
    for parameter in registry.parameters(name):
        assert parameter.about, parameter
        assert parameter.value(parameter.default) == parameter.default
        assert type(parameter.default) is parameter.kind


@pytest.mark.parametrize("name", registry.SCENARIOS)
@pytest.mark.parametrize("end", ["lowest", "default"])
def test_a_campaign_can_be_built_at_the_ends_of_what_is_allowed(name: str, end: str) -> None:
    chosen = {p.name: getattr(p, end) for p in registry.parameters(name)}
    campaign = registry.build(name, "r", 1, START, people(), chosen)
    assert campaign.expected
    assert all(planned.transaction.amount > 0 for planned in campaign.payments)


def test_parameters_are_numbers_or_their_texts() -> None:
    settled = registry.settled("card_testing", {"cards": "5", "every_s": 2})
    assert settled == {"cards": 5, "tries": 6, "every_s": 2.0, "smallest": 0.5, "largest": 4.9, "purchase": 900.0}


@pytest.mark.parametrize("value", ["many", "", "2.5", 2.5, 0, -1, 201, True, None, "9" * 5_000, "nan", "inf"])
def test_a_value_that_does_not_fit_is_refused_with_what_would(value: object) -> None:
    with pytest.raises(registry.UnknownScenario, match="card_testing: cards takes a whole number from 1 to 200, not"):
        registry.settled("card_testing", {"cards": value})


@pytest.mark.parametrize("value", ["nan", "inf", "-1", float("nan")])
def test_a_number_is_finite(value: object) -> None:
    with pytest.raises(ValueError, match=r"purchase takes a number from 0\.01 to 1,000,000, not"):
        Parameter("purchase", float, 900.0, 0.01, 1_000_000, "").value(value)


def test_settings_are_names_with_values() -> None:
    assert given(["cards=5", " every_s = 2.5 ", "purchase=1=2"]) == {"cards": "5", "every_s": "2.5", "purchase": "1=2"}
    with pytest.raises(WrongParameter, match="--set takes NAME=VALUE, not 'cards'"):
        given(["cards"])


def test_a_request_holds_every_parameter_and_a_seed() -> None:
    asked, again = request("structuring", None, {"pieces": "7"}), request("structuring", 9)
    assert asked.parameters == {"accounts": 3, "pieces": 7, "piece": 1900.0, "every_minutes": 40.0}
    assert asked.run_id.startswith("structuring-")
    assert asked.run_id != again.run_id
    assert again.seed == 9


def run(name: str, caught: int | None, **more: Any) -> Run:
    fields: dict[str, Any] = {
        "scenario": "card_testing",
        "seed": 1,
        "parameters": {"cards": 3},
        "status": "scored",
        "requested_at": datetime(2026, 1, 1, tzinfo=UTC),
        "expected": 3,
        "caught": caught,
    }
    return Run(run_id=name, **{**fields, **more})


def test_the_better_figure_of_each_row_is_marked() -> None:
    rows = {
        row.what: row
        for row in compare(
            [
                run("a", 3, missed=0, money_lost=500, time_to_detect_ms=900, caught_by={"own_amount": 1, "x": 3}),
                run("b", 1, missed=2, money_lost=100, parameters={"cards": 3, "tries": 9}),
                run("c", 3, missed=0, money_lost=500, status="failed"),
            ]
        )
    }
    assert rows["caught"] == Row("caught", "count", (3, 1, 3))  # of how many, recall tells
    assert rows["missed"].best == (0, 2)
    assert rows["money_lost"] == Row("money_lost", "centavos", (500, 100, 500), (1,))
    assert rows["time_to_detect"] == Row("time_to_detect", "ms", (900, None, None))
    assert rows["tries"] == Row("tries", "", (None, 9, None))
    assert rows["status"].values == ("scored", "scored", "failed")
    assert rows["caught_by"].values == ("x 3, own_amount 1", None, None)
    assert rows["recall"].best == (0, 2)


def test_a_run_under_way_has_no_figures_and_is_not_the_best() -> None:
    rows = {row.what: row for row in compare([run("a", None, expected=None, status="claimed"), run("b", 0)])}
    assert rows["caught"] == Row("caught", "count", (None, 0))
    assert rows["recall"].values == (None, 0.0)
