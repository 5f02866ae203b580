"""The Rules screen on rules in memory: table, one rule, overlap, switching, backtest."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.tui.fakes_rules import SQL
from tests.tui.harness import Album, Session, running
from tui.screens.rules.port import Trial
from tui.screens.rules.rows import overlap_lines, spark, sql_lines
from tui.screens.rules.screen import trial_of


async def _open(session: Session) -> None:
    await session.press("6")
    await session.shows("5 rules, 3 on")
    await session.shows("78 %")


async def test_pictures(album: Album, tmp_path: Path) -> None:
    async with running(size=album.size, theme=album.theme, files=tmp_path) as session:
        await _open(session)
        await album.take(session, "rules")
        await session.press("o")
        await session.shows("share of the row")
        await album.take(session, "overlap")
        await session.press("escape", "b", "enter")
        await session.until(lambda: bool(session.fakes.rules.trials), "the backtest")
        await session.press("enter")
        await session.shows("gained 41")
        session.app.notices.clear()
        await album.take(session, "rule")


async def test_switching_asks_and_says_what_follows() -> None:
    async with running() as session:
        await _open(session)
        await session.press("P")
        await session.shows("it finds nothing until resumed")
        await session.press("enter")
        await session.shows("nothing done")
        for key, act in (("P", "pause"), ("R", "resume"), ("D", "deploy"), ("X", "undeploy")):
            await session.press(key)
            await session.shows("Type yes")
            await session.type("yes")
            await session.press("enter")
            await session.shows(f"{act} high_velocity: done")
        assert [asked[0] for asked in session.fakes.commands.asked] == ["pause", "resume", "deploy", "undeploy"]


async def test_a_feature_is_always_on() -> None:
    async with running() as session:
        await _open(session)
        await session.press("G", "k", "P")
        await session.shows("it is always on")
        await session.press("b")
        await session.shows("no SQL to try")


async def test_a_backtest_tells_how_far_it_is_and_then_its_flips() -> None:
    async with running(size=(120, 40)) as session:
        gate = session.fakes.rules.gate = asyncio.Event()
        await _open(session)
        await session.press("b")
        await session.shows("try high_velocity")
        await session.press("ctrl+u")
        await session.type("/data/labelled.csv")
        await session.press("enter")
        await session.shows("40 % of 120.400")
        gate.set()
        await session.shows("gains 41, loses 7")
        await session.shows("lost 7")
        assert session.fakes.rules.trials == [Trial("high_velocity", file="/data/labelled.csv")]


async def test_one_rule_alone_has_the_same_keys_and_back_leads_home() -> None:
    async with running() as session:
        await _open(session)
        await session.press("enter")
        await session.shows("WINDOW HOPPING")
        await session.press("P")
        await session.shows("it finds nothing until resumed")
        await session.type("yes")
        await session.press("enter")
        await session.until(lambda: session.fakes.commands.asked == [("pause", "high_velocity")], "the pause")
        await session.press("backspace")
        await session.shows("5 rules, 3 on")


async def test_what_cannot_be_known_is_said_and_the_table_stays() -> None:
    async with running() as session:
        await _open(session)
        session.fakes.rules.failure = "ksqlDB: away"
        await session.shows("ksqlDB: away")
        await session.shows("high_velocity")


def test_hours_and_files() -> None:
    assert trial_of("r", "90m").last_ms == 5_400_000
    assert trial_of("r", "7d").last_ms == 7 * 86_400_000
    assert trial_of("r", "labelled.csv.gz").file == "labelled.csv.gz"


def test_an_hour_with_one_alert_is_seen_beside_a_thousand() -> None:
    assert spark([0, 1, 1000]) == " ▁█"
    assert spark([]) == ""


def test_sql_keeps_its_text() -> None:
    assert "\n".join("".join(text for text, _ in line)[1:] for line in sql_lines(SQL)) == SQL


def test_an_overlap_that_is_too_wide_says_so() -> None:
    from core.rules.activity import Overlap

    names = tuple(f"rule_{i}" for i in range(12))
    lines = overlap_lines(Overlap(names, tuple((1,) * 12 for _ in names)), 80)
    assert "more columns" in lines[-1][0][0]
    assert "no alert" in overlap_lines(None, 80)[0][1][0]
