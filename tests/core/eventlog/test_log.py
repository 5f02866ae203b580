"""The promises of the log, on a real PostgreSQL: verdicts, gapless order, idempotence, reading, append-only."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from core.eventlog import Appended, Conflict, Duplicate, EventLog, Item, Meta
from core.eventlog.append import append_bulk
from schema.events import CaseClaimed, CaseNoted, Event, Source, UnknownEvent

META = Meta(actor="ana", correlation_id="c-1", source=Source(topic="t", partition=1, offset=2))


def note(text: str = "x") -> Event:
    return CaseNoted(case_id="c", operator="o", text=text)


async def test_appended_events_are_read_back_with_their_metadata(log: EventLog) -> None:
    verdict = await log.append("case-1", [note("á ✓"), CaseClaimed(case_id="1", operator="ana")], meta=META)
    assert verdict == Appended(1, 2, 2)
    first, second = await log.read(1)
    assert (first.pos, first.stream, first.version, first.type) == (1, "case-1", 1, "CaseNoted")
    assert first.event == note("á ✓")
    assert second.event == CaseClaimed(case_id="1", operator="ana")
    assert second.meta == META
    assert first.at <= second.at
    assert await log.head() == 2


async def test_conflicts_and_duplicates_are_verdicts(log: EventLog) -> None:
    command = uuid4()
    assert await log.append("s", [note()], meta=META, expected_version=0, command_id=command) == Appended(1, 1, 1)
    assert await log.append("s", [note()], meta=META, expected_version=0, command_id=command) == Duplicate(1, 1)
    assert await log.append("s", [note()], meta=META, expected_version=0) == Conflict(1)
    assert await log.append("s", [note()], meta=META, expected_version=1) == Appended(2, 2, 2)


async def test_one_bad_item_fails_alone(log: EventLog) -> None:
    results = await asyncio.gather(
        *(log.append(f"s-{i}", [note("\0" if i == 3 else "ok")], meta=META) for i in range(8)), return_exceptions=True
    )
    assert [isinstance(result, Appended) for result in results] == [i != 3 for i in range(8)]
    assert isinstance(results[3], asyncpg.DataError)
    assert [recorded.pos for recorded in await log.read(1)] == list(range(1, 8))


async def test_concurrent_appends_to_one_stream_let_one_through(log: EventLog, pool: Any) -> None:
    other = EventLog(pool)
    verdicts = await asyncio.gather(
        *(
            writer.append("s", [note(str(i))], meta=META, expected_version=0)
            for writer in (log, other)
            for i in range(20)
        )
    )
    assert sum(isinstance(verdict, Appended) for verdict in verdicts) == 1
    assert all(verdict == Conflict(1) for verdict in verdicts if not isinstance(verdict, Appended))
    await other.close()


async def test_the_same_command_from_two_writers_is_obeyed_once(log: EventLog, pool: Any) -> None:
    other = EventLog(pool)
    for round_ in range(20):
        command = uuid4()
        verdicts = await asyncio.gather(
            log.append(f"a-{round_}", [note()], meta=META, command_id=command),
            other.append(f"b-{round_}", [note()], meta=META, command_id=command),
        )
        assert {type(verdict) for verdict in verdicts} == {Appended, Duplicate}
        assert len({verdict.first_pos for verdict in verdicts if not isinstance(verdict, Conflict)}) == 1
    assert await log.head() == 20
    await other.close()


async def test_a_rolled_back_append_leaves_no_gap(log: EventLog, pool: Any) -> None:
    await log.append("s", [note()], meta=META)
    async with pool.acquire() as conn:
        transaction = conn.transaction()
        await transaction.start()
        await append_bulk(conn, [Item("s", [note()] * 5, META)])
        await transaction.rollback()
    assert await log.append("s", [note()], meta=META) == Appended(2, 2, 2)


async def test_a_slow_writer_hides_no_event_from_readers(log: EventLog, pool: Any) -> None:
    """The first writer holds its positions uncommitted; a second writer must not become visible before it."""
    holding, let_go = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        async with pool.acquire() as conn, conn.transaction():
            await append_bulk(conn, [Item("slow", [note()], META)])
            holding.set()
            await let_go.wait()

    first = asyncio.create_task(slow())
    await holding.wait()
    second = asyncio.create_task(log.append("fast", [note()], meta=META))
    async with pool.acquire() as conn:
        while not await conn.fetchval(
            "select exists (select from pg_locks where locktype = 'advisory' and not granted)"
        ):
            assert not second.done()
    assert await log.read(1) == []
    let_go.set()
    await first
    await second
    assert [recorded.stream for recorded in await log.read(1)] == ["slow", "fast"]


async def test_many_writers_leave_a_gapless_log_that_tailing_readers_see_whole(postgres_dsn: str) -> None:
    writers, each = 8, 60
    total = writers * each * 2
    async with asyncpg.create_pool(postgres_dsn, min_size=4, max_size=16) as pool:
        readers = [EventLog(pool) for _ in range(3)]

        async def follow(log: EventLog, prefix: str | None) -> list[int]:
            seen: list[int] = []
            async for batch in log.subscribe(1, prefix=prefix, limit=50):
                seen += [recorded.pos for recorded in batch]
                if len(seen) >= (total if prefix is None else each * 2):
                    return seen
            raise AssertionError("a subscription has no end")

        async def write(number: int) -> None:
            log = EventLog(pool)
            for i in range(each):
                await log.append(f"w{number}-{i % 5}", [note(), note()], meta=META)
            await log.close()

        following = [
            asyncio.create_task(follow(readers[0], None)),
            asyncio.create_task(follow(readers[1], None)),
            asyncio.create_task(follow(readers[2], "w3-")),
        ]
        await asyncio.gather(*(write(number) for number in range(writers)))
        whole, again, some = await asyncio.gather(*following)
        assert whole == again == list(range(1, total + 1))
        assert len(some) == each * 2
        dense = await pool.fetchval(
            "select bool_and(n = last and first = 1) from (select count(*) as n, max(version) as last,"
            " min(version) as first from log.event group by stream) s"
        )
        assert dense
        for log in readers:
            await log.close()


async def test_reading_filters_by_stream_and_type(log: EventLog) -> None:
    for i in range(6):
        await log.append(
            f"case-{i}" if i % 2 else f"alert-{i}", [note(), CaseClaimed(case_id="1", operator="o")], meta=META
        )
    assert [r.pos for r in await log.read(1, prefix="case-", types=["CaseClaimed"])] == [4, 8, 12]
    assert [r.pos for r in await log.read(5, limit=2)] == [5, 6]
    assert [r.version for r in await log.read_stream("case-3", 2)] == [2]


async def test_a_version_from_the_future_is_refused_with_its_position(log: EventLog, pool: Any) -> None:
    await log.append("s", [note()], meta=META)
    async with pool.acquire() as conn, conn.transaction():
        base = await conn.fetchval("select log.advance(array['s'], array[2], 1)")
        await conn.execute(
            "insert into log.event (pos, stream, version, type, schema_ver, data, meta)"
            " values ($1, 's', 2, 'CaseNoted', 99, '{}', '{}')",
            base + 1,
        )
    (_, future) = await log.read(1)
    with pytest.raises(UnknownEvent, match=r"position 2: CaseNoted version 99 is newer"):
        _ = future.event


@pytest.mark.parametrize(
    "statement",
    [
        "update log.event set type = 'x'",
        "delete from log.event",
        "truncate log.event cascade",
        "update log.event_000000 set type = 'x'",
        "delete from log.event_000000 where pos = 1",
        "truncate log.event_000000",
        "delete from log.command",
        "set session_replication_role = replica; delete from log.event",
    ],
)
async def test_the_log_is_append_only(log: EventLog, pool: Any, statement: str) -> None:
    await log.append("s", [note()], meta=META)
    async with pool.acquire() as conn:
        with pytest.raises(asyncpg.ObjectNotInPrerequisiteStateError, match="append-only"):
            await conn.execute(statement)
        await conn.execute("reset session_replication_role")
    assert len(await log.read(1)) == 1


async def test_partitions_are_made_when_the_log_outgrows_them(log: EventLog, pool: Any) -> None:
    async with pool.acquire() as conn:
        await conn.execute("update log.head set pos = 1999999")
    verdict = await log.append("s", [note()] * 3, meta=META)
    assert verdict == Appended(2_000_000, 2_000_002, 3)
    assert (
        await pool.fetchval("select tableoid::regclass::text from log.event where pos = 2000002") == "log.event_000002"
    )
    with pytest.raises(asyncpg.ObjectNotInPrerequisiteStateError):
        await pool.execute("delete from log.event_000002")


async def test_a_subscription_survives_the_loss_of_its_connections(log: EventLog, pool: Any, postgres_dsn: str) -> None:
    seen: list[int] = []
    first = asyncio.Event()

    async def follow() -> None:
        async for batch in log.subscribe(1):
            seen.extend(recorded.pos for recorded in batch)
            first.set()
            if seen[-1] == 2:
                return

    following = asyncio.create_task(follow())
    writer = await asyncpg.connect(postgres_dsn)
    async with writer.transaction():
        await append_bulk(writer, [Item("s", [note()], META)])
    await first.wait()
    await writer.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()"
    )
    async with writer.transaction():
        await append_bulk(writer, [Item("s", [note()], META)])
    await following
    assert seen == [1, 2]
    await writer.close()


async def test_a_subscription_to_a_database_without_a_log_fails_rather_than_waits(empty_postgres_dsn: str) -> None:
    async with asyncpg.create_pool(empty_postgres_dsn, min_size=1, max_size=2) as pool:
        log = EventLog(pool)
        with pytest.raises(asyncpg.UndefinedTableError):
            await anext(log.subscribe(1))
        await log.close()
