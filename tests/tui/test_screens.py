"""What the keys do on each screen, on fakes of every port."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.tui.fakes import NOW, FakeAlerts, Fakes, FakeStack, alert
from tests.tui.harness import Session, running
from tui.screens.alerts import queue
from tui.screens.alerts.detail import AlertScreen
from tui.terminal.pacing import PacedScreen

BACK = ("escape", "q", "backspace")


# ------------------------------------------------------------------------------------------------ start and end


async def test_boot_leads_to_the_overview_when_the_stack_answers() -> None:
    gate = asyncio.Event()
    async with running(Fakes(stack=FakeStack(gate=gate)), live=False) as session:
        await session.shows("starting the stack")
        await session.press("2")
        await session.shows("the stack is still starting")
        gate.set()
        await session.shows("alerts following")


async def test_a_failed_start_can_be_tried_again() -> None:
    stack = FakeStack(failure="kafka cannot start: port 9092 is taken")
    async with running(Fakes(stack=stack), live=False) as session:
        await session.shows("tries again")
        session.app.say("something else")
        await session.shows("something else")
        await session.shows("kafka cannot start: port 9092 is taken")
        stack.failure = ""
        await session.press("r")
        await session.shows("alerts following")
        assert stack.opened == 2


async def test_closing_stops_the_polls_and_lets_go_of_the_stack() -> None:
    async with running() as session:
        await session.app.close_all()
        assert session.fakes.stack.closed == 1
        assert session.app.live._tasks == []


async def test_a_service_that_goes_down_is_told_and_how_long_it_was_away() -> None:
    now = [NOW]
    async with running(Fakes(now=lambda: now[0])) as session:
        tell = session.fakes.stack.on_step
        assert tell is not None
        from tui.ports import ServiceState

        tell(ServiceState("Kafka", "restarting", "ended by signal 9"))
        await session.shows("Kafka: restarting ended by signal 9")
        now[0] += 7.0
        tell(ServiceState("Kafka", "up", "embedded"))
        await session.shows("Kafka: up embedded, was away for 7s")


async def test_a_source_that_fails_is_told_with_its_reason() -> None:
    async with running() as session:
        session.fakes.flow.failure = "PostgreSQL: connection refused"
        await session.shows("PostgreSQL: connection refused")


# ------------------------------------------------------------------------------------------------ moving about


@pytest.mark.parametrize("key", BACK)
@pytest.mark.parametrize("screen", ["2", "3", "4", "7", "8", "9"])
async def test_every_way_back_leads_to_the_overview(screen: str, key: str) -> None:
    async with running() as session:
        await session.press(screen)
        if screen == "3":
            await session.press("escape")
        await session.press(key)
        await session.until(lambda: session.app.current_mode == "overview", "the overview")


@pytest.mark.parametrize("key", BACK)
@pytest.mark.parametrize("opener", ["question_mark", "s", "m"])
async def test_every_panel_closes(opener: str, key: str) -> None:
    async with running() as session:
        await session.press(opener)
        await session.until(lambda: len(session.app.screen_stack) == 2, "the panel")
        await session.press(key)
        await session.until(lambda: len(session.app.screen_stack) == 1, "the panel closes")


@pytest.mark.parametrize("key", BACK)
async def test_the_story_closes(key: str) -> None:
    async with running() as session:
        await session.press("2", "enter")
        await session.until(lambda: isinstance(session.app.screen, AlertScreen), "the story")
        await session.press(key)
        await session.until(lambda: not isinstance(session.app.screen, AlertScreen), "the list")


async def test_leaving_the_overview_backwards_says_how_to_quit() -> None:
    async with running() as session:
        await session.press("escape")
        await session.shows("ctrl+q leaves stream guard")


async def test_full_screen_and_back() -> None:
    async with running() as session:
        await session.press("f")
        await session.hides("payments/s, 5 min")
        await session.press("escape")
        await session.shows("payments/s, 5 min")


# ------------------------------------------------------------------------------------------------ the feed


async def test_a_filter_works_while_live_and_escape_drops_it() -> None:
    async with running() as session:
        await session.press("2", "slash")
        await session.type("velocity")
        await session.shows("/velocity 4 of 12")
        await session.press("enter")
        session.fakes.alerts.rows.extend([alert(12), alert(13)])
        await session.shows("/velocity 5 of 14")
        assert "high_amount" not in session.text()
        await session.press("escape")
        await session.shows("high_amount")


async def test_a_filter_typed_in_one_go_with_its_key_is_text_and_no_command() -> None:
    async with running() as session:
        await session.press("2")
        await session.send("slash", *"velocity")
        await session.shows("/velocity 4 of 12")


async def test_keys_behind_the_first_visit_of_a_screen_act_on_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running() as session:
        monkeypatch.setattr(PacedScreen, "writer_behind", True)  # a slow link: nothing is painted for now
        await session.send("4", "j", "l")
        await session.until(lambda: bool(session.fakes.commands.asked), "the launch")
        assert session.fakes.commands.asked[0][:2] == ("launch", "high_velocity_burst")


async def test_keys_behind_the_one_that_leaves_are_let_go() -> None:
    async with running() as session:
        await session.send("ctrl+q", *"jjl4")
        await session.until(lambda: not session.app.is_running, "the end")
    assert session.app.return_code == 0


async def test_browsing_counts_new_rows_and_follows_again() -> None:
    async with running() as session:
        await session.press("2", "k", "k")
        await session.shows("browsing 10 of 12")
        session.fakes.alerts.rows.extend(alert(n) for n in range(12, 40))
        await session.shows("+28 new")
        assert alert(39).account_id not in session.text()
        await session.press("G")
        await session.shows(alert(39).account_id)


async def test_a_changed_alert_changes_in_place() -> None:
    async with running(size=(200, 50)) as session:
        await session.press("2")
        await session.shows("alerts following")
        session.fakes.alerts.change("alert-4", status="confirmed", assignee="bia")
        await session.shows("confirmed")


async def test_export_writes_what_the_filter_lets_through(tmp_path: Path) -> None:
    async with running(files=tmp_path) as session:
        await session.press("2", "slash")
        await session.type("velocity")
        await session.press("enter", "e")
        await session.until(lambda: (tmp_path / "alerts.csv").exists(), "the file")
        lines = (tmp_path / "alerts.csv").read_text().splitlines()
        assert lines[0].startswith("time,")
        assert len(lines) == 5


async def test_copy_writes_the_fallback_file(tmp_path: Path) -> None:
    async with running(files=tmp_path) as session:
        await session.press("2", "y")
        await session.until(lambda: (tmp_path / "copied.txt").exists(), "the file")
        assert "acc-001407" in (tmp_path / "copied.txt").read_text()


async def test_a_folder_that_cannot_be_written_is_told() -> None:
    async with running(files=Path("/proc/nowhere")) as session:
        await session.press("2", "y")
        await session.shows("cannot write /proc/nowhere/copied.txt")


# ------------------------------------------------------------------------------------------------ cases


async def _open_story(session: Session) -> None:
    await session.press("2", "enter")
    await session.shows("nobody has acted yet")


async def test_a_claim_expects_the_version_that_was_seen() -> None:
    async with running() as session:
        await _open_story(session)
        await session.press("c")
        await session.until(lambda: bool(session.fakes.commands.asked), "the claim")
        assert session.fakes.commands.asked == [("claim", "alert-11", "", 0)]


async def test_a_dismissal_needs_a_reason() -> None:
    async with running() as session:
        await _open_story(session)
        await session.press("d", "enter")
        await session.shows("nothing done")
        await session.press("d")
        await session.type("known customer")
        await session.press("enter")
        await session.until(lambda: bool(session.fakes.commands.asked), "the dismissal")
        assert session.fakes.commands.asked == [("dismiss", "alert-11", "known customer", 0)]


async def test_escape_answers_no() -> None:
    async with running() as session:
        await _open_story(session)
        await session.press("B")
        await session.type("stolen")
        await session.press("escape")
        await session.shows("nothing done")
        assert session.fakes.commands.asked == []
        assert isinstance(session.app.screen, AlertScreen)


async def test_blocking_names_the_account_and_carries_the_reason() -> None:
    async with running() as session:
        await _open_story(session)
        await session.press("B")
        await session.shows("block account acc-001407: every payment is refused")
        await session.type("stolen card")
        await session.press("enter")
        await session.until(lambda: bool(session.fakes.commands.asked), "the block")
        assert session.fakes.commands.asked == [("block", "account", "acc-001407", "stolen card")]


async def test_what_is_typed_ahead_of_a_question_is_its_answer() -> None:
    async with running() as session:
        await _open_story(session)
        await session.send("B", *"stolen", "enter")
        await session.until(lambda: bool(session.fakes.commands.asked), "the block")
        assert session.fakes.commands.asked == [("block", "account", "acc-001407", "stolen")]
        assert isinstance(session.app.screen, AlertScreen)


async def test_answers_typed_ahead_of_three_questions_are_taken_in_their_order() -> None:
    async with running() as session:
        await session.press("7")
        await session.shows("3 topics")
        await session.press("enter")
        await session.shows("read, tail")
        await session.send("P", *"hi", "enter", *"qk", "enter", *"yes", "enter")
        await session.until(lambda: bool(session.fakes.cluster.done), "the message")
        assert session.fakes.cluster.done == [("produce", "fraud_alerts", b"qk", b"hi")]


async def test_a_panel_is_copied(tmp_path: Path) -> None:
    async with running(files=tmp_path) as session:
        await session.press("question_mark", "y")
        await session.until(lambda: (tmp_path / "copied.txt").exists(), "the file")
        assert "open the selected row" in (tmp_path / "copied.txt").read_text()


async def test_a_conflict_between_two_operators_is_told() -> None:
    async with running() as session:
        await _open_story(session)
        session.fakes.commands.refusal = "somebody was faster: case-alert-11 is at version 1; look again"
        await session.press("c")
        await session.shows("somebody was faster")


async def test_a_command_without_a_database_is_told() -> None:
    async with running() as session:
        await _open_story(session)
        session.fakes.commands.failure = "PostgreSQL: nothing was written: connection refused"
        await session.press("c")
        await session.shows("nothing was written")


async def test_the_next_case_is_the_next_undecided_one() -> None:
    rows = [alert(n, status="confirmed" if n in (9, 10, 11) else "open") for n in range(12)]
    async with running(Fakes(alerts=FakeAlerts(rows=rows))) as session:
        await session.press("2", "enter")
        await session.shows("acc-001407")
        await session.press("n")
        await session.shows("acc-001000")


async def test_the_queue_has_the_most_urgent_case_first_with_its_time() -> None:
    rows = [alert(n, status="dismissed" if n == 0 else "open") for n in range(6)]
    async with running(Fakes(alerts=FakeAlerts(rows=rows))) as session:
        await session.press("2", "c")
        await session.shows("case queue, 5 undecided")
        await session.shows("29m left")
        await session.press("g", "enter")
        await session.shows("acc-001111")  # alert 3: the oldest of those that block
        await session.press("escape", "escape", "o")
        await session.shows("acc-001111")


def test_urgency_is_block_then_score_then_money_then_age() -> None:
    cases = [
        alert(1, decision="review", score=900),
        alert(2, decision="block", score=700, amount=1),
        alert(3, decision="block", score=700, amount=2, raised_at=9),
        alert(4, decision="block", score=700, amount=2, raised_at=5),
        alert(5, decision="block", score=999, status="confirmed"),
    ]
    assert [case.alert_id for case in queue.queue(cases)] == ["alert-4", "alert-3", "alert-2", "alert-1"]
    following = queue.after(cases, cases[3])
    assert following is not None
    assert following.alert_id == "alert-3"
    last = queue.after(cases, cases[0])
    assert last is not None
    assert last.alert_id == "alert-4"
    assert queue.after(cases[:1], cases[0]) is None


@pytest.mark.parametrize(
    ("limit", "passed", "expected"),
    [
        (None, 120_000, ("2m old", "dim")),
        (600_000, 0, ("10m left", "text")),
        (600_000, 400_000, ("3m left", "warn")),
        (600_000, 780_000, ("3m over", "bad")),
    ],
)
def test_the_time_of_a_case_runs_out(limit: int | None, passed: int, expected: tuple[str, str]) -> None:
    case = alert(1)
    assert queue.left(case, limit, case.raised_at + passed) == expected


# ------------------------------------------------------------------------------------------------ scenarios


@pytest.mark.parametrize(("key", "scenario"), [("h", "high_amount_burst"), ("v", "high_velocity_burst")])
async def test_one_key_launches_from_anywhere(key: str, scenario: str) -> None:
    async with running() as session:
        await session.press("2", "s", key)
        await session.until(lambda: bool(session.fakes.commands.asked), "the launch")
        assert session.fakes.commands.asked[0][:2] == ("launch", scenario)


async def test_traffic_goes_up_and_down_in_steps() -> None:
    async with running() as session:
        await session.press("4", "plus")
        await session.until(lambda: ("traffic", 500) in session.fakes.commands.asked, "500/s")
        session.fakes.scenarios.rate = 500
        await session.until(lambda: session.app.live.traffic.value == 500, "the rate is read back")
        await session.press("minus")
        await session.until(lambda: ("traffic", 200) in session.fakes.commands.asked, "200/s")
        await session.press("0")
        await session.until(lambda: ("traffic", 0) in session.fakes.commands.asked, "none")


async def test_launch_all_asks_for_each() -> None:
    async with running() as session:
        await session.press("4", "L")
        await session.until(lambda: len(session.fakes.commands.asked) == 2, "both")


async def test_the_command_line() -> None:
    async with running() as session:
        await session.press("colon")
        await session.type("traffic 1000")
        await session.press("enter")
        await session.until(lambda: ("traffic", 1000) in session.fakes.commands.asked, "the rate")
        await session.press("colon")
        await session.type("fly")
        await session.press("enter")
        await session.shows("there is no command 'fly'")
