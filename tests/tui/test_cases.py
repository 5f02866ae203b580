"""Working a case: what its story joins, undoing, four eyes on a block, and where the story leads."""

from __future__ import annotations

import pytest

from tests.tui.fakes import NOW_MS, FakeAlerts, Fakes, alert
from tests.tui.fakes_eventlog import FakeEventLog, entry
from tests.tui.harness import Session, running
from tui.ports import CaseEvent, Listed
from tui.screens.accounts.account import AccountScreen
from tui.screens.alerts.detail import AlertScreen
from tui.screens.alerts.payments import PaymentsScreen
from tui.screens.eventlog.event import EventScreen
from tui.screens.kafka.port import Start
from tui.screens.kafka.topic import TopicScreen
from tui.screens.rules.screen import RuleScreen

PROPOSED = Listed("account", "acc-001333", "proposed", "stolen card", NOW_MS - 180_000, None, "bo")
SNOOZED = Listed("account", "acc-001333", "snooze", "high_velocity: known", NOW_MS, NOW_MS + 60_000, "bo")


def _case(*history: CaseEvent, status: str = "open", standing: tuple[Listed, ...] = ()) -> Fakes:
    rows = [alert(n, status=status if n == 9 else "open") for n in range(10)]
    return Fakes(
        alerts=FakeAlerts(rows=rows, history=history, standing=list(standing)),
        eventlog=FakeEventLog(entries=[entry(9_980), entry(10_018)]),
    )


async def _open(session: Session) -> None:
    await session.press("2", "enter")
    await session.shows("acc-001333")
    await session.until(lambda: isinstance(session.app.screen, AlertScreen), "the story")
    await session.shows("came by")
    await session.shows("lag then")


async def test_the_story_joins_everything_that_is_known() -> None:
    async with running(_case(standing=(PROPOSED,)), size=(120, 40)) as session:
        await _open(session)
        await session.shows("precision 78 %")
        text = session.text()
        for part in (
            "payments of the account in 60 s",
            "6 > 3   +550",
            "version 7AC1F00D, deployed 2d ago",
            "of 212 known",
            "transactions/2 @ 881.204  log 9.980",
            "transactions/2 @ 881.204-881.209 → fraud_alerts/2 @ 3.101 → log 10.018",
            "event 14:01:23,000   decided +31 ms   alert +41 ms",
            "lag then 4 payments",
            "182 pay/s then, p50 21 ms, p99 84 ms",
            "risk 26 %   23 payments   mean R$ 88,00   2 earlier alerts",
            "Y approves, R refuses: block proposed by bo 3m ago: stolen card",
        ):
            assert part in text, part


async def test_an_alert_that_came_while_it_was_looked_at_says_how_long_it_took_to_be_shown() -> None:
    async with running(Fakes(alerts=FakeAlerts(rows=[alert(1)]))) as session:
        await session.press("2")
        await session.shows("acc-001037")
        session.fakes.alerts.rows.append(alert(9, produced_at=NOW_MS - 84))
        await session.shows("acc-001333")
        await session.press("G", "enter")
        await session.shows("shown +84 ms")


async def test_what_gave_no_points_is_told_by_its_name_in_one_line() -> None:
    from tui.ports import Signal

    silent = tuple(Signal(name, 0, "insufficient history", 0.0, 5.0) for name in ("own_amount", "new_device"))
    row = alert(9, signals=(*alert(9).signals, *silent))
    async with running(Fakes(alerts=FakeAlerts(rows=[row]))) as session:
        await session.press("2", "enter")
        await session.shows("no points:   own_amount 0 of 5   new_device 0 of 5")


async def test_undo_names_what_it_undoes_and_reopens_the_case() -> None:
    dismissed = CaseEvent(10_030, "CaseDismissed", NOW_MS - 9_000, "bo", "a friend")
    note = CaseEvent(10_031, "CaseNoted", NOW_MS - 8_000, "bo", "called")
    async with running(_case(dismissed, note, status="dismissed")) as session:
        await _open(session)
        await session.press("u")
        await session.shows("undo 'dismissed' of bo at 14:02:05: the case is open again")
        await session.type("no friend")
        await session.press("enter")
        await session.until(lambda: bool(session.fakes.commands.asked), "the undoing")
        assert session.fakes.commands.asked == [("reopen", "alert-9", "no friend", 2)]


async def test_an_open_case_has_nothing_to_undo() -> None:
    async with running(_case()) as session:
        await _open(session)
        await session.press("u")
        await session.shows("there is nothing to undo")
        assert session.fakes.commands.asked == []


async def test_a_proposed_block_is_approved_with_a_yes_or_refused_with_a_reason() -> None:
    async with running(_case(standing=(PROPOSED,))) as session:
        await _open(session)
        await session.press("Y")
        await session.shows("every payment is refused, as was")
        await session.shows("yes (enter = no)")
        await session.press("enter")
        await session.shows("nothing done")
        await session.press("Y")
        await session.type("yes")
        await session.press("enter")
        await session.until(lambda: len(session.fakes.commands.asked) == 1, "the approval")
        await session.press("R")
        await session.shows("the proposed block is dropped")
        await session.type("his brother")
        await session.press("enter")
        await session.until(lambda: len(session.fakes.commands.asked) == 2, "the refusal")
        assert session.fakes.commands.asked == [
            ("approve", "account", "acc-001333", ""),
            ("refuse", "account", "acc-001333", "his brother"),
        ]


async def test_what_nobody_proposed_is_neither_approved_nor_refused() -> None:
    async with running(_case()) as session:
        await _open(session)
        for key in ("Y", "R"):
            session.app.notices.clear()
            await session.press(key)
            await session.shows("nobody has proposed to block acc-001333")
        assert session.fakes.commands.asked == []


async def test_a_snooze_is_ended() -> None:
    async with running(_case()) as session:
        await _open(session)
        await session.press("Z")
        await session.shows("high_velocity is not snoozed")
        session.fakes.alerts.standing.append(SNOOZED)
        await session.shows("snoozed until")
        await session.press("Z")
        await session.type("awake")
        await session.press("enter")
        await session.until(lambda: bool(session.fakes.commands.asked), "the end of the snooze")
        assert session.fakes.commands.asked == [("snooze", "high_velocity", "acc-001333", 0, "awake")]


@pytest.mark.parametrize(
    ("key", "screen"), [("p", PaymentsScreen), ("l", EventScreen), ("a", AccountScreen), ("r", RuleScreen)]
)
async def test_the_story_leads_on_and_back(key: str, screen: type) -> None:
    async with running(_case()) as session:
        await _open(session)
        await session.press(key)
        await session.until(lambda: isinstance(session.app.screen, screen), "where the key leads")
        await session.press("escape")
        await session.until(lambda: not isinstance(session.app.screen, screen), "the way back")


async def test_a_payment_leads_to_its_event_and_to_its_message() -> None:
    async with running(_case()) as session:
        await _open(session)
        await session.press("p")
        await session.shows("6 of 6 payments, R$ 897,00")
        await session.press("t")
        await session.until(lambda: isinstance(session.app.screen, TopicScreen), "the topic")
        await session.shows("from partition 2 offset 881.204")
        assert session.fakes.cluster.starts == [Start("offset", 881_204, 2)]
        await session.press("escape")
        await session.shows("6 of 6 payments")
        await session.press("enter")
        await session.until(lambda: isinstance(session.app.screen, EventScreen), "the event")


async def test_an_action_begins_from_the_list() -> None:
    async with running(_case()) as session:
        await session.press("2", "x")
        await session.shows("high_velocity acc-001333")
        await session.press("d")
        await session.shows("dismiss high_velocity acc-001333: not fraud")
        await session.type("a friend")
        await session.press("enter")
        await session.until(lambda: bool(session.fakes.commands.asked), "the dismissal")
        assert session.fakes.commands.asked == [("dismiss", "alert-9", "a friend", 0)]
        await session.press("escape", "c")
        await session.shows("10 undecided")
        await session.press("x", "escape")
        await session.shows("10 undecided")


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("alert alert-9", "came by"),
        ("payments alert-9", "6 of 6 payments"),
        ("queue", "the most urgent first"),
        ("rule high_velocity", "WINDOW HOPPING"),
        ("alert none", "there is no alert none"),
    ],
)
async def test_commands_lead_to_cases_and_rules(line: str, text: str) -> None:
    async with running(_case()) as session:
        await session.press("colon")
        await session.type(line)
        await session.press("enter")
        await session.shows(text)
