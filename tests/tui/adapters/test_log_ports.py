"""The ports over PostgreSQL, on a real database: alerts and stories, flow, scenarios, commands and their conflicts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec import structs

from core.eventlog import EventLog, Meta
from core.projections import PROJECTIONS
from core.projections.runner import catch_up
from schema import events
from tui.adapters.alerts import LogAlerts, rule_title
from tui.adapters.commands import LogCommands
from tui.adapters.database import Database
from tui.adapters.flow import LogFlow, detail_text
from tui.adapters.scenarios import LogScenarios, letters
from tui.ports import Done, Refused, Unavailable

NOW_MS = 1_784_556_134_000
META = Meta(actor="test")


@pytest.fixture
async def database(postgres_dsn: str) -> AsyncIterator[Database]:
    made = Database()
    await made.open(postgres_dsn)
    yield made
    await made.close()


async def _project(pool: Any) -> None:
    async with pool.acquire() as conn:
        for projection in PROJECTIONS:
            await catch_up(conn, projection, 1)


async def _raise_alert(log: EventLog, alert_id: str = "a1", transactions: tuple[str, ...] = ("t1", "t2")) -> None:
    raised = events.AlertRaised(
        alert_id=alert_id,
        rule_id="high_velocity",
        account_id="acc-1",
        incident_start=NOW_MS - 60_000,
        incident_end=NOW_MS,
        event_time=NOW_MS,
        score=950,
        decision="block",
        severity="critical",
        amount=81_240,
        txn_count=6,
        transactions=transactions,
        signals=(events.Signal(id="high_velocity", points=500, reason="too many", value=6.0, threshold=3.0),),
        sources=(events.Source(topic="fraud_alerts", partition=2, offset=7),),
        produced_at=NOW_MS - 40,
    )
    await log.append(f"alert-{alert_id}", [raised], meta=META)


async def test_an_alert_comes_with_its_reasons_and_sources(database: Database, pool: Any, log: EventLog) -> None:
    await _raise_alert(log)
    await _project(pool)
    (alert,) = await LogAlerts(database).newest(10)
    assert (alert.alert_id, alert.amount, alert.decision, alert.status) == ("a1", 81_240, "block", "open")
    assert [(signal.reason, signal.value, signal.threshold) for signal in alert.signals] == [("too many", 6.0, 3.0)]
    assert [(source.topic, source.offset) for source in alert.sources] == [("fraud_alerts", 7)]
    assert alert.event_time == NOW_MS


async def test_changes_are_found_by_position(database: Database, pool: Any, log: EventLog) -> None:
    ports = LogAlerts(database)
    await _raise_alert(log)
    await _project(pool)
    (alert,) = await ports.newest(10)
    assert await ports.changed_after(alert.last_pos, 10) == []
    done = await LogCommands(database, "ana").case("claim", alert, "", 0)
    assert isinstance(done, Done)
    await _project(pool)
    (changed,) = await ports.changed_after(alert.last_pos, 10)
    assert (changed.status, changed.assignee) == ("claimed", "ana")
    (act,) = await log.read_stream(f"case-{alert.alert_id}")
    assert (act.meta.correlation_id, act.meta.causation_id) == (alert.alert_id, f"event-{alert.last_pos}")
    assert act.meta.command_id is not None


async def test_a_story_holds_the_case_and_its_version(database: Database, pool: Any, log: EventLog) -> None:
    ports = LogAlerts(database)
    await _raise_alert(log)
    await _project(pool)
    (alert,) = await ports.newest(10)
    commands = LogCommands(database, "ana")
    await commands.case("claim", alert, "", 0)
    await commands.case("note", alert, "called the customer", 1)
    story = await ports.story("a1")
    assert story is not None
    assert story.case_version == 2
    assert [(event.type, event.actor, event.text) for event in story.history] == [
        ("CaseClaimed", "ana", ""),
        ("CaseNoted", "ana", "called the customer"),
    ]
    assert story.rule_title == "More than 3 payments within a minute"
    assert await ports.story("nothing") is None


async def test_of_two_operators_one_is_told(database: Database, pool: Any, log: EventLog) -> None:
    await _raise_alert(log)
    await _project(pool)
    (alert,) = await LogAlerts(database).newest(10)
    first = await LogCommands(database, "ana").case("confirm", alert, "", 0)
    second = await LogCommands(database, "bia").case("dismiss", alert, "known", 0)
    assert isinstance(first, Done)
    assert isinstance(second, Refused)
    assert second.text == "somebody was faster: ana confirmed fraud; nothing was written, look again"


async def test_a_claimed_case_is_not_claimed_again_and_a_decision_is_undone(
    database: Database, pool: Any, log: EventLog
) -> None:
    ports, ana, bia = LogAlerts(database), LogCommands(database, "ana"), LogCommands(database, "bia")
    await _raise_alert(log)
    await _project(pool)
    (alert,) = await ports.newest(1)
    claimed = await ana.case("claim", alert, "", 0)
    assert isinstance(claimed, Done)
    assert "u undoes it" in claimed.text
    await _project(pool)
    (alert,) = await ports.newest(1)
    assert await bia.case("claim", alert, "", 1) == Refused("the case is claimed by ana already")
    assert isinstance(await bia.case("dismiss", alert, "a friend", 1), Done)
    assert isinstance(await ana.case("reopen", alert, "she is no friend", 2), Done)
    await _project(pool)
    assert [row.status for row in await ports.newest(1)] == ["open"]


async def test_a_story_joins_rule_payments_log_and_what_stands(database: Database, pool: Any, log: EventLog) -> None:
    deployed = events.RuleDeployed(rule_id="high_velocity", version="7AC1", sql_sha256="x")
    paid = events.PaymentDecided(
        transaction_id="t1", account_id="acc-1", amount=100, decision="block", score=950, event_time=NOW_MS
    )
    await log.append("rule-high_velocity", [deployed], meta=META)
    await log.append("account-acc-1", [paid, paid], meta=META)
    await _raise_alert(log)
    await log.append("rule-high_velocity", [structs.replace(deployed, version="later")], meta=META)
    snoozed = events.RuleSnoozed(
        rule_id="high_velocity", account_id="acc-1", until=NOW_MS + 1, operator="ana", reason="known"
    )
    await log.append("rule-high_velocity", [snoozed], meta=Meta(actor="ana"))
    await _project(pool)
    await pool.execute(
        "insert into read.payment (transaction_id, account_id, amount, event_time, produced_at, ingested_at, partition,"
        " \"offset\", decision, score) select t, 'acc-1', 100, raised_at - sent, raised_at - sent, raised_at - sent +"
        " interval '1 s', 1, 2, 'block', 950 from read.alert, (values ('t1', interval '5 s'),"
        " ('t8', interval '0.5 s'), ('t9', interval '0.1 s')) as p (t, sent)"
    )
    await pool.execute("update read.alert set event_time = raised_at, produced_at = raised_at")
    story = await LogAlerts(database).story("a1")
    assert story is not None
    assert (story.rule_version, story.rule_deployed is not None) == ("7AC1", True)
    assert [(payment.transaction_id, payment.position) for payment in story.payments] == [("t1", 3)]
    assert story.lag_then == 2
    assert [(entry.effect, entry.reason, entry.actor) for entry in story.standing] == [
        ("snooze", "high_velocity: known", "ana")
    ]
    assert isinstance(await LogCommands(database, "ana").snooze("high_velocity", "acc-1", 0, "awake"), Done)
    await _project(pool)
    story = await LogAlerts(database).story("a1")
    assert story is not None
    assert story.standing == ()


async def test_a_launch_is_a_request_in_the_log(database: Database, pool: Any) -> None:
    commands, scenarios = LogCommands(database, "ana"), LogScenarios(database)
    assert isinstance(await commands.launch("velocity_burst", 42), Done)
    assert isinstance(await commands.launch("no_such_thing", 42), Refused)
    await _project(pool)
    (run,) = await scenarios.runs(10)
    assert (run.scenario, run.seed, run.status, run.expected) == ("velocity_burst", 42, "requested", None)


async def test_a_run_carries_its_parameters_and_what_was_caught_so_far(
    database: Database, pool: Any, log: EventLog
) -> None:
    commands, scenarios = LogCommands(database, "ana"), LogScenarios(database)
    assert isinstance(await commands.launch("velocity_burst", 42, {"accounts": "0"}), Refused)
    knobs = {knob.name: knob for info in scenarios.catalogue() for knob in info.knobs if info.name == "velocity_burst"}
    name = next(name for name, knob in knobs.items() if knob.whole)
    assert isinstance(await commands.launch("velocity_burst", 42, {name: "4"}), Done)
    await _project(pool)
    (run,) = await scenarios.runs(10)
    assert run.parameters == {**{knob.name: knob.default for knob in knobs.values()}, name: 4}
    sent = events.ScenarioSent(
        run_id=run.run_id,
        transactions=20,
        fraud_transactions=12,
        expected=("acc-1", "acc-2"),
        accounts=("acc-1", "acc-2"),
        first_fraud_at=NOW_MS,
        last_fraud_at=NOW_MS,
    )
    await log.append(f"scenario-{run.run_id}", [sent], meta=META)
    await _raise_alert(log)  # of the account, but of other payments
    await _project(pool)
    (run,) = await scenarios.runs(10)
    assert (run.status, run.expected, run.caught) == ("sent", 2, 0)
    await _raise_alert(log, "a2", transactions=(f"tx-{run.run_id}-3",))
    await _project(pool)
    (run,) = await scenarios.runs(10)
    assert (run.expected, run.caught, run.missed) == (2, 1, None)


async def test_the_traffic_rate_is_the_last_one_asked_for(database: Database) -> None:
    commands, scenarios = LogCommands(database, "ana"), LogScenarios(database)
    assert await scenarios.traffic_rate() == 0
    await commands.set_traffic(200)
    await commands.set_traffic(50)
    assert await scenarios.traffic_rate() == 50


async def test_flow_reads_seconds_totals_and_workers(database: Database, pool: Any) -> None:
    await pool.execute(
        "insert into read.throughput_second (second, payments, approve, review, block, alerts, amount_blocked)"
        " values (date_trunc('second', now()), 10, 8, 1, 1, 1, 4200)"
    )
    await pool.execute(
        "insert into ops.worker_status (worker_id, task, state, detail, pid, host)"
        " values ('w1', 'consumer', 'running', '{\"lag\": 1204, \"parked\": []}', 1, 'box')"
    )
    flow = LogFlow(database)
    (second,) = await flow.seconds(0)
    assert (second.payments, second.block, second.latency_p99_ms) == (10, 1, None)
    totals = await flow.totals()
    assert (totals.money_stopped, totals.dead_letters) == (4_200, 0)
    (worker,) = await flow.workers()
    assert (worker.task, worker.detail) == ("consumer", "lag 1.204")


async def test_before_it_is_open_everything_is_unavailable() -> None:
    database = Database()
    with pytest.raises(Unavailable, match="not connected yet"):
        await LogFlow(database).totals()
    with pytest.raises(Unavailable, match="not connected yet"):
        await LogCommands(database, "ana").set_traffic(1)


async def test_a_lost_server_is_a_sentence(postgres_dsn: str) -> None:
    database = Database()
    with pytest.raises(Unavailable, match="PostgreSQL: "):
        await database.open(postgres_dsn.replace("/t_", "/no_such_database_"))


def test_every_scenario_gets_a_letter_of_its_own() -> None:
    given = letters(["high_amount", "velocity_burst", "high_velocity", "t", "q"])
    assert given["high_amount"] == "h"
    assert len(set(given.values())) == 5
    assert not set(given.values()) & {"t", "q"}


def test_details_leave_out_what_is_empty() -> None:
    assert detail_text({"lag": 0, "rate": 20.5, "parked": [], "runs": ["a", "b"], "error": None}) == (
        "lag 0, rate 20,5, runs a b"
    )


def test_only_files_of_ours_have_titles() -> None:
    assert rule_title("high_amount")
    assert rule_title("../../etc/passwd") == ""
