"""Accounts on a real PostgreSQL: the risk table, the timeline, the account as it stood, the lists."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from core.cases.account_commands import show_lists, show_timeline
from core.cases.policy import set_policy
from core.eventlog import EventLog, Meta
from core.projections import PROJECTIONS
from core.projections.runner import catch_up
from schema import events
from tui.adapters.accounts import LogAccounts
from tui.adapters.commands import LogCommands
from tui.adapters.database import Database
from tui.ports import Done, Refused
from tui.screens.accounts.port import ORDERS

NOW_MS = 1_784_556_134_000


@pytest.fixture
async def database(postgres_dsn: str) -> AsyncIterator[Database]:
    made = Database()
    await made.open(postgres_dsn)
    yield made
    await made.close()


def _payment(number: int, account: str = "acc-1", revision: int = 0, decision: str = "approve") -> events.Event:
    points = {"approve": 10, "review": 640, "block": 950}[decision]
    return events.PaymentDecided(
        transaction_id=f"t{number}",
        account_id=account,
        amount=10_000 * number,
        decision=decision,
        score=points,
        event_time=NOW_MS + number * 60_000,
        revision=revision,
        signals=(events.Signal(id="high_amount", points=points, reason="much"),),
        merchant_id="m-1",
        channel="PIX",
    )


async def _history(log: EventLog, pool: Any) -> None:
    """Two payments, the second of them reviewed after an alert, confirmed by a person; then a block."""
    meta = Meta(actor="worker 1")
    await log.append("account-acc-1", [_payment(1), _payment(2)], meta=meta)
    await log.append("account-acc-2", [_payment(3, "acc-2")], meta=meta)
    await log.append("account-acc-1", [_payment(2, revision=1, decision="review")], meta=meta)
    raised = events.AlertRaised(
        alert_id="a1",
        rule_id="high_amount",
        account_id="acc-1",
        incident_start=NOW_MS,
        incident_end=NOW_MS,
        event_time=NOW_MS + 120_000,
        score=640,
        decision="review",
        severity="warning",
        amount=20_000,
        txn_count=1,
        transactions=("t2",),
    )
    await log.append("alert-a1", [raised], meta=meta)
    await log.append(
        "case-a1", [events.CaseConfirmed(case_id="a1", operator="ana", reason="called")], meta=Meta(actor="ana")
    )
    blocked = events.AccountBlocked(account_id="acc-1", reason="takeover")
    await log.append("account-acc-1", [blocked], meta=Meta(actor="ana"))
    await _project(pool)


async def test_accounts_by_every_order(database: Database, pool: Any, log: EventLog) -> None:
    await _history(log, pool)
    port = LogAccounts(database)
    first = (await port.riskiest("risk", 10))[0]
    assert (first.account_id, first.payments, first.frauds, first.rate) == ("acc-1", 2, 1, 50.0)
    assert (first.amount, first.blocked) == (30_000, "takeover")
    for order in ORDERS:
        assert {row.account_id for row in await port.riskiest(order, 10)} == {"acc-1", "acc-2"}
    assert [row.account_id for row in await port.find("acc-2", 10)] == ["acc-2"]
    assert await port.profile("nobody") is None


async def test_the_timeline_tells_payments_decisions_alerts_cases_and_actions(
    database: Database, pool: Any, log: EventLog
) -> None:
    await _history(log, pool)
    moments = await LogAccounts(database).timeline("acc-1", 100)
    assert [moment.kind for moment in moments] == ["payment", "payment", "decision", "alert", "case", "action"]
    assert [moment.position for moment in moments] == sorted(moment.position for moment in moments)
    assert moments[2].what == "now review: high_amount"
    assert (moments[4].what, moments[4].actor) == ("confirmed: called", "ana")
    assert [moment.kind for moment in await LogAccounts(database).timeline("acc-1", 2)] == ["case", "action"]


async def test_the_account_as_it_stood(database: Database, pool: Any, log: EventLog) -> None:
    await _history(log, pool)
    port = LogAccounts(database)
    moments = await port.timeline("acc-1", 100)
    before = await port.as_of("acc-1", moments[1].position)
    assert (before.payments, before.frauds, before.amount, before.alerts) == (2, 0, 30_000, ())
    after = await port.as_of("acc-1", moments[-1].position)
    assert (after.payments, after.frauds, after.frauds_known) == (2, 1, 1)
    assert [alert.status for alert in after.alerts] == ["confirmed"]
    assert await port.position_at(int(datetime.now(UTC).timestamp() * 1000) + 1000) >= moments[-1].position
    assert await port.position_at(0) == 0


async def test_parties_come_on_lists_and_off_them(database: Database, pool: Any, log: EventLog) -> None:
    commands, port = LogCommands(database, "ana"), LogAccounts(database)
    for act, kind, party in (("block", "merchant", "m-1"), ("allow", "device", "d-1"), ("block", "account", "acc-1")):
        assert isinstance(await commands.list_party(act, kind, party, "reason"), Done)
    await _project(pool)
    listed = await port.lists(10)
    assert [(row.effect, row.kind, row.party, row.actor) for row in listed] == [
        ("block", "account", "acc-1", "ana"),
        ("allow", "device", "d-1", "ana"),
        ("block", "merchant", "m-1", "ana"),
    ]
    for act, kind, party in (
        ("unblock", "merchant", "m-1"),
        ("disallow", "device", "d-1"),
        ("unblock", "account", "acc-1"),
    ):
        assert isinstance(await commands.list_party(act, kind, party, "reason"), Done)
    await _project(pool)
    assert await port.lists(10) == []


async def test_under_four_eyes_a_block_is_proposed_and_another_operator_settles_it(
    database: Database, pool: Any, log: EventLog
) -> None:
    await _history(log, pool)
    await set_policy(log, events.CasePolicySet(four_eyes=True, operator="boss"))
    ports, ana, bia = LogAccounts(database), LogCommands(database, "ana"), LogCommands(database, "bia")
    done = await ana.list_party("block", "account", "acc-2", "odd")
    assert isinstance(done, Done)
    assert "another operator approves it" in done.text
    assert isinstance(await ana.list_party("block", "merchant", "m-1", "skimmer"), Done)
    await _project(pool)
    assert [(entry.effect, entry.kind, entry.party, entry.actor) for entry in await ports.lists(10)][:2] == [
        ("proposed", "merchant", "m-1", "ana"),
        ("proposed", "account", "acc-2", "ana"),
    ]
    profile = await ports.profile("acc-2")
    assert profile is not None
    assert (profile.blocked, profile.proposed) == ("", "odd (ana)")
    own = await ana.list_party("approve", "account", "acc-2", "")
    assert isinstance(own, Refused)
    assert "somebody else must approve" in own.text
    assert isinstance(await bia.list_party("approve", "account", "acc-2", ""), Done)
    assert isinstance(await bia.list_party("refuse", "merchant", "m-1", "our own canteen"), Done)
    late = await ana.list_party("refuse", "account", "acc-2", "no")
    assert isinstance(late, Refused)
    assert late.text == "nobody has proposed to block account acc-2 (bia had it blocked: odd)"
    await _project(pool)
    assert [(entry.effect, entry.party) for entry in await ports.lists(10) if entry.kind != "device"][:1] == [
        ("block", "acc-2")
    ]
    profile = await ports.profile("acc-2")
    assert profile is not None
    assert (profile.blocked, profile.proposed) == ("odd", "")


async def _project(pool: Any) -> None:
    async with pool.acquire() as conn:
        for projection in PROJECTIONS:
            await catch_up(conn, projection, 1)


async def test_the_commands_print_the_same(
    pool: Any, log: EventLog, postgres_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await _history(log, pool)
    assert await show_timeline(postgres_dsn, "acc-1", 100, as_json=True) == 0
    rows = [msgspec.json.decode(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["kind"] for row in rows][-3:] == ["alert", "case", "action"]
    assert await show_lists(postgres_dsn, as_json=True) == 0
    assert msgspec.json.decode(capsys.readouterr().out)["party"] == "acc-1"
    assert await show_timeline(postgres_dsn, "nobody", 100, as_json=False) == 1
