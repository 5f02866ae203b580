"""Read-only is kept below the screens: by the ports, and under them by the database itself."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, get_type_hints

import asyncpg
import pytest

from core.cases.commands import list_accounts, snooze_rule
from core.cli_log import read_only
from core.eventlog import EventLog, Meta
from core.failures import explain
from core.projections import PROJECTIONS
from core.projections.commands import prove_projections
from core.projections.runner import catch_up
from core.rules.backtest import Backtest
from schema import events
from tests.tui.fakes import alert
from tui.adapters.accounts import LogAccounts
from tui.adapters.connect import real_ports
from tui.adapters.database import Database
from tui.adapters.read_only import (
    REFUSED,
    ReadOnlyCluster,
    ReadOnlyCommands,
    ReadOnlyEvents,
    ReadOnlyKsql,
    ReadOnlyWorkers,
)
from tui.adapters.twin import Twin
from tui.ports import CommandsPort, SqlProblem, Unavailable, Verdict
from tui.profile import Profile
from tui.recording.calls import PROTOCOLS


@pytest.fixture
async def database(postgres_dsn: str) -> AsyncIterator[Database]:
    made = Database(read_only=True)
    await made.open(postgres_dsn)
    yield made
    await made.close()


_ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "launch": ("velocity_burst", 1),
    "stop_run": ("run-1",),
    "set_traffic": (10,),
    "case": ("claim", alert(1), "", 0),
    "snooze": ("high_amount", "acc-1", 0, "r"),
    "list_party": ("block", "merchant", "m-1", "r"),
    "switch_rule": ("pause", "high_amount"),
}


async def test_no_command_writes(database: Database, pool: Any) -> None:
    commands = ReadOnlyCommands(database, "ana")
    every = [name for name, _ in inspect.getmembers(CommandsPort, inspect.isfunction) if not name.startswith("_")]
    assert sorted(_ARGUMENTS) == sorted(every), "a command that this test does not know"
    for name in every:
        assert await getattr(commands, name)(*_ARGUMENTS[name]) == REFUSED
    assert await pool.fetchval("select count(*) from log.event") == 0


async def test_not_even_a_fault_of_ours_writes(database: Database) -> None:
    blocked = events.AccountBlocked(account_id="acc-1", reason="r")
    with pytest.raises(Exception, match=r"read-only transaction|permission denied"):
        await database.log.append("account-acc-1", [blocked], meta=Meta(actor="ana"))
    with pytest.raises(Unavailable, match=r"read-only transaction|permission denied"):
        await database.fetch("update ops.dead_letter set status = 'open'")


async def test_the_account_as_it_stood_needs_no_right_to_write(database: Database, pool: Any, log: EventLog) -> None:
    paid = events.PaymentDecided(
        transaction_id="t1", account_id="acc-1", amount=100, decision="approve", score=0, event_time=1_784_556_134_000
    )
    await log.append("account-acc-1", [paid], meta=Meta(actor="w"))
    async with pool.acquire() as conn:
        for projection in PROJECTIONS:
            await catch_up(conn, projection, 1)
    assert (await LogAccounts(database).as_of("acc-1", 1)).payments == 1
    with pytest.raises(Unavailable, match=r"read-only transaction|permission denied"):
        await database.fetch("delete from ops.dead_letter")


async def test_the_command_line_is_refused_by_the_database_too(
    postgres_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    looking = read_only(postgres_dsn)
    assert await list_accounts(looking, 10, as_json=True) == 0
    assert await prove_projections(looking, ["alert"], as_json=False) == 0
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError) as refused:
        await snooze_rule(looking, "high_amount", "acc-1", 60_000, "ana", "reason")
    assert explain(refused.value) == (1, "read-only: nothing was changed")
    assert "alert: equal" in capsys.readouterr().out


@pytest.mark.parametrize(
    "sql",
    [
        "DROP STREAM s;",
        "SHOW STREAMS; DROP STREAM s;",
        "-- SELECT\n insert into s values (1);",
        "/* SHOW */ TERMINATE ALL;",
        "create stream a as select * from b;",
        "RUN SCRIPT 'x';",
    ],
)
async def test_ksqldb_is_only_looked_at(sql: str) -> None:
    with pytest.raises(SqlProblem, match="read-only"):
        await ReadOnlyKsql().run(sql, {})


@pytest.mark.parametrize("sql", ["SHOW STREAMS;", "-- why\nselect * from s emit changes;", "EXPLAIN q;"])
async def test_looking_gets_through_to_the_server(sql: str) -> None:
    with pytest.raises(Unavailable, match="not connected yet"):
        await ReadOnlyKsql().run(sql, {})


async def test_kafka_and_the_log_are_only_looked_at() -> None:
    database, twin = Database(read_only=True), Twin()
    cluster, log = ReadOnlyCluster(database, twin, "ana"), ReadOnlyEvents(database, twin, "ana")
    assert await cluster.produce("transactions", None, b"x") == REFUSED
    assert await cluster.requeue(1) == await cluster.discard(1, "r") == REFUSED
    assert await log.rebuild("alert", print) == await log.verify(print) == REFUSED
    assert await log.retry("alert") == await log.skip("alert", "r") == REFUSED


def test_every_method_that_changes_something_is_refused_by_a_port_of_its_own() -> None:
    changing = {
        (port, name)
        for port, protocol in PROTOCOLS.items()
        for name, method in inspect.getmembers(protocol, inspect.isfunction)
        if get_type_hints(method, localns={"Backtest": Backtest}).get("return") == Verdict
    }
    twins = {"ksql": ReadOnlyKsql, "cluster": ReadOnlyCluster, "eventlog": ReadOnlyEvents, "workers": ReadOnlyWorkers}
    looking = {("eventlog", "prove")}  # only compares
    assert {(port, name) for port, name in changing if name not in vars(twins[port])} == looking


async def test_a_read_only_profile_gets_these_ports_and_hosts_no_worker(tmp_path: Path) -> None:
    def never() -> Any:
        raise AssertionError("settings are read when the stack is opened")

    ports = real_ports(never, Profile("production", "red", read_only=True))
    assert (ports.environment, ports.color, ports.mode()) == ("production", "red", "READ-ONLY")
    assert await ports.commands.set_traffic(1) == REFUSED
    assert await ports.workers.scale(2) == await ports.workers.restart(1) == REFUSED
    assert await ports.ksql.terminate("q") == REFUSED
    assert list(ports.workers.hosted()) == []
