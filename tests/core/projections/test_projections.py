"""Projections equal a plain fold of the log however it is cut, park alone, rebuild under readers, and are proven."""

from __future__ import annotations

import asyncio
import dataclasses
import random
from typing import Any, get_type_hints

import asyncpg
import msgspec
import pytest

from core.eventlog import EventLog, Meta
from core.projections import PROJECTIONS, audit, parked
from core.projections.account_risk import ACCOUNT_RISK
from core.projections.alert import ALERT
from core.projections.prove import prove, ranges
from core.projections.rebuild import rebuild, renew
from core.projections.runner import Runner, advance, pass_over
from core.projections.standing import standings
from schema import events
from tests.core.projections import plain
from tests.core.projections.stories import META, story


async def advance_all(conn: Any, limit: int = 1_000_000) -> None:
    for projection in PROJECTIONS:
        while (step := await advance(conn, projection, limit=limit)).pos < step.head:
            assert step.running, await standings(conn)


@pytest.mark.parametrize("seed", range(6))
async def test_a_fold_does_not_depend_on_how_the_log_is_cut(log: EventLog, pool: Any, seed: int) -> None:
    await log.append_many(story(seed))
    dice = random.Random(seed)
    async with pool.acquire() as conn:
        await advance_all(conn, limit=dice.randrange(1, 12))
        for projection in PROJECTIONS:
            proof = await prove(conn, projection)
            assert proof.equal, proof.differences
            assert proof.pos == await log.head()
        found = await conn.fetch(
            "select account_id, total_transactions, fraud_transactions, total_amount from read.account_risk"
        )
    assert {row[0]: tuple(row[1:]) for row in found} == plain.risk(await log.read(1))


@pytest.mark.parametrize("seed", range(4))
async def test_projections_equal_the_plainest_folds(log: EventLog, pool: Any, seed: int) -> None:
    await log.append_many(story(40 + seed, 200))
    whole = await log.read(1)
    async with pool.acquire() as conn:
        await advance_all(conn, limit=50)
        entries = await conn.fetch("select * from read.list_entry")
        assert {
            (r["list"], r["kind"], r["party"], r["rule_id"]): (r["active"], r["reason"], r["first_pos"])
            for r in entries
        } == plain.lists(whole)
        stats = await conn.fetch("select * from read.rule_stat")
        assert {
            (r["rule_id"], r["version"], r["hour"]): {k: r[k] for k in plain.COUNTED if r[k]} for r in stats
        } == plain.rule_stats(whole)
        minutes = await conn.fetch("select * from read.throughput_minute")
        assert {r["minute"]: {k: r[k] for k in plain.FLOW if r[k]} for r in minutes} == plain.throughput(whole)
        audit = await conn.fetch("select pos, action from read.audit order by pos")
        assert [tuple(row) for row in audit] == plain.acts(whole)
        alerts = await conn.fetch("select alert_id, status, assignee from read.alert where status <> 'open'")
        cases = await conn.fetch("select case_id, status, assignee from read.cases where status <> 'open'")
        standing = {case: it for case, it in plain.statuses(whole).items() if it[0] != "open"}
        assert {row[0]: (row[1], row[2]) for row in alerts} == standing
        assert {row[0]: (row[1], row[2]) for row in cases} == standing
        switched = {r["rule_id"]: (r["version"], r["paused"]) for r in await conn.fetch("select * from read.rule")}
        assert switched == plain.rules(whole)


async def test_a_corrupted_row_is_named(log: EventLog, pool: Any) -> None:
    await log.append_many(story(1))
    async with pool.acquire() as conn:
        await advance_all(conn)
        await conn.execute("update read.account_risk set total_amount = total_amount + 1 where account_id = 'acc-2'")
        await conn.execute("delete from read.account_risk where account_id = 'acc-3'")
        proof = await prove(conn, ACCOUNT_RISK)
        assert not proof.equal
        assert [(d.key, d.live is None) for d in proof.differences] == [("acc-2", False), ("acc-3", True)]
        assert proof.differing == 2
        assert (await prove(conn, ALERT)).equal


async def test_a_poison_event_parks_its_projection_alone(log: EventLog, pool: Any) -> None:
    await log.append("alert-x", [_alert("x", "r", 5)], meta=META)
    async with pool.acquire() as conn, conn.transaction():
        base = await conn.fetchval("select log.advance(array['alert-y'], array[1], 1)")
        await conn.execute(
            "insert into log.event (pos, stream, version, type, schema_ver, data, meta)"
            """ values ($1, 'alert-y', 1, 'AlertRaised', 1, '{"alert_id": "y", "score": "many"}', '{}')""",
            base + 1,
        )
    await log.append("alert-z", [_alert("z", "r", 7)], meta=META)
    running = asyncio.create_task(Runner(pool, log).run())
    try:
        async with pool.acquire() as conn:
            while (by_name := {s.name: s for s in await standings(conn)})["alert"].status != "parked":
                assert not running.done()
            while by_name["account_risk"].pos < 3:
                by_name = {s.name: s for s in await standings(conn)}
            assert by_name["alert"].failed_pos == 2
            assert "many" in (by_name["alert"].failed_reason or "")
            assert by_name["alert"].lag_events == 2
            assert by_name["alert"].lag_s > 0
            assert [row["alert_id"] for row in await conn.fetch("select alert_id from read.alert")] == ["x"]
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_an_event_of_a_newer_version_parks_with_its_position(log: EventLog, pool: Any) -> None:
    await log.append("alert-x", [_alert("x", "r", 5)], meta=META)
    async with pool.acquire() as conn:
        async with conn.transaction():
            base = await conn.fetchval("select log.advance(array['alert-y'], array[1], 1)")
            await conn.execute(
                "insert into log.event (pos, stream, version, type, schema_ver, data, meta)"
                " values ($1, 'alert-y', 1, 'AlertRaised', 2, '{}', '{}')",
                base + 1,
            )
        assert (await advance(conn, ALERT)).pos == 1
        assert not (await advance(conn, ALERT)).running
        (standing,) = (s for s in await standings(conn) if s.name == "alert")
        assert (standing.status, standing.failed_pos) == ("parked", 2)
        assert "newer version" in (standing.failed_reason or "")


async def test_a_range_without_an_event_for_it_is_passed_over(log: EventLog, pool: Any) -> None:
    await log.append("case-x", [events.CaseNoted(case_id="x", operator="o", text="")] * 3, meta=META)
    async with pool.acquire() as conn:
        step = await pass_over(conn, ALERT)
        assert step is not None
        assert (step.pos, step.head) == (3, 3)
        assert await pass_over(conn, ALERT) is None, "there is nothing more"
        await log.append("alert-x", [_alert("x", "r", 5)], meta=META)
        assert await pass_over(conn, ALERT) is None, "there is something to fold"
        assert [s.pos for s in await standings(conn) if s.name == "alert"] == [3]


async def test_two_runners_fold_each_event_once(log: EventLog, pool: Any) -> None:
    other = EventLog(pool)
    runners = [asyncio.create_task(Runner(pool, each).run()) for each in (log, other)]
    for item in story(3, 200):
        await log.append(item.stream, item.events, meta=META)
    async with pool.acquire() as conn:
        while any(s.lag_events for s in await standings(conn)):
            assert not any(runner.done() for runner in runners)
        for projection in PROJECTIONS:
            assert (await prove(conn, projection)).equal
    for runner in runners:
        runner.cancel()
    await asyncio.gather(*runners, return_exceptions=True)
    await other.close()


async def test_a_rebuild_changes_over_under_readers_and_writers(log: EventLog, pool: Any, postgres_dsn: str) -> None:
    await log.append_many(story(4, 400))
    running = asyncio.create_task(Runner(pool, log).run())
    stop = asyncio.Event()
    reads = 0

    async def read() -> None:
        nonlocal reads
        last = 0
        while not stop.is_set():
            total = await pool.fetchval("select coalesce(sum(total_transactions), 0) from account_risk_profile")
            assert total >= last, "a reader saw an older or a half-built generation"
            last, reads = total, reads + 1

    async def write() -> None:
        for item in story(5, 200):
            if item.stream.startswith("account-"):
                await log.append(item.stream, item.events, meta=META)

    conn = await asyncpg.connect(postgres_dsn)
    while any(s.lag_events for s in await standings(conn)):
        assert not running.done()
    reading = asyncio.create_task(read())
    writing = asyncio.create_task(write())
    generation = await rebuild(conn, ACCOUNT_RISK)
    await writing
    stop.set()
    await reading
    assert generation == 2
    assert reads > 0
    while any(s.lag_events for s in await standings(conn)):
        assert not running.done()
    assert (await prove(conn, ACCOUNT_RISK)).equal
    assert [(s.generation, s.live) for s in await standings(conn) if s.name == "account_risk"] == [(2, True)]
    assert await conn.fetchval("select to_regnamespace('p_account_risk_1')") is None
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await conn.close()


async def test_every_projection_is_rebuilt_under_load_and_then_proven(
    log: EventLog, pool: Any, postgres_dsn: str
) -> None:
    await log.append_many(story(20, 300))
    running = asyncio.create_task(Runner(pool, log).run())
    tables = [table for projection in PROJECTIONS for table in projection.published]
    stop = asyncio.Event()

    async def read() -> None:
        while not stop.is_set():
            for table in tables:
                await pool.fetch(f"select * from read.{table} limit 5")

    async def write() -> None:
        seed = 21
        while not stop.is_set():
            for item in story(seed, 40):
                await log.append(item.stream, item.events, meta=META)
            seed += 1

    busy = [asyncio.create_task(read()), asyncio.create_task(write())]
    conn = await asyncpg.connect(postgres_dsn)
    for projection in PROJECTIONS:
        assert await rebuild(conn, projection) == 2
        assert not any(task.done() for task in (*busy, running))
        proof = await prove(conn, projection)
        assert proof.equal, proof.differences
    stop.set()
    await asyncio.gather(*busy)
    while any(s.lag_events for s in await standings(conn)):
        assert not running.done()
    for projection in PROJECTIONS:
        assert (await prove(conn, projection)).equal
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await conn.close()


async def test_a_cancelled_rebuild_goes_on_where_it_stopped(
    log: EventLog, pool: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.projections.rebuild._RANGE", 40)
    monkeypatch.setattr("core.projections.rebuild._NEAR", 10)
    await log.append_many(story(6, 200))
    async with pool.acquire() as conn:
        await advance_all(conn)

        def interrupt(pos: int, head: int) -> None:
            if pos >= 80:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            await rebuild(conn, ACCOUNT_RISK, interrupt)
        assert (await prove(conn, ACCOUNT_RISK)).equal, "the live one is untouched"
        reached: list[int] = []
        assert await rebuild(conn, ACCOUNT_RISK, lambda pos, head: reached.append(pos)) == 2
        assert reached[0] == 120
        assert (await prove(conn, ACCOUNT_RISK)).equal


async def test_tables_of_an_older_version_are_rebuilt_and_not_folded_into(
    log: EventLog, pool: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await log.append_many(story(7, 60))
    async with pool.acquire() as conn:
        await advance_all(conn)
        newer = dataclasses.replace(ALERT, version=2)
        monkeypatch.setattr("core.projections.rebuild.PROJECTIONS", [newer])
        await log.append_many(story(8, 60))
        assert not (await advance(conn, newer)).running
        assert await pass_over(conn, newer) is None
        assert await renew(conn) == ["alert"]
        assert await renew(conn) == []
        assert (await prove(conn, newer)).equal
        assert await conn.fetchval("select version from ops.projection where name = 'alert' and live") == 2
        assert not (await advance(conn, ALERT)).running, "the older program leaves the newer tables alone"


async def test_what_was_passed_over_is_passed_over_by_the_proof(log: EventLog, pool: Any) -> None:
    async with pool.acquire() as conn:
        beyond = msgspec.structs.replace(_alert("bad", "r", 5), incident_start=10**17)
        await log.append("alert-bad", [beyond], meta=META)
        await log.append("alert-good", [_alert("good", "r", 5)], meta=META)
        assert not (await advance(conn, ALERT)).running
        assert await parked.skip(conn, ALERT, "ana", "a year beyond all calendars") == 1
        while (step := await advance(conn, ALERT)).pos < step.head:
            assert step.running
        proof = await prove(conn, ALERT)
        assert (proof.equal, proof.rows) == (True, 1)


@pytest.mark.parametrize("skipped", [[], [1], [10], [4, 5], [3, 30], [11]])
def test_ranges_leave_out_what_was_passed_over(skipped: list[int]) -> None:
    found = [position for after, upto in ranges(10, skipped, 3) for position in range(after + 1, upto + 1)]
    assert found == [position for position in range(1, 11) if position not in skipped]
    assert all(upto - after <= 3 for after, upto in ranges(10, skipped, 3))


def test_every_act_of_a_person_is_audited_and_nothing_else() -> None:
    machine = {
        "PaymentDecided",
        "AlertRaised",
        "AlertExtended",
        "ScenarioClaimed",
        "ScenarioSent",
        "ScenarioScored",
        "ScenarioFailed",
        "RuleDeployed",
    }
    ours = {name for name, (_, event) in events.REGISTRY.items() if event.__module__ == "schema.events"}
    assert ours & set(audit.TYPES) == ours - machine


async def test_every_kind_of_act_becomes_a_row_that_names_who_did_what_to_whom(log: EventLog, pool: Any) -> None:
    given = {str: "x", int: 7, bool: True, tuple[str, ...]: ("x",)}
    for name in sorted(audit.TYPES):
        cls = events.REGISTRY[name][1]
        hints = get_type_hints(cls)
        act = cls(**{field.name: given[hints[field.name]] for field in msgspec.structs.fields(cls) if field.required})
        await log.append(f"stream-{name}", [act], meta=Meta(actor="ana"))
    async with pool.acquire() as conn:
        await advance(conn, audit.AUDIT)
        rows = await conn.fetch("select action, actor, subject, stream from read.audit order by pos")
    assert [row["action"] for row in rows] == sorted(audit.TYPES)
    assert {row["actor"] for row in rows} == {"ana"}
    nobodys = {row["action"] for row in rows if row["subject"] == row["stream"]}
    assert nobodys == {"CasePolicySet", "LogArchived", "LogRestored", "LogVerified", "TrafficRateSet"}


async def test_a_persons_word_reaches_the_payment_and_stays(log: EventLog, pool: Any) -> None:
    async with pool.acquire() as conn:
        await conn.execute(
            "insert into read.payment"
            ' (transaction_id, account_id, amount, event_time, partition, "offset", decision, score) values'
            " ('t-1', 'acc-1', 123456, now(), 0, 0, 'approve', 10), ('t-2', 'acc-1', 50, now(), 0, 1, 'block', 900)"
        )
        await log.append("alert-a", [_alert("a", "r", 5, ("t-1", "t-2"))], meta=META)
        await log.append("case-a", [events.CaseConfirmed(case_id="a", operator="ana")], meta=META)
        await advance_all(conn)
        fraud = "select transaction_id, amount::text, is_fraud from transactions order by 1"
        assert [tuple(row) for row in await conn.fetch(fraud)] == [("t-1", "1234.56", True), ("t-2", "0.50", True)]
        await log.append(
            "case-a", [events.CaseDismissed(case_id="a", operator="ana", reason="her own card")], meta=META
        )
        await advance_all(conn)
        await conn.execute("update read.payment set decision = 'block', score = 990")
        assert [row["is_fraud"] for row in await conn.fetch(fraud)] == [False, False]
        await log.append("case-a", [events.CaseReopened(case_id="a", operator="bo")], meta=META)
        await advance_all(conn)
        assert [row["is_fraud"] for row in await conn.fetch(fraud)] == [True, True]


def _alert(alert_id: str, rule: str, score: int, transactions: tuple[str, ...] = ("t-1",)) -> events.AlertRaised:
    return events.AlertRaised(
        alert_id=alert_id,
        rule_id=rule,
        account_id="acc-1",
        incident_start=1,
        incident_end=2,
        event_time=1,
        score=score,
        decision="review",
        severity="high",
        transactions=transactions,
    )
