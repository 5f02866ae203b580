"""Rules on a real PostgreSQL: activity, quality, overlap, switching; a backtest in its own process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from core.eventlog import EventLog, Meta
from core.projections import PROJECTIONS
from core.projections.runner import catch_up
from core.rules.activity_commands import show_activity, show_overlap
from schema import events
from tui.adapters.commands import LogCommands
from tui.adapters.database import Database
from tui.adapters.ksql import ClientKsql
from tui.adapters.rules import LogRules
from tui.ports import Done, Unavailable
from tui.screens.rules.port import Trial

HOUR_MS = 3_600_000
START_MS = 1_784_556_000_000


@pytest.fixture
async def database(postgres_dsn: str) -> AsyncIterator[Database]:
    made = Database()
    await made.open(postgres_dsn)
    yield made
    await made.close()


def _alert(number: int, rule: str, hour: int, transactions: tuple[str, ...]) -> tuple[str, events.Event]:
    at = START_MS + hour * HOUR_MS
    raised = events.AlertRaised(
        alert_id=f"{rule}-{number}",
        rule_id=rule,
        account_id="acc-1",
        incident_start=at,
        incident_end=at,
        event_time=at,
        score=500,
        decision="review",
        severity="warning",
        amount=10_000,
        transactions=transactions,
    )
    return f"alert-{rule}-{number}", raised


async def _history(log: EventLog, pool: Any) -> None:
    """One rule raises three alerts in two hours, another one; a person judged one, labels say the rest."""
    for stream, event in (
        _alert(1, "velocity", 0, ("t1", "t2")),
        _alert(2, "velocity", 2, ("t3",)),
        _alert(3, "velocity", 2, ("t4",)),
        _alert(1, "amount", 1, ("t2", "t5")),
    ):
        await log.append(stream, [event], meta=Meta(actor="worker 1"))
    dismissed = events.CaseDismissed(case_id="velocity-3", operator="ana", reason="known shop")
    await log.append("case-velocity-3", [dismissed], meta=Meta(actor="ana"))
    await pool.executemany(
        "insert into detection.label (transaction_id, account_id, is_fraud, known_at) values ($1, 'acc-1', $2, now())",
        [("t1", True), ("t2", True), ("t3", False), ("t9", True)],
    )
    async with pool.acquire() as conn:
        for projection in PROJECTIONS:
            await catch_up(conn, projection, 1)


async def test_activity_by_the_hour_ends_with_the_newest_alert(database: Database, pool: Any, log: EventLog) -> None:
    port = LogRules(database, ClientKsql())
    assert (await port.activity(3)).rules == ()
    await _history(log, pool)
    busy = await port.activity(3)
    found = {one.rule_id: one for one in busy.rules}
    assert (found["velocity"].by_hour, found["amount"].by_hour) == ((1, 0, 2), (0, 1, 0))
    assert (found["velocity"].alerts, found["velocity"].open, found["velocity"].dismissed) == (3, 2, 1)
    assert (found["velocity"].judged, found["amount"].judged) == (0.0, None)
    assert busy.until is not None
    assert busy.until > START_MS + 2 * HOUR_MS
    assert (await port.activity(1)).rules[1].by_hour == (2,)


async def test_quality_counts_what_labels_and_people_say(database: Database, pool: Any, log: EventLog) -> None:
    await _history(log, pool)
    found = {one.rule_id: one for one in await LogRules(database, ClientKsql()).quality()}
    velocity = found["velocity"]
    assert (velocity.known, velocity.fraud, velocity.found, velocity.frauds) == (3, 1, 2, 3)
    assert velocity.precision == pytest.approx(1 / 3)
    assert velocity.recall == pytest.approx(2 / 3)
    assert (found["amount"].known, found["amount"].fraud, found["amount"].found) == (1, 1, 1)


async def test_overlap_counts_payments_that_two_rules_name(database: Database, pool: Any, log: EventLog) -> None:
    await _history(log, pool)
    found = await LogRules(database, ClientKsql()).overlap()
    assert (found.rules, found.shared) == (("amount", "velocity"), ((2, 1), (1, 4)))


async def test_a_switch_is_an_event_that_the_keeper_reads(database: Database, log: EventLog) -> None:
    commands = LogCommands(database, "ana")
    for act in ("deploy", "pause", "resume", "undeploy"):
        assert isinstance(await commands.switch_rule(act, "high_amount"), Done)
    history = [recorded.event for recorded in await log.read_stream("rule-high_amount")]
    assert [type(event).__name__ for event in history] == ["RuleWanted", "RulePaused", "RuleResumed", "RuleWanted"]


async def test_without_a_server_rules_are_listed_with_an_unknown_state(database: Database) -> None:
    found = {rule.id: rule for rule in await LogRules(database, ClientKsql()).catalogue()}
    assert found["high_velocity"].status == "unknown"
    assert "HOPPING" in found["high_velocity"].sql
    assert any(rule.kind == "feature" for rule in found.values())


async def test_a_backtest_runs_over_the_database_and_says_what_it_cannot_read(database: Database, pool: Any) -> None:
    port = LogRules(database, ClientKsql())
    with pytest.raises(Unavailable, match="backtest"):
        await port.backtest(Trial("high_amount", file="/no/such/file.csv"), lambda note: None)
    await pool.execute(
        'insert into read.payment (transaction_id, account_id, amount, event_time, partition, "offset", decision,'
        " score) select 't' || n, 'acc-' || n % 3, n * 100000, now() - interval '1 hour', 0, n, 'approve', 0"
        " from generate_series(1, 9) n"
    )
    notes: list[str] = []
    done = await port.backtest(Trial("high_amount", last_ms=24 * HOUR_MS), notes.append)
    assert (done.transactions, done.alerts, done.flagged) == (9, 3, 6)


async def test_the_commands_print_the_same(
    pool: Any, log: EventLog, postgres_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await show_activity(postgres_dsn, 3, as_json=True) == 1
    assert await show_overlap(postgres_dsn, as_json=True) == 1
    await _history(log, pool)
    capsys.readouterr()
    assert await show_activity(postgres_dsn, 3, as_json=True) == 0
    amount, velocity = (msgspec.json.decode(line) for line in capsys.readouterr().out.splitlines())
    assert (amount["rule_id"], velocity["by_hour"], velocity["recall"]) == ("amount", [1, 0, 2], 0.6667)
    assert await show_overlap(postgres_dsn, as_json=True) == 0
    assert msgspec.json.decode(capsys.readouterr().out.splitlines()[0])["payments"] == 1
