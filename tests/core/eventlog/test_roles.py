"""Each role can do its task and nothing else; the log's schema holds against a DROP or ALTER by anyone's mistake."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from core.eventlog import EventLog, Item, Meta, roles
from core.eventlog.append import append_bulk
from core.eventlog.seal import seal
from core.eventlog.verify import verify
from core.projections import PROJECTIONS
from core.projections.account_risk import ACCOUNT_RISK
from core.projections.rebuild import rebuild
from core.projections.runner import advance
from schema.events import CaseNoted

META = Meta(actor="ana")
NOTE = CaseNoted(case_id="c", operator="o", text="x")


@pytest.fixture
async def conn(postgres_dsn: str) -> AsyncIterator[Any]:
    made = await asyncpg.connect(postgres_dsn)
    yield made
    await made.close()


async def test_a_writer_appends_and_reads_and_cannot_touch_what_is_written(conn: Any) -> None:
    await roles.assume(conn, roles.WRITER)
    async with conn.transaction():
        await append_bulk(conn, [Item("s", [NOTE], META)])
    assert await conn.fetchval("select count(*) from log.event") == 1
    await conn.fetch("select * from read.alert, public.transactions, public.account_risk_profile, ops.koff")
    for forbidden in (
        "update log.event set type = 'x'",
        "delete from log.event",
        "truncate log.event",
        "update log.head set pos = 0",
        "update log.stream set version = 0",
        "insert into read.payment (transaction_id) values ('t')",
        "update ops.koff set next_offset = 0",
        "alter table log.event disable trigger all",
        "drop schema log cascade",
        "set session_replication_role = replica",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await conn.execute(forbidden)


async def test_a_reader_and_an_auditor_only_look(conn: Any, log: EventLog) -> None:
    await log.append("s", [NOTE], meta=META)
    await seal(conn)
    await roles.assume(conn, roles.READER)
    assert await conn.fetchval("select count(*) from log.event") == 1
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await append_bulk(conn, [Item("s", [NOTE], META)])
    await roles.assume(conn, roles.AUDITOR)
    assert await verify(conn) == []
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await conn.fetch("select * from read.payment")


async def test_a_projector_folds_seals_and_rebuilds_but_does_not_take_payments_in(conn: Any, log: EventLog) -> None:
    await log.append("s", [NOTE], meta=META)
    await roles.assume(conn, roles.PROJECTOR)
    for projection in PROJECTIONS:
        assert (await advance(conn, projection)).pos == 1
    assert await rebuild(conn, ACCOUNT_RISK) == 2
    assert await seal(conn) is not None
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await conn.execute("update read.payment set amount = 0")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await conn.execute("delete from log.seal")


async def test_a_projector_makes_partitions_ahead_that_are_guarded_like_the_others(conn: Any, log: EventLog) -> None:
    await log.append("s", [NOTE], meta=META)
    capacity = await conn.fetchval("select capacity from log.head")
    await roles.assume(conn, roles.WORKER)
    await conn.execute("select log.extend(pos + $1) from log.head where capacity < pos + $1", capacity)
    assert await conn.fetchval("select capacity from log.head") == capacity + 1_000_000
    assert await conn.fetchval("select log.extend(1)") == capacity + 1_000_000, "what is there is not made again"
    await conn.execute("reset role")
    newest = await conn.fetchval("select log.partition_name($1)", capacity + 1)
    for change in ("update log.{} set type = 'x'", "delete from log.{}", "truncate log.{}"):
        with pytest.raises(asyncpg.ObjectNotInPrerequisiteStateError, match="append-only"):
            await conn.execute(change.format(newest))


async def test_a_pool_keeps_the_role_of_its_connections(postgres_dsn: str) -> None:
    async with asyncpg.create_pool(postgres_dsn, min_size=1, max_size=1, init=roles.assuming(roles.WRITER)) as pool:
        for _ in range(3):
            assert await pool.fetchval("select current_user") == roles.WRITER


async def test_a_role_that_is_not_there_is_passed_over(conn: Any) -> None:
    await roles.assume(conn, "streamguard_no_such_role")
    assert await conn.fetchval("select current_user") == "postgres"


@pytest.mark.parametrize(
    "statement",
    [
        "drop table log.event",
        "drop table log.event_000001",
        "alter table log.event disable trigger append_only",
        "alter table log.stream add column x int",
        "create table log.more (x int)",
        "drop function log.advance(text[], int[], int)",
        "drop schema log cascade",
    ],
)
async def test_a_superusers_slip_does_not_change_the_schema(conn: Any, statement: str) -> None:
    with pytest.raises(asyncpg.ObjectNotInPrerequisiteStateError, match="append-only"):
        await conn.execute(statement)
