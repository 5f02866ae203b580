"""Three brokers: topics are made with three copies, a leader dies, and what was acknowledged is read by another."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from core.kafka.admin import admin_client, ensure_topics
from core.kafka.connection import Kafka
from tests.core.kafka.intake import TOPICS, connect, inlet, pay, send, until
from tests.real.apache_kafka import ApacheKafka, cluster

pytestmark = pytest.mark.xdist_group("three-brokers")


@pytest.fixture(scope="module")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApacheKafka]:
    with cluster(tmp_path_factory.mktemp("three-brokers"), 3, properties={"min.insync.replicas": "2"}) as made:
        yield made


async def _leaders(kafka: Kafka) -> dict[int, int]:
    async with admin_client(kafka) as admin:
        (described,) = await admin.describe_topics(["transactions"])
    return {part["partition"]: part["leader"] for part in described["partitions"]}


async def test_a_leader_that_dies_loses_and_doubles_nothing(brokers: ApacheKafka, postgres_dsn: str) -> None:
    kafka = Kafka(brokers.bootstrap, partitions=6, replication=3)
    await ensure_topics(kafka, dict.fromkeys(TOPICS, kafka.partitions))
    async with asyncio.timeout(60), admin_client(kafka) as admin:
        copies: list[int] = []
        while len(copies) < 6:  # the broker that is asked hears of them a moment later
            (described,) = await admin.describe_topics(["transactions"])
            copies = [len(part["replicas"]) for part in described["partitions"]]
    assert copies == [3] * 6
    conn: Any = await connect(postgres_dsn)
    made = inlet(kafka, postgres_dsn, "w")
    running = asyncio.create_task(made.run())
    try:
        async with asyncio.timeout(100):
            await send(kafka, (pay(n) for n in range(300)))
            await until(conn, "select count(*) = 300 from taken")
            before = await _leaders(kafka)
            victim = before[0]
            await asyncio.to_thread(brokers.kill, victim)
            await send(kafka, (pay(n) for n in range(300, 600)))
            await until(conn, "select count(*) >= 600 from taken")
            after = await _leaders(kafka)
            assert victim not in after.values()
            await asyncio.to_thread(brokers.start, victim)
            await send(kafka, (pay(n) for n in range(600, 700)))
            await until(conn, "select count(*) >= 700 from taken")
        assert await conn.fetchval("select count(*) = 700 and count(distinct id) = 700 from taken")
        assert not running.done()
    finally:
        made.stop()
        await running
        await conn.close()


def test_the_address_may_name_one_broker_of_three(brokers: ApacheKafka) -> None:
    one = Kafka(brokers.bootstrap.split(",")[1])

    async def names() -> int:
        async with admin_client(one) as admin:
            return len((await admin.describe_cluster())["brokers"])

    assert asyncio.run(names()) == 3
