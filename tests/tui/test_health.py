"""The Health screen on fakes: what runs, logs, stalls, crash reports, worker processes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.tui.fakes import NOW_MS, FakeFlow, Fakes, FakeStack
from tests.tui.fakes_health import FakeLogs, FakeWatchdog
from tests.tui.harness import Album, Session, running
from tui.ports import ServiceState
from tui.screens.health.port import Stall
from tui.screens.health.rows import split_line

STALLS = [
    Stall(NOW_MS - 60_000, 1_240, 1_200, "tui/widgets/feed.py:112 redraw"),
    Stall(NOW_MS - 5_000, 84, 3, ""),
]


def _fakes() -> Fakes:
    services = [
        ServiceState("PostgreSQL", "up", "embedded", "/run/postgres", NOW_MS - 7_200_000, restarts=0, pid=410),
        ServiceState("Kafka", "up", "embedded, 1 restarts", "127.0.0.1:9092", NOW_MS - 90_000, restarts=1, pid=411),
        ServiceState("ksqlDB", "restarting", "ended by signal 9", "http://127.0.0.1:8088", None, restarts=2),
    ]
    flow = FakeFlow()
    flow.states[1] = replace(flow.states[1], restarts=3, updated_at=NOW_MS - 9_000)
    reports = {"crash-20260720-140000-812.txt": "KeyError: 'acc-***'\npython: 3.11\n\nTraceback: line one"}
    return Fakes(
        stack=FakeStack(services=services), flow=flow, logs=FakeLogs(reports=reports), watchdog=FakeWatchdog(STALLS)
    )


async def _open(session: Session) -> None:
    await session.press("9")
    await session.shows("a line without any form")
    await session.shows("crashes 1")


async def test_picture(album: Album, tmp_path: Path) -> None:
    async with running(_fakes(), size=album.size, theme=album.theme, files=tmp_path) as session:
        await _open(session)
        await album.take(session, "health")


async def test_services_and_tasks_show_state_restarts_and_silence() -> None:
    async with running(_fakes(), size=(120, 40)) as session:
        await _open(session)
        text = session.text()
        line = next(line for line in text.splitlines() if line.startswith(" ksqlDB"))
        assert "restarting" in line
        assert " 2 " in line
        assert any("consumer" in line and "silent" in line and "9s" in line for line in text.splitlines())


async def test_the_log_follows_and_filters_while_live() -> None:
    fakes = _fakes()
    async with running(fakes) as session:
        await _open(session)
        await session.press("tab", "slash")
        await session.type("away")
        await session.press("enter")
        await session.hides("a line without any form")
        fakes.logs.texts["worker.log"].append("the broker was away as well")
        await session.shows("the broker was away as well")


async def test_another_log_file_is_one_key_away() -> None:
    async with running(_fakes()) as session:
        await _open(session)
        await session.press("v")
        await session.shows("ksqldb.log")
        await session.press("1")
        await session.shows("Running on")
        await session.hides("a line without any form")


async def test_a_log_that_cannot_be_read_is_told_in_its_title() -> None:
    fakes = _fakes()
    async with running(fakes) as session:
        await _open(session)
        fakes.logs.failure = "Permission denied"
        await session.shows("log worker.log: Permission denied")


async def test_stalls_and_crash_reports_open() -> None:
    async with running(_fakes()) as session:
        await _open(session)
        await session.press("t")
        await session.shows("tui/widgets/feed.py:112 redraw")
        await session.shows("the core was busy elsewhere")
        await session.press("escape", "c", "1")
        await session.shows("Traceback: line one")


async def test_a_worker_restarts_only_after_yes() -> None:
    async with running(_fakes()) as session:
        await _open(session)
        await session.press("j", "j", "j", "R")
        await session.shows("restart worker process 77")
        await session.press("enter")
        await session.shows("nothing done")
        assert session.fakes.workers.restarted == []
        await session.press("R")
        await session.shows("restart worker process 77")
        await session.type("yes")
        await session.press("enter")
        await session.shows("worker process 77 was restarted")
        assert session.fakes.workers.restarted == [77]


async def test_workers_scale_and_the_last_one_asks() -> None:
    async with running(_fakes()) as session:
        await _open(session)
        await session.press("plus")
        await session.shows("hosted workers 2")
        await session.press("minus")
        await session.shows("hosted workers 1")
        await session.press("minus")
        await session.shows("it detects nothing then")
        await session.press("escape")
        assert session.fakes.workers.pids == [77]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("timestamp='2026-07-20T14:01:27.9Z' level='info' event='sealed' no=1", ("14:01:27", "info", "'sealed' no=1")),
        ("2026-07-20 14:01:25,804 INFO serves postgres", ("14:01:25", "info", "serves postgres")),
        ("2026-07-20 14:01:26.369 UTC [434] LOG:  listening", ("14:01:26", "log", "listening")),
        ("ready 127.0.0.1:56615", ("", "", "ready 127.0.0.1:56615")),
        ("timestamp='yesterday' level='info' event=x", ("", "info", "x")),
    ],
)
def test_a_log_line_is_split(line: str, expected: tuple[str, str, str]) -> None:
    assert split_line(line) == expected
