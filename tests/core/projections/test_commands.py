"""`streamguard projections` on a real database: what it prints and the code it exits with."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.eventlog import EventLog
from core.projections import PROJECTIONS, commands
from core.projections.alert import ALERT
from core.projections.past import show_account_at
from core.projections.runner import advance
from schema.events import AlertRaised
from tests.core.projections.stories import META, story


@pytest.fixture
async def folded(log: EventLog, pool: Any) -> EventLog:
    await log.append_many(story(2, 80))
    async with pool.acquire() as conn:
        for projection in PROJECTIONS:
            await advance(conn, projection)
    return log


async def test_prove_exits_by_the_answer(
    folded: EventLog, pool: Any, postgres_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await commands.prove_projections(postgres_dsn, [], as_json=False) == 0
    assert capsys.readouterr().out.count(": equal (") == len(PROJECTIONS)
    await pool.execute("update read.alert set score = score + 1 where alert_id = 'a2-1'")
    assert await commands.prove_projections(postgres_dsn, ["alert"], as_json=True) == 1
    answer = json.loads(capsys.readouterr().out)
    assert (answer["equal"], [found["key"] for found in answer["differences"]]) == (False, ["a2-1"])
    assert await commands.rebuild_projections(postgres_dsn, ["alert"], "ana") == 0
    assert await commands.prove_projections(postgres_dsn, ["alert"], as_json=False) == 0
    (audit,) = await folded.read(1, types=["ProjectionRebuilt"])
    assert (audit.stream, audit.meta.actor) == ("operator-ana", "ana")


async def test_an_unknown_name_is_a_usage_error(postgres_dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert await commands.prove_projections(postgres_dsn, ["nonsense"], as_json=False) == 2
    assert "there is no projection 'nonsense'; there are alert," in capsys.readouterr().err


async def test_a_parked_projection_is_passed_on_or_tried_again(
    folded: EventLog, pool: Any, postgres_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await commands.retry_projection(postgres_dsn, "alert", "ana") == 1
    bad = AlertRaised(
        alert_id="bad",
        rule_id="r",
        account_id="acc-0",
        incident_start=10**17,
        incident_end=1,
        event_time=1,
        score=1,
        decision="review",
        severity="high",
    )
    await folded.append("alert-bad", [bad], meta=META)
    position = await folded.head()
    async with pool.acquire() as conn:
        assert not (await advance(conn, ALERT)).running
        assert await commands.retry_projection(postgres_dsn, "alert", "ana") == 0
        assert not (await advance(conn, ALERT)).running
        capsys.readouterr()
        assert await commands.list_projections(postgres_dsn, as_json=True) == 0
        rows = {row["projection"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}
        assert (rows["alert"]["status"], rows["alert"]["failed_at"]) == ("parked", position)
        assert await commands.skip_projection(postgres_dsn, "alert", "ana", "a year beyond all calendars") == 0
        assert (await advance(conn, ALERT)).running
    (skipped,) = await folded.read(1, types=["ProjectionSkipped"])
    assert json.loads(skipped.data)["position"] == position


async def test_an_account_of_the_past(folded: EventLog, postgres_dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert await show_account_at(postgres_dsn, "acc-1", position=60, as_json=True) == 0
    past = json.loads(capsys.readouterr().out)
    assert (past["pos"], past["risk"]["account_id"]) == (60, "acc-1")
    assert await show_account_at(postgres_dsn, "acc-1", position=0) == 1
    assert await show_account_at(postgres_dsn, "nobody", position=60) == 1
