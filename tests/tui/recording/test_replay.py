"""What was seen is seen again: the same pictures at the same times, with pause, speed and seek."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.tui.fakes import NOW, NOW_MS, Fakes, alert
from tests.tui.harness import Session, WatchedCenter, running, settle
from tui.live import CHART_SECONDS
from tui.ports import SqlProblem, Table, Unavailable
from tui.recording.center import ReplayCenter, place
from tui.recording.file import RecordingError
from tui.recording.played import played_ports
from tui.recording.player import Clock, Recording
from tui.recording.recorder import Recorder
from tui.screens.eventlog.port import Selection
from tui.screens.kafka.port import Start


class WatchedReplay(WatchedCenter, ReplayCenter):
    """A replay with a way to wait for its next frame."""


@asynccontextmanager
async def recording(path: Path, fakes: Fakes) -> AsyncIterator[tuple[Session, dict[str, float]]]:
    """A control center that is recorded; its time is set by the test."""
    time = {"now": NOW}
    fakes.now = lambda: time["now"]
    recorder = Recorder(path, fakes.now, "local")
    async with running(fakes, wrap=recorder.ports) as session:
        recorder.watch(lambda: session.app.place, lambda problem: pytest.fail(problem))
        yield session, time
    recorder.close()


@dataclass
class Replayed(Session):
    """A session on a replay."""

    app: WatchedReplay


@asynccontextmanager
async def replaying(path: Path) -> AsyncIterator[tuple[Replayed, dict[str, float]]]:
    """A replay whose clock the test turns."""
    outside = {"now": 0.0}
    app = WatchedReplay(Recording(path), Path("/nonexistent"), real=lambda: outside["now"])
    async with app.run_test(size=(80, 24)) as pilot:
        session = Replayed(app, pilot, Fakes())
        await session.shows("REPLAY")
        await session.until(lambda: app.current_mode != "boot", "the first screen")
        yield session, outside
        await app.close_all()


def _below(session: Session) -> list[str]:
    """The screen without the top line, which says that it is a replay, and the key line, which has its keys."""
    return session.text().splitlines()[1:-1]


async def _looks(session: Session, wanted: list[str]) -> None:
    await session.until(lambda: _below(session) == wanted, "the picture\n" + "\n".join(wanted))


async def _noted(session: Session) -> None:
    """Until a source has answered once more: with it the recorder notes which screen is shown."""
    session.fakes.flow.asked_since = 0
    await session.until(lambda: session.fakes.flow.asked_since > 0, "another poll")


async def _record_a_watch(path: Path) -> dict[str, list[str]]:
    """An alert comes, the operator opens the alerts, another one comes; pictures of the three moments."""
    seen = {}
    fakes = Fakes()
    fakes.alerts.rows = [alert(n) for n in range(3)]
    async with recording(path, fakes) as (session, time):
        await settle(session)
        seen["first"] = _below(session)
        await _noted(session)
        time["now"] = NOW + 60
        fakes.alerts.rows.append(alert(9, rule_id="geo_jump", produced_at=None))
        await session.shows("geo_jump")
        await session.press("2")
        await session.shows("next case")
        await settle(session)
        seen["second"] = _below(session)
        await _noted(session)
        time["now"] = NOW + 120
        fakes.alerts.rows.append(alert(10, rule_id="drained", produced_at=None))
        await session.shows("drained")
        await settle(session)
        seen["third"] = _below(session)
        await _noted(session)
        time["now"] = NOW + 130
        await session.until(lambda: fakes.flow.asked_since >= int(NOW) + 130 - CHART_SECONDS, "a last poll")
    return seen


async def test_the_same_pictures_at_the_same_times(tmp_path: Path) -> None:
    seen = await _record_a_watch(tmp_path / "r.sgr")
    async with replaying(tmp_path / "r.sgr") as (session, outside):
        await session.press("semicolon")
        for name, at in (("third", 125), ("first", 0), ("second", 61)):  # also backwards
            await session.app.seek(NOW_MS + at * 1000)
            await _looks(session, seen[name])
        await session.press("semicolon")
        outside["now"] += 60
        await session.shows("drained")
        outside["now"] += 600
        await session.shows("ended")


async def test_the_viewer_may_go_where_he_likes_and_follow_again(tmp_path: Path) -> None:
    await _record_a_watch(tmp_path / "r.sgr")
    async with replaying(tmp_path / "r.sgr") as (session, outside):
        await session.press("4")
        await session.shows("normal traffic")
        outside["now"] += 61
        await session.shows("REPLAY 14:03:15 1x")
        assert session.app.current_mode == "scenarios"
        await session.press("ampersand")
        await session.until(lambda: session.app.current_mode == "alerts", "the screen that was shown")


async def test_details_that_were_opened_are_followed(tmp_path: Path) -> None:
    path = tmp_path / "r.sgr"
    fakes = Fakes()
    async with recording(path, fakes) as (session, time):
        await _noted(session)
        time["now"] = NOW + 60
        await session.press("2", "enter")
        await session.shows("lag then")
        await _noted(session)
        time["now"] = NOW + 120
        await session.press("a")
        await session.shows("as it stood now")
        await session.shows("alerts 3")
        await _noted(session)
        time["now"] = NOW + 180
        await session.press("escape")
        await session.shows("lag then")
        await session.press("escape")
        await session.shows("alerts following")
        await _noted(session)
        time["now"] = NOW + 190
        await session.until(lambda: fakes.flow.asked_since >= int(NOW) + 190 - CHART_SECONDS, "a last poll")
    async with replaying(path) as (replayed, outside):
        outside["now"] = 61
        await replayed.until(lambda: replayed.app.place == "alerts\nalert alert-11", "the story")
        await replayed.shows("lag then")
        outside["now"] = 121
        await replayed.until(lambda: replayed.app.place == "alerts\nalert alert-11\naccount acc-001407", "the account")
        await replayed.shows("alerts 3")
        outside["now"] = 181
        await replayed.until(lambda: replayed.app.place == "alerts", "the list")
        await replayed.press("semicolon")
        await replayed.app.seek(NOW_MS + 62_000)
        await replayed.until(lambda: replayed.app.place == "alerts\nalert alert-11", "the story once more")
        await replayed.press("escape")
        await replayed.shows("no longer following")
        assert replayed.app.place == "alerts"


async def test_what_was_opened_but_is_not_held_is_said_once(tmp_path: Path) -> None:
    path = tmp_path / "r.sgr"
    recorder = Recorder(path, lambda: NOW, "local")
    fakes = Fakes()
    async with running(fakes, wrap=recorder.ports) as session:
        recorder.watch(lambda: "alerts\nevent 77", lambda problem: pytest.fail(problem))
        await _noted(session)
    recorder.close()
    async with replaying(path) as (replayed, _):
        await replayed.shows("the recording does not hold this")
        for _ in range(3):
            await replayed.app._follow()
        assert sum("does not hold" in text for _, _, text in replayed.app.notices.said) == 1
        assert replayed.app.place == "alerts"


async def test_speed_pause_and_seek_by_keys(tmp_path: Path) -> None:
    await _record_a_watch(tmp_path / "r.sgr")
    async with replaying(tmp_path / "r.sgr") as (session, outside):
        await session.press("right_curly_bracket", "right_curly_bracket")
        await session.shows("5x")
        outside["now"] += 10
        await session.shows("REPLAY 14:03:04 5x")
        await session.press("semicolon")
        await session.shows("paused")
        await session.press("less_than_sign")
        await session.shows("REPLAY 14:02:54 paused")
        await session.press("at")
        await session.type("50%")
        await session.press("enter")
        await session.shows("REPLAY 14:03:19 paused")
        await session.until(lambda: not session.app.seeking and session.app.current_mode == "alerts", "the new place")
        await session.press("at")
        await session.type("tomorrow")
        await session.press("enter")
        await session.shows("is no place")


async def test_a_replay_changes_nothing(tmp_path: Path) -> None:
    await _record_a_watch(tmp_path / "r.sgr")
    async with replaying(tmp_path / "r.sgr") as (session, _):
        await session.press("4", "l")
        await session.shows("a replay changes nothing")


async def test_queries_messages_events_and_logs_come_again(tmp_path: Path) -> None:
    path, time, outside = tmp_path / "r.sgr", {"now": NOW}, {"now": 0.0}
    fakes = Fakes(now=lambda: time["now"])
    recorder = Recorder(path, fakes.now, "local")
    ports = recorder.ports(fakes.ports())
    fakes.ksql.tables = [Table(("A",), ((1, b"x"),), "title")]
    await ports.ksql.run("SHOW STREAMS;", {})
    fakes.ksql.tables = []
    push: Any = await ports.ksql.run("SELECT 1;", {})
    batches = push.batches()
    fakes.ksql.push.send([("a", 1)])
    await anext(batches)
    time["now"] += 10
    fakes.ksql.push.send([("b", 2)])
    await anext(batches)
    fakes.ksql.problem = SqlProblem("no such", 1, 8)
    with pytest.raises(SqlProblem):
        await ports.ksql.run("SELECT x;", {})
    browser = await ports.cluster.browse("transactions", Start("beginning"))
    read = (await browser.next()).messages
    tail = await ports.eventlog.newest(Selection(), 5)
    chunk = await ports.logs.read("worker.log", None)
    fakes.flow.failure = "PostgreSQL: away"
    with pytest.raises(Unavailable):
        await ports.flow.seconds(0)
    recorder.close()

    played = Recording(path)
    clock = Clock(played.first, played.last, lambda: outside["now"])
    again = played_ports(played, clock, lambda: "REPLAY", "ana")
    assert (await again.ksql.run("SHOW STREAMS;", {}))[0].rows == ((1, "b'x'"),)  # type: ignore[index]
    rows: Any = await again.ksql.run("SELECT 1;", {})
    assert (rows.query_id, list(rows.columns)) == (push.query_id, list(push.columns))
    seen = rows.batches()
    assert await anext(seen) == [["a", 1]]
    outside["now"] = 10.0
    assert await anext(seen) == [["b", 2]]
    with pytest.raises(SqlProblem, match="no such"):
        await again.ksql.run("SELECT x;", {})
    with pytest.raises(SqlProblem, match="does not hold"):
        await again.ksql.run("SELECT y;", {})
    assert (await (await again.cluster.browse("transactions", Start("beginning"))).next()).messages == read
    assert (await again.eventlog.newest(Selection(), 5)).entries == tail.entries
    assert (await again.eventlog.after(tail.entries[0].position, Selection(), 50)).entries == tail.entries[1:]
    assert (await again.logs.read("worker.log", None)).lines == chunk.lines
    with pytest.raises(Unavailable, match="PostgreSQL: away"):
        await again.flow.seconds(0)
    with pytest.raises(Unavailable, match="does not hold this"):
        await again.accounts.profile("acc-1")


def test_places_in_a_recording() -> None:
    clock = Clock(NOW_MS, NOW_MS + 100_000, lambda: 0.0)
    assert place("+30s", clock) == NOW_MS + 30_000
    assert place("-2m", clock) == NOW_MS - 120_000
    assert place("50%", clock) == NOW_MS + 50_000
    assert place("14:03", clock) == NOW_MS - NOW_MS % 60_000 + 60_000
    assert place("25:00", clock) is None
    clock.seek(NOW_MS - 5)
    assert clock.now_ms() == NOW_MS
    clock.seek(NOW_MS + 10**9)
    assert clock.ended


def test_an_empty_recording_is_said(tmp_path: Path) -> None:
    Recorder(tmp_path / "r.sgr", lambda: NOW, "local").close()
    with pytest.raises(RecordingError, match="holds nothing"):
        Recording(tmp_path / "r.sgr")
