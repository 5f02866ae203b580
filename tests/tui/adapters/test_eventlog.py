"""The Log screen's port on a real PostgreSQL, long work through the real command line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from core.eventlog import EventLog, Meta, caused_by
from schema import events
from tui.adapters.database import Database
from tui.adapters.eventlog import LogEvents, streams_of
from tui.adapters.twin import Twin
from tui.ports import Done, Refused, Unavailable
from tui.screens.eventlog.port import Selection


@pytest.fixture
async def port(postgres_dsn: str, tmp_path: Path) -> AsyncIterator[LogEvents]:
    database, twin = Database(), Twin()
    await database.open(postgres_dsn)
    twin.open({"STREAMGUARD_POSTGRES": postgres_dsn, "STREAMGUARD_HOME": str(tmp_path)})
    made = LogEvents(database, twin, "ana")
    made.open(tmp_path / "seals.jsonl")
    yield made
    await database.close()


async def _fill(log: EventLog) -> None:
    meta = Meta(actor="ana", correlation_id="story-1")
    for number in range(3):
        await log.append(
            f"account-acc-{number}", [events.AccountBlocked(account_id=f"acc-{number}", reason="r")], meta=meta
        )
    await log.append("case-al-1", [events.CaseClaimed(case_id="al-1", operator="ana")], meta=meta)
    await log.append("case-al-1", [events.CaseNoted(case_id="al-1", operator="ana", text="t")], meta=Meta(actor="bo"))


async def test_newest_and_after_select_by_stream_and_type(port: LogEvents, log: EventLog) -> None:
    await _fill(log)
    tail = await port.newest(Selection(), 2)
    assert [entry.position for entry in tail.entries] == [4, 5]
    assert (tail.position, tail.head) == (5, 5)
    blocked = await port.newest(Selection("account-", ("AccountBlocked",)), 100)
    assert [entry.stream for entry in blocked.entries] == ["account-acc-0", "account-acc-1", "account-acc-2"]
    part = await port.after(0, Selection(), 2)
    assert ([entry.position for entry in part.entries], part.position) == ([1, 2], 2)
    rest = await port.after(2, Selection(types=("CaseNoted",)), 2)
    assert ([entry.position for entry in rest.entries], rest.position) == ([5], 5)
    assert (await port.after(5, Selection(), 2)).entries == ()


async def test_an_entry_and_its_relatives(port: LogEvents, log: EventLog) -> None:
    await _fill(log)
    entry = await port.entry(4)
    assert entry is not None
    assert (entry.type, entry.actor, entry.correlation, entry.version) == ("CaseClaimed", "ana", "story-1", 1)
    assert [other.position for other in await port.related(entry)] == [1, 2, 3, 4, 5]
    assert await port.entry(99) is None
    lonely = await port.entry(5)
    assert lonely is not None
    assert [other.position for other in await port.related(lonely)] == [4, 5]
    assert streams_of(entry) == ["case-al-1", "alert-al-1"]


async def test_an_event_leads_to_its_cause_and_to_what_it_caused(port: LogEvents, log: EventLog) -> None:
    await _fill(log)
    (cause,) = await log.read(5, limit=1)
    note = events.CaseNoted(case_id="far", operator="ana", text="because of it")
    await log.append("case-far", [note], meta=caused_by(cause, "worker w1"))
    effect, told = await port.entry(6), await port.entry(5)
    assert effect is not None
    assert told is not None
    assert 5 in [other.position for other in await port.related(effect)]
    assert 6 in [other.position for other in await port.related(told)]


async def test_standings_and_seals(port: LogEvents, log: EventLog) -> None:
    await _fill(log)
    standings = {standing.name: standing for standing in await port.standings()}
    assert standings["alert"].lag_events == 5
    assert standings["alert"].lag_ms > 0
    seals = await port.seals()
    assert (seals.seals, seals.sealed_to, seals.sealed_at, seals.head, seals.witnessed) == (0, 0, None, 5, 0)


async def test_long_work_runs_in_a_child_and_tells_its_outcome(port: LogEvents, log: EventLog, pool: Any) -> None:
    await _fill(log)
    notes: list[str] = []
    assert await port.rebuild("alert", notes.append) == Done("alert: generation 2 is live")
    assert notes[-1].startswith("alert: ")
    proof = await port.prove("alert", notes.append)
    assert isinstance(proof, Done)
    assert proof.text.startswith("alert: equal")
    verified = await port.verify(notes.append)
    assert isinstance(verified, Done)
    assert "as sealed" in verified.text
    assert isinstance(await port.retry("alert"), Refused)
    rebuilt = await pool.fetchval("select data ->> 'operator' from log.event where type = 'ProjectionRebuilt'")
    assert rebuilt == "ana"


async def test_a_database_that_is_not_there_is_said(tmp_path: Path) -> None:
    twin = Twin()
    port = LogEvents(Database(), twin, "ana")
    with pytest.raises(Unavailable, match="not there yet"):
        await port.verify(lambda note: None)
    twin.open({"STREAMGUARD_POSTGRES": "postgresql://nobody@127.0.0.1:1/x", "STREAMGUARD_HOME": str(tmp_path)})
    with pytest.raises(Unavailable):
        await port.verify(lambda note: None)


async def test_cancelling_ends_the_child(postgres_dsn: str, tmp_path: Path, pool: Any) -> None:
    twin = Twin()
    twin.open({"STREAMGUARD_POSTGRES": postgres_dsn, "STREAMGUARD_HOME": str(tmp_path)})
    task = asyncio.create_task(twin.run(["events", "--follow"]))
    busy = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
    before = await pool.fetchval(busy)
    async with asyncio.timeout(30):
        while await pool.fetchval(busy) <= before:
            await pool.fetchval("select pg_sleep(0.05)")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        while await pool.fetchval(busy) > before:
            await pool.fetchval("select pg_sleep(0.05)")
