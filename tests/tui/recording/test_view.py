"""A replay stands where the operator stood: filter, cursor, browsing; the first key takes over, `&` gives it back."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.tui.fakes import NOW, NOW_MS, Fakes, alert
from tests.tui.harness import Session, running, settle
from tests.tui.recording.test_replay import replaying
from tui.ports import Table
from tui.recording.played import played_ports
from tui.recording.player import Clock, Recording
from tui.recording.recorder import Recorder
from tui.recording.view import seen


def _below(session: Session) -> list[str]:
    return session.text().splitlines()[1:-1]


async def _record(path: Path) -> dict[int, list[str]]:
    """Alerts are browsed, more come meanwhile, then a filter; the second of a moment to what was to be seen."""
    pictures = {}
    time = {"now": NOW}
    fakes = Fakes(now=lambda: time["now"])
    fakes.alerts.rows = [alert(n) for n in range(6)]
    recorder = Recorder(path, fakes.now, "local")
    async with running(fakes, wrap=recorder.ports) as session:
        recorder.watch(lambda: session.app.place, pytest.fail, lambda: seen(session.app.screen))

        async def picture() -> None:
            await settle(session)
            pictures[round(time["now"] - NOW)] = _below(session)
            session.fakes.flow.asked_since = 0
            await session.until(lambda: session.fakes.flow.asked_since > 0, "another poll, with which it is noted")

        await session.press("2")
        await session.shows("next case")
        await picture()
        time["now"] = NOW + 20
        await session.press("k", "k")
        await session.shows("browsing")
        await picture()
        time["now"] = NOW + 40
        fakes.alerts.rows.extend(alert(n, produced_at=None) for n in (7, 8))
        await session.shows("+2 new")
        await picture()
        time["now"] = NOW + 60
        await session.press("G", "slash")
        await session.type("high")
        await session.press("enter")
        await session.shows("/high")
        await picture()
        time["now"] = NOW + 70
        session.fakes.flow.asked_since = 0
        await session.until(lambda: session.fakes.flow.asked_since > 0, "a last poll")
    recorder.close()
    return pictures


async def test_filter_and_cursor_are_followed_in_either_direction(tmp_path: Path) -> None:
    pictures = await _record(tmp_path / "r.sgr")
    async with replaying(tmp_path / "r.sgr") as (replayed, _):
        await replayed.press("semicolon")
        for at in (60, 20, 40, 0, 40, 60):
            await replayed.app.seek(NOW_MS + at * 1000 + 500)
            wanted = pictures[at]
            await replayed.until(lambda wanted=wanted: _below(replayed) == wanted, "\n".join(wanted))  # type: ignore[misc]


async def test_the_first_key_takes_over_and_ampersand_gives_back(tmp_path: Path) -> None:
    await _record(tmp_path / "r.sgr")
    async with replaying(tmp_path / "r.sgr") as (replayed, _):
        await replayed.press("semicolon")
        await replayed.shows("following")
        await replayed.app.seek(NOW_MS + 20_500)
        await replayed.shows("4 of 6")
        await replayed.press("k")
        await replayed.shows("you steer")
        await replayed.app._follow()
        assert "3 of 6" in replayed.text()
        await replayed.press("ampersand")
        await replayed.shows("4 of 6")
        assert "you steer" not in replayed.text()


async def test_a_password_in_a_statement_or_a_filter_is_not_written_down(tmp_path: Path) -> None:
    path, statement = tmp_path / "r.sgr", "CREATE SOURCE CONNECTOR c WITH ('password'='hunter2');"
    fakes = Fakes(now=lambda: NOW)
    fakes.ksql.tables = [Table(("A",), ((1,),), "title")]
    recorder = Recorder(path, fakes.now, "local")
    async with running(fakes, wrap=recorder.ports) as session:
        recorder.watch(lambda: session.app.place, pytest.fail, lambda: seen(session.app.screen))
        await session.press("2", "slash")
        await session.type("password=hunter2")
        await session.press("enter")
        await session.shows("/password=hunter2")
        fakes.flow.asked_since = 0
        await session.until(lambda: fakes.flow.asked_since > 0, "another poll, with which it is noted")
        await session.app.ports.ksql.run(statement, {})
    recorder.close()
    held = gzip.decompress(path.read_bytes())
    assert b"password=***" in held
    assert b"CREATE SOURCE CONNECTOR" in held
    assert b"hunter2" not in held
    recording = Recording(path)
    again = played_ports(recording, Clock(recording.last, recording.last, lambda: 0.0), lambda: "REPLAY", "ana")
    assert (await again.ksql.run(statement, {}))[0].rows == ((1,),)  # type: ignore[index]
