"""Pictures of every screen at the sizes and in the themes that must be good."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.widgets import Input

from tests.tui.fakes import NOW_MS, FakeAlerts, Fakes, FakeStack, alert, run
from tests.tui.harness import SIZES, Album, Session, difference, running, settle
from tui.ports import CaseEvent, ServiceState, SqlProblem, Table
from tui.screens.ksqldb.objects import Objects


async def _overview(session: Session) -> None:
    await session.shows("alerts following")


async def _browsing(session: Session) -> None:
    await session.press("k", "k")
    await session.shows("browsing")
    session.fakes.alerts.rows.extend(alert(n, produced_at=None) for n in range(12, 15))
    await session.shows("+3 new, G to follow")


async def _alerts(session: Session) -> None:
    await session.press("2")
    await session.shows("alerts following")


async def _story(session: Session) -> None:
    await session.press("2", "k", "k", "enter")
    await session.shows("ana claimed")


async def _question(session: Session) -> None:
    await _story(session)
    await session.press("B")
    await session.shows("every payment is refused")


async def _push(session: Session) -> None:
    await session.press("3", "ctrl+r")
    await session.shows("live")
    rows = [(f"acc-{i:06}", i % 9, f"{i * 35.5:.2f}", "Padaria São João") for i in range(40)]
    session.fakes.ksql.push.send(rows)
    await session.shows("acc-000039")


async def _describe(session: Session) -> None:
    session.fakes.ksql.tables = [
        Table(
            ("FIELD", "TYPE", "ROLE"), (("ACCOUNT_ID", "STRING", "KEY"), ("AMOUNT", "DECIMAL(12, 2)", "")), "stream T"
        )
    ]
    await session.press("3")
    await session.shows("FRAUD_ALERTS")
    session.app.screen.query_one(Objects).focus()
    await session.press("D")
    await session.shows("DECIMAL(12, 2)")


async def _problem(session: Session) -> None:
    session.fakes.ksql.problem = SqlProblem("line 1:8: extraneous input 'FORM' expecting {<EOF>, ';'}", 1, 8)
    await session.press("3", "ctrl+r")
    await session.shows("extraneous input")


async def _queue(session: Session) -> None:
    await session.press("2", "c")
    await session.shows("the most urgent first")


async def _scenarios(session: Session) -> None:
    await session.press("4")
    await session.shows("high_velocity_burst")


async def _launch(session: Session) -> None:
    await session.press("s")
    await session.shows("one key chooses")


async def _help(session: Session) -> None:
    await session.press("question_mark")
    await session.shows("Everywhere")


async def _stale(session: Session) -> None:
    session.fakes.flow.failure = "PostgreSQL: connection refused"
    session.app.live.seconds.clock = lambda: 12.0
    await session.shows("STALE 12s")
    await session.shows("as of 12s")
    await session.shows("connection refused")


Scenes = dict[str, Callable[[Session], Awaitable[None]]]
GROUPS: dict[str, Scenes] = {
    "operating": {
        "overview": _overview,
        "browsing": _browsing,
        "alerts": _alerts,
        "story": _story,
        "question": _question,
        "queue": _queue,
        "scenarios": _scenarios,
    },
    "asking": {
        "launch": _launch,
        "help": _help,
        "push": _push,
        "describe": _describe,
        "problem": _problem,
        "stale": _stale,
    },
}


def _fakes() -> Fakes:
    history = (CaseEvent(10_025, "CaseClaimed", NOW_MS - 9_000, "ana", ""),)
    made = Fakes(alerts=FakeAlerts(history=history))
    made.scenarios.history.insert(0, run(0, status="sent", caught=None, missed=None, time_to_detect_ms=None))
    return made


@pytest.mark.parametrize("group", GROUPS)
async def test_screens(group: str, album: Album, tmp_path: Path) -> None:
    """Each scene is played once, and pictured in every theme."""
    async with running(_fakes(), size=album.size, theme=album.theme, files=tmp_path) as session:
        for scene, play in GROUPS[group].items():
            await play(session)
            await album.take(session, scene)
            await _home(session)


async def _home(session: Session) -> None:
    """Back to a following overview, whatever the scene has opened."""
    app = session.app
    while app.current_mode != "overview" or len(app.screen_stack) > 1 or isinstance(app.focused, Input):
        await session.press("escape")
    await session.press("G")
    app.notices.clear()


@pytest.mark.parametrize("size", SIZES)
async def test_boot(size: str) -> None:
    services = [
        ServiceState("PostgreSQL", "up", "", elapsed_ms=812),
        ServiceState("Kafka", "up", "embedded, 4 partitions", elapsed_ms=431),
        ServiceState("ksqlDB", "starting", "waits until it answers"),
    ]
    fakes = Fakes(stack=FakeStack(services=services, gate=asyncio.Event()))
    async with running(fakes, size=SIZES[size], live=False) as session:
        await session.shows("waits until it answers")
        await settle(session)
        assert not difference(session, f"boot-{size}")


@pytest.mark.parametrize("size", SIZES)
async def test_boot_failure(size: str) -> None:
    services = [ServiceState("Kafka", "failed", "port 9092 is taken by pid 812")]
    fakes = Fakes(stack=FakeStack(services=services, failure="kafka cannot start: port 9092 is taken by pid 812"))
    async with running(fakes, size=SIZES[size], live=False) as session:
        await session.shows("tries again")
        await settle(session)
        assert not difference(session, f"boot-failure-{size}")
