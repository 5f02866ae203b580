"""The Log screen on a log in memory: tail, selection, chain, projections, seals."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.tui.fakes import Fakes
from tests.tui.fakes_eventlog import FakeEventLog, entry
from tests.tui.harness import Album, Session, running
from tui.screens.eventlog.event import EventScreen
from tui.screens.eventlog.rows import event_lines, relation


async def _open(session: Session) -> None:
    await session.press("8")
    await session.shows("scenario-000009")
    await session.shows("seals 3 to 38 of 40")


async def test_pictures(album: Album, tmp_path: Path) -> None:
    async with running(size=album.size, theme=album.theme, files=tmp_path) as session:
        await _open(session)
        await album.take(session, "eventlog")
        await session.press("enter")
        await session.shows("chain of")
        await album.take(session, "event")


async def test_the_tail_follows_and_browsing_stands_still() -> None:
    async with running() as session:
        await _open(session)
        await session.press("k", "k")
        await session.shows("browsing")
        session.fakes.eventlog.entries.append(entry(41))
        await session.shows("+1 new, G to follow")
        await session.press("G")
        await session.shows("case-000010")


async def test_streams_and_types_are_selected_in_the_log_and_back_drops_it() -> None:
    async with running() as session:
        await _open(session)
        await session.press("p")
        await session.type("case-")
        await session.press("enter")
        await session.shows("events, streams case-*")
        await session.hides("AlertRaised")
        await session.press("t")
        await session.type("AlertRaised")
        await session.press("enter")
        await session.shows("none of these in the last")
        await session.press("escape")
        await session.shows("ScenarioScored")


async def test_a_tail_that_is_left_behind_jumps_to_the_end_and_says_so() -> None:
    async with running() as session:
        await _open(session)
        session.fakes.eventlog.entries.extend(entry(number) for number in range(41, 10_041))
        await session.shows("passed over")
        await session.shows("10.040")


async def test_enter_walks_the_chain_and_back_walks_home() -> None:
    async with running(size=(120, 40)) as session:
        await _open(session)
        await session.press("k", "enter")
        await session.shows("chain of 4")
        screen = session.app.screen
        assert isinstance(screen, EventScreen)
        assert screen.entry.position == 39
        await session.press("g", "enter")
        await session.until(lambda: screen.entry.position == 36, "the first of the chain")
        await session.press("escape")
        await session.until(lambda: screen.entry.position == 39, "the one before")
        await session.press("q")
        await session.until(lambda: session.app.screen is not screen, "the list")


async def test_proving_shows_progress_then_the_result() -> None:
    gate = asyncio.Event()
    async with running(Fakes(eventlog=FakeEventLog(gate=gate)), size=(120, 40)) as session:
        await _open(session)
        await session.press("tab", "P")
        await session.shows("20 of 40 events")
        gate.set()
        await session.shows("equal (40 rows at position 40)")


async def test_a_rebuild_asks_first() -> None:
    async with running() as session:
        await _open(session)
        await session.press("tab", "R")
        await session.shows("Type yes")
        await session.press("enter")
        await session.shows("nothing done")
        assert session.fakes.eventlog.done == []
        await session.press("R")
        await session.shows("Type yes")
        await session.type("yes")
        await session.press("enter")
        await session.shows("generation 2 is live")
        assert session.fakes.eventlog.done == [("rebuild", "account_risk")]


async def test_a_parked_projection_shows_why_and_is_skipped_with_a_reason() -> None:
    async with running(size=(120, 40)) as session:
        await _open(session)
        await session.shows("stopped at 12: KeyError: 'amount'")
        await session.press("tab", "G", "K")
        await session.shows("verdict then differs from the log")
        await session.type("broken")
        await session.press("enter")
        await session.until(lambda: bool(session.fakes.eventlog.done), "the skip")
        assert session.fakes.eventlog.done == [("skip", "verdict", "broken")]


@pytest.mark.parametrize("findings", ["", "the event at position 7 was changed"])
async def test_verifying_tells_what_was_found(findings: str) -> None:
    async with running(Fakes(eventlog=FakeEventLog(findings=findings))) as session:
        await _open(session)
        await session.press("V")
        await session.shows(findings or "as sealed")


async def test_a_log_that_cannot_be_read_is_told() -> None:
    async with running() as session:
        await _open(session)
        session.fakes.eventlog.failure = "PostgreSQL: gone"
        await session.shows("PostgreSQL: gone")
        session.fakes.eventlog.failure = ""
        await session.hides("PostgreSQL: gone")


def test_relations_of_a_chain() -> None:
    shown = entry(8, command="c-1", correlation="story", causation="c-0")
    assert relation(shown, shown) == "this"
    assert relation(shown, entry(4, command="c-0")) == "cause"
    assert relation(shown, entry(9, causation="c-1")) == "effect"
    assert relation(shown, entry(9, correlation="story")) == "story"
    assert relation(shown, entry(12, stream=shown.stream)) == "stream"
    assert relation(shown, entry(13)) == "case"


def test_an_event_of_a_megabyte_is_cut_and_says_so() -> None:
    lines = event_lines(entry(1, data='{"x": "' + "a" * 1_000_000 + '"}'), 80)
    assert len(lines) < 2_100
    assert any("cut: 1000009 characters" in text for line in lines for text, _ in line)
