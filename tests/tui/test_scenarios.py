"""The Scenarios screen: parameters, launching one or several, runs under way, their history and comparison."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.scenarios.knobs import WrongParameter
from tests.tui.fakes import NOW_MS, Fakes, FakeScenarios, run
from tests.tui.harness import Album, Session, running
from tui.ports import Knob
from tui.screens.scenarios.parameters import FormModel, ParametersPanel, Wanted, value_of
from tui.screens.scenarios.rows import Run as Row
from tui.screens.scenarios.rows import compare_lines, run_cells, under_way_cells


async def _open(session: Session) -> None:
    await session.press("4")
    await session.shows("14:01:07")


async def test_pictures(album: Album, tmp_path: Path) -> None:
    async with running(size=album.size, theme=album.theme, files=tmp_path) as session:
        await _open(session)
        await session.press("enter", "1", "2", "tab", "9", "tab", "minus", "1")
        await session.shows("not '-1'")
        await album.take(session, "parameters")
        await session.press("escape", "tab", "space", "space")
        await album.take(session, "runs-marked")
        await session.press("c")
        await session.shows("* is the best")
        await album.take(session, "comparison")


async def test_parameters_are_checked_and_launched() -> None:
    async with running() as session:
        await _open(session)
        await session.press("enter")
        await session.shows("enter launches")
        await session.press("9", "9", "9")
        await session.shows("victims takes a whole number from 1 to 200, not '999'")
        await session.press("enter")
        assert isinstance(session.app.screen, ParametersPanel)
        assert session.fakes.commands.asked == []
        await session.press("backspace", "tab", "1", "0", "comma", "5", "k", "j", "down", "r", "down", "7")
        await session.press("enter")
        await session.until(lambda: bool(session.fakes.commands.asked), "the launch")
        assert session.fakes.commands.asked == [("launch", "high_amount_burst", 7, {"victims": 99, "lowest": 10.5})]


async def test_the_dialog_is_left_without_a_launch() -> None:
    async with running() as session:
        await _open(session)
        for key in ("escape", "q"):
            await session.press("enter")
            await session.shows("enter launches")
            await session.press(key)
            await session.hides("enter launches")
        assert session.fakes.commands.asked == []


async def test_the_marked_scenarios_are_launched_together() -> None:
    async with running() as session:
        await _open(session)
        await session.press("j", "space")
        await session.shows("1 marked: L launches them")
        await session.press("L")
        await session.until(lambda: bool(session.fakes.commands.asked), "the launch")
        await session.hides("1 marked")
        assert [asked[:2] for asked in session.fakes.commands.asked] == [("launch", "high_velocity_burst")]


async def test_a_run_is_launched_again_as_it_was() -> None:
    async with running() as session:
        await _open(session)
        await session.press("tab", "l")
        await session.until(lambda: bool(session.fakes.commands.asked), "the launch")
        assert session.fakes.commands.asked == [
            ("launch", "high_velocity_burst", 43, {"victims": 4, "payments": 6}),
        ]


async def test_the_history_of_one_scenario_and_back() -> None:
    async with running() as session:
        await _open(session)
        await session.press("h")
        await session.shows("runs of high_amount_burst, h shows all")
        await session.hides("14:01:07")
        await session.press("escape")
        await session.shows("14:01:07")
        assert session.app.focused is not None
        assert session.app.focused.id == "catalogue"


async def test_runs_side_by_side() -> None:
    async with running() as session:
        await _open(session)
        await session.press("c")
        await session.shows("comparison  2 runs")
        await session.press("escape", "tab", "space", "space", "space", "c")
        await session.shows("comparison  3 runs")
        await session.press("escape", "enter")
        await session.shows("run  one run")


async def test_a_run_that_stands_alone_has_nothing_beside_it() -> None:
    fakes = Fakes(scenarios=FakeScenarios(history=[run(1)]))
    async with running(fakes) as session:
        await session.press("4", "j", "c")
        await session.shows("no other run to compare it with")


async def test_a_run_under_way_shows_what_was_caught_so_far_and_is_stopped() -> None:
    sent = replace(run(0), status="sent", expected=9, caught=6, missed=None, requested_at=NOW_MS - 11_000)
    fakes = Fakes(scenarios=FakeScenarios(history=[sent, run(1)]))
    async with running(fakes) as session:
        await session.press("4")
        await session.shows("running: high_amount_burst seed 42 ▆▆▆▆▆▁▁▁ 6/9 caught, 11s")
        await session.press("K")
        await session.until(lambda: bool(session.fakes.commands.asked), "the stop")
        await session.press("j", "K")
        await session.shows("no unfinished run of it")
        assert session.fakes.commands.asked == [("stop_run", "run-0")]


def test_the_form_takes_numbers_and_points_at_what_is_wrong() -> None:
    model = FormModel.of(FakeScenarios().infos[0])
    assert model.wanted() == Wanted(None, {})
    model.type("0")
    model.move(1)
    assert model.wanted() is None
    assert model.at == 0
    assert "from 1 to 200" in model.problem(0)
    model.type("8")
    model.move(-1)
    model.type("5")
    assert model.wanted() == Wanted(5, {"victims": 8})
    model.rub()
    model.move(1)
    model.reset()
    assert model.wanted() == Wanted(None, {})
    with pytest.raises(WrongParameter, match="takes a number"):
        value_of(Knob("share", False, 0.5, 0, 1, "of all"), "1,2,3")


def test_what_differs_and_what_is_best_stands_out() -> None:
    lines = compare_lines([run(1), run(3)], NOW_MS, 80)
    rows = {line[0][0].strip(): [(text.strip(), style) for text, style in line[1:]] for line in lines}
    assert rows["seed"] == [("43", "strong"), ("45", "strong")]
    assert rows["caught"] == [("3", "strong"), ("2", "strong")]
    assert rows["recall"] == [("100 % *", "good"), ("67 %", "strong")]
    assert rows["money lost"] == [("R$ 1.200,00", "text"), ("R$ 1.200,00", "text")]
    assert "4 more on a wider terminal" in compare_lines([run(n) for n in range(7)], NOW_MS, 70)[0][1][0]


def test_a_failed_run_says_why_and_several_under_way_are_counted() -> None:
    failed = replace(run(1), status="failed", reason="no accounts")
    assert ("no accounts", "bad") in run_cells(Row(failed, NOW_MS))
    asked = [replace(run(n), status="requested", expected=None, caught=None) for n in range(3)]
    text = "".join(text for text, _ in under_way_cells(asked, NOW_MS))
    assert text == "running: high_amount_burst seed 42 requested, 7s, and 2 more"
    assert under_way_cells([run(1)], NOW_MS) == [("nothing is running", "dim")]
