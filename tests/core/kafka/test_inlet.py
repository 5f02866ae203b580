"""The inlet on a real broker and a real PostgreSQL: once each, whoever fails."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import RecordsToDelete

from core.kafka import admin
from core.kafka.faults import InletHalted
from core.kafka.inlet import GROUP, Inlet
from core.kafka.reset import reset_offsets
from tests.brokers import Broker
from tests.core.kafka.intake import TOPICS, Handler, connect, inlet, pay, send, until


@pytest.fixture
async def conn(postgres_dsn: str) -> AsyncIterator[Any]:
    made = await connect(postgres_dsn)
    yield made
    await made.close()


async def finish(made: Inlet[Any], running: asyncio.Task[None]) -> None:
    made.stop()
    await running


def start(made: Inlet[Any]) -> asyncio.Task[None]:
    return asyncio.create_task(made.run())


async def test_every_record_is_taken_once_across_restarts(broker: Broker, postgres_dsn: str, conn: Any) -> None:
    await admin.ensure_topics(broker.kafka, dict.fromkeys(TOPICS, 4))
    for round_ in range(3):
        await send(broker.kafka, (pay(round_ * 100 + i) for i in range(100)))
        await send(broker.kafka, [pay(9000 + round_)], "fraud_alerts")
        made = inlet(broker.kafka, postgres_dsn, f"w{round_}")
        running = start(made)
        await until(conn, "select count(*) = $1 from taken", (round_ + 1) * 101)
        await finish(made, running)
    assert await conn.fetchval("select count(distinct id) from taken") == 303
    ends = {(p.topic, p.partition): p for p in await admin.offsets(broker.kafka, TOPICS, GROUP)}
    kept = await conn.fetch("select topic, partition, next_offset, owner from ops.koff")
    assert {(r["topic"], r["partition"]): r["next_offset"] for r in kept} == {key: p.end for key, p in ends.items()}
    assert all(row["owner"] is None for row in kept), "leases are given up on stop"
    assert sum(p.lag or 0 for p in ends.values()) == 0, "lag tools see the group"


async def test_lag_tools_see_the_group_at_the_end_while_it_waits(broker: Broker, postgres_dsn: str, conn: Any) -> None:
    await admin.ensure_topics(broker.kafka, dict.fromkeys(TOPICS, 4))
    made = inlet(broker.kafka, postgres_dsn, "w")
    running = start(made)
    await send(broker.kafka, (pay(i) for i in range(40)))
    await until(conn, "select count(*) = 40 from taken")
    while sum(p.committed or 0 for p in await admin.offsets(broker.kafka, TOPICS, GROUP)) != 40:
        assert not running.done()
    assert made.status.lag == 0
    await finish(made, running)


async def test_bad_records_become_dead_letters_and_disturb_nothing(
    broker: Broker, postgres_dsn: str, conn: Any
) -> None:
    await admin.ensure_topics(broker.kafka, dict.fromkeys(TOPICS, 4))
    bad = [b'{"id":', b'{"id":3,"amount":1}', b"\xff\xfe", None, b'{"id":"x\\u001b[2J"}', b" " * 400_000, b'"\x1b[31m"']
    await send(broker.kafka, [pay(1), *bad, pay(2)], partition=0)
    made = inlet(broker.kafka, postgres_dsn, "w")
    running = start(made)
    await until(conn, "select next_offset = 9 from ops.koff where topic = 'transactions' and partition = 0")
    await finish(made, running)
    assert [r["id"] for r in await conn.fetch("select id from taken order by off")] == ["p-1", "p-2"]
    letters = await conn.fetch('select "offset", error_class, reason, value from ops.dead_letter order by "offset"')
    assert [(r["offset"], r["error_class"]) for r in letters] == [
        (1, "malformed"),
        (2, "wrong_type"),
        (3, "malformed"),
        (4, "empty"),
        (5, "wrong_type"),
        (6, "too_large"),
        (7, "malformed"),
    ]
    assert letters[1]["reason"] == "Expected `str`, got `int` - at `$.id`"
    assert [bytes(r["value"] or b"") for r in letters] == [value or b"" for value in bad]
    assert all(r["reason"].isprintable() for r in letters)
    assert made.status.dead_letters == 7


async def test_a_record_without_a_key_is_refused(broker: Broker, postgres_dsn: str, conn: Any) -> None:
    await admin.ensure_topics(broker.kafka, dict.fromkeys(TOPICS, 4))
    producer = AIOKafkaProducer(**broker.kafka.options())
    await producer.start()
    await producer.send_and_wait("transactions", pay(1))
    await producer.stop()
    made = inlet(broker.kafka, postgres_dsn, "w")
    running = start(made)
    await until(conn, "select exists (select from ops.dead_letter where error_class = 'no_key')")
    await finish(made, running)
    assert await conn.fetchval("select count(*) from taken") == 0


async def test_rows_the_database_refuses_are_found_by_halving(broker: Broker, postgres_dsn: str, conn: Any) -> None:
    await admin.ensure_topics(broker.kafka, dict.fromkeys(TOPICS, 4))
    poison = {17, 18, 93}
    await send(broker.kafka, (pay(i, 5_000_000 if i in poison else 5) for i in range(200)), partition=2)
    made = inlet(broker.kafka, postgres_dsn, "w")
    running = start(made)
    await until(conn, "select next_offset = 200 from ops.koff where topic = 'transactions' and partition = 2")
    await finish(made, running)
    assert (
        await conn.fetchval("select count(distinct id) from taken")
        == 197
        == await conn.fetchval("select count(*) from taken")
    )
    letters = await conn.fetch('select "offset", error_class, reason from ops.dead_letter order by "offset"')
    assert [r["offset"] for r in letters] == sorted(poison)
    assert {r["error_class"] for r in letters} == {"refused"}
    assert "taken_amount_check" in letters[0]["reason"]


async def test_an_owner_that_lost_its_partitions_commits_nothing(broker: Broker, postgres_dsn: str, conn: Any) -> None:
    """The lease is taken from a running owner behind its back; what comes then must not count."""
    await admin.ensure_topics(broker.kafka, dict.fromkeys(TOPICS, 4))
    first = inlet(broker.kafka, postgres_dsn, "first")
    running = start(first)
    await until(conn, "select count(*) = 8 from ops.koff where owner = 'first'")
    await conn.execute("update ops.koff set epoch = epoch + 1, owner = 'second', lease_until = 'infinity'")
    await send(broker.kafka, (pay(i) for i in range(50)))
    while first.status.partitions:
        await conn.execute("select pg_sleep(0.02)")
    assert await conn.fetchval("select count(*) from taken") == 0
    assert await conn.fetchval("select sum(next_offset) from ops.koff") == 0
    await finish(first, running)
    assert await conn.fetchval("select count(*) from ops.koff where owner = 'second'") == 8


async def test_workers_share_partitions_and_take_over(broker: Broker, postgres_dsn: str, conn: Any) -> None:
    await admin.ensure_topics(broker.kafka, dict.fromkeys(TOPICS, 4))
    first, second = inlet(broker.kafka, postgres_dsn, "first"), inlet(broker.kafka, postgres_dsn, "second")
    one = start(first)
    await until(conn, "select count(*) = 8 from ops.koff where owner = 'first'")
    two = start(second)
    for worker in ("first", "second"):
        await until(conn, "select count(*) = 4 from ops.koff where owner = $1", worker)
    await send(broker.kafka, (pay(i) for i in range(300)))
    await until(conn, "select count(*) = 300 from taken")
    one.cancel()
    await asyncio.gather(one, return_exceptions=True)
    await until(conn, "select count(*) = 8 from ops.koff where owner = 'second'")
    await send(broker.kafka, (pay(i) for i in range(300, 600)))
    await until(conn, "select count(*) = 600 from taken")
    await finish(second, two)
    assert await conn.fetchval("select count(distinct id) from taken") == 600


async def test_a_topic_made_anew_in_the_same_cluster_halts(broker: Broker, postgres_dsn: str, conn: Any) -> None:
    await admin.ensure_topics(broker.kafka, dict.fromkeys(TOPICS, 4))
    await send(broker.kafka, (pay(i) for i in range(10)), partition=1)
    made = inlet(broker.kafka, postgres_dsn, "w")
    running = start(made)
    await until(conn, "select count(*) = 10 from taken")
    await finish(made, running)
    async with admin.admin_client(broker.kafka) as client:
        await client.delete_topics(["transactions"])
    await admin.ensure_topics(broker.kafka, dict.fromkeys(TOPICS, 4))
    with pytest.raises(InletHalted, match="transactions/1 ends at 0, before the 10 already read"):
        await inlet(broker.kafka, postgres_dsn, "w").run()


async def test_records_that_expired_unread_halt(broker: Broker, postgres_dsn: str, conn: Any) -> None:
    await admin.ensure_topics(broker.kafka, dict.fromkeys(TOPICS, 4))
    await send(broker.kafka, (pay(i) for i in range(10)), partition=1)
    made = inlet(broker.kafka, postgres_dsn, "w")
    running = start(made)
    await until(conn, "select count(*) = 10 from taken")
    await finish(made, running)
    await send(broker.kafka, (pay(i) for i in range(10, 30)), partition=1)
    async with admin.admin_client(broker.kafka) as client:
        await client.delete_records({TopicPartition("transactions", 1): RecordsToDelete(before_offset=20)})
    with pytest.raises(InletHalted, match="transactions/1 begins at 20: records from 10 on expired"):
        await inlet(broker.kafka, postgres_dsn, "w").run()
    assert await reset_offsets(postgres_dsn, broker.kafka, "ana") == 0
    made = inlet(broker.kafka, postgres_dsn, "w")
    running = start(made)
    await until(conn, "select count(*) = 20 from taken")
    await finish(made, running)
    audit = await conn.fetch("select data from log.event where type = 'OffsetReset' and stream = 'operator-ana'")
    assert [json.loads(row["data"]) for row in audit] == [
        {"topic": "transactions", "partition": 1, "from_offset": 10, "to_offset": 20, "operator": "ana"}
    ]


async def test_a_feed_of_rubbish_halts_loudly(broker: Broker, postgres_dsn: str, conn: Any) -> None:
    await admin.ensure_topics(broker.kafka, dict.fromkeys(TOPICS, 4))
    await send(broker.kafka, [b"rubbish"] * 900, partition=0)
    with pytest.raises(InletHalted, match="most records are refused"):
        await inlet(broker.kafka, postgres_dsn, "w").run()
    assert await conn.fetchval("select count(*) from ops.dead_letter") >= 500


async def test_topics_of_unlike_partitions_are_refused(broker: Broker, postgres_dsn: str) -> None:
    await admin.ensure_topics(broker.kafka, {"transactions": 4, "fraud_alerts": 3})
    with pytest.raises(InletHalted, match="same number of partitions, but have: transactions 4, fraud_alerts 3"):
        await inlet(broker.kafka, postgres_dsn, "w").run()


async def test_a_broker_that_comes_back_is_read_on(broker: Broker, postgres_dsn: str, conn: Any) -> None:
    await admin.ensure_topics(broker.kafka, dict.fromkeys(TOPICS, 4))
    await send(broker.kafka, (pay(i) for i in range(100)))
    made = inlet(broker.kafka, postgres_dsn, "w")
    running = start(made)
    await until(conn, "select count(*) = 100 from taken")
    broker.kill()
    broker.start()
    await send(broker.kafka, (pay(i) for i in range(100, 200)))
    await until(conn, "select count(*) = 200 from taken")
    await finish(made, running)
    assert await conn.fetchval("select count(distinct id) from taken") == 200


async def test_a_lost_database_connection_loses_and_doubles_nothing(
    broker: Broker, postgres_dsn: str, conn: Any
) -> None:
    """The session is cut inside the transaction, after the rows were copied."""
    await admin.ensure_topics(broker.kafka, dict.fromkeys(TOPICS, 4))
    cuts = 0

    async def cut() -> None:
        nonlocal cuts
        if cuts < 3:
            cuts += 1
            other = await asyncpg.connect(postgres_dsn)  # `conn` is asking meanwhile
            await other.execute(
                "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
                " where application_name like 'streamguard inlet %' and datname = current_database()"
            )
            await other.close()

    made = inlet(broker.kafka, postgres_dsn, "w", handler := Handler(cut))
    running = start(made)
    for i in range(4):
        await send(broker.kafka, (pay(i * 50 + k) for k in range(50)))
    await until(conn, "select count(*) >= 200 from taken")
    await finish(made, running)
    assert cuts == 3
    assert await conn.fetchval("select count(*) = 200 and count(distinct id) = 200 from taken")
    assert handler.states > 4, "memory was made anew after each loss"


async def test_a_stop_finishes_the_batch_in_hand(broker: Broker, postgres_dsn: str, conn: Any) -> None:
    await admin.ensure_topics(broker.kafka, dict.fromkeys(TOPICS, 4))
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def gate() -> None:
        inside.set()
        await go_on.wait()

    made = inlet(broker.kafka, postgres_dsn, "w", Handler(gate))
    running = start(made)
    await send(broker.kafka, [pay(1)])
    await inside.wait()
    made.stop()
    go_on.set()
    await running
    assert await conn.fetchval("select count(*) from taken") == 1
    assert made.status.state == "stopped"
