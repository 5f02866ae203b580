"""The Kafka screen's port on a real broker and a real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from core.kafka.admin import ensure_topics
from core.kafka.connection import Kafka
from tests.brokers import Broker
from tui.adapters.cluster import KafkaCluster
from tui.adapters.database import Database
from tui.adapters.twin import Twin
from tui.ports import Done, Refused, Unavailable
from tui.screens.kafka.port import Message, Start

TOPIC = "things"


@pytest.fixture
async def port(broker: Broker, postgres_dsn: str, tmp_path: Path) -> AsyncIterator[KafkaCluster]:
    database, twin = Database(), Twin()
    await database.open(postgres_dsn)
    twin.open(
        {
            "STREAMGUARD_POSTGRES": postgres_dsn,
            "STREAMGUARD_KAFKA": broker.kafka.bootstrap,
            "STREAMGUARD_HOME": str(tmp_path),
        }
    )
    made = KafkaCluster(database, twin, "ana")
    made.open(broker.kafka)
    await ensure_topics(broker.kafka, {TOPIC: 2}, {"retention.ms": "900000000000"})
    async with AIOKafkaProducer(**broker.kafka.options()) as producer:
        for number in range(10):
            await producer.send_and_wait(
                TOPIC,
                f"value {number}".encode(),
                key=b"k",
                partition=number % 2,
                timestamp_ms=1_784_556_000_000 + number * 1_000,
                headers=[("h", b"\xff")],
            )
    yield made
    await database.close()


async def _read(port: KafkaCluster, start: Start, wanted: int) -> list[Message]:
    browser = await port.browse(TOPIC, start)
    found: list[Message] = []
    try:
        async with asyncio.timeout(20):
            while len(found) < wanted:
                found += (await browser.next()).messages
        found += (await browser.next()).messages
    finally:
        await browser.close()
    return found


async def test_topics_messages_and_facts(port: KafkaCluster) -> None:
    assert (await port.topics())[TOPIC] == 2
    assert await port.messages([TOPIC]) == {TOPIC: 10}
    facts = await port.facts(TOPIC)
    assert [(part.partition, part.begin, part.end) for part in facts.ends] == [(0, 0, 5), (1, 0, 5)]
    assert ("retention.ms", "900000000000") in facts.settings


async def test_a_group_and_its_lag(port: KafkaCluster, broker: Broker) -> None:
    partition = TopicPartition(TOPIC, 0)
    async with AIOKafkaConsumer(
        **broker.kafka.options(), group_id="readers", enable_auto_commit=False, auto_offset_reset="earliest"
    ) as consumer:
        consumer.assign([partition])
        await consumer.commit({partition: 2})
    assert list(await port.groups()) == ["readers"]
    group = await port.group("readers")
    assert (group.lag, group.behind[0].committed, group.behind[0].end) == (3, 2, 5)


@pytest.mark.parametrize(
    ("start", "numbers"),
    [
        (Start("beginning"), set(range(10))),
        (Start("latest"), set(range(10))),
        (Start("offset", 3), {6, 7, 8, 9}),
        (Start("offset", 3, 1), {7, 9}),
        (Start("offset", 10_000), set()),
        (Start("time", 1_784_556_004_500), {5, 6, 7, 8, 9}),
        (Start("time", 1_900_000_000_000), set()),
    ],
)
async def test_reading_begins_where_it_was_asked(port: KafkaCluster, start: Start, numbers: set[int]) -> None:
    found = await _read(port, start, len(numbers))
    assert {int((message.value or b"").split()[1]) for message in found} == numbers
    assert all(message.headers == (("h", b"\xff"),) and message.key == b"k" for message in found)


async def test_a_partition_or_topic_that_is_not_there_is_said(port: KafkaCluster) -> None:
    with pytest.raises(Unavailable, match="has no partition 7"):
        await port.browse(TOPIC, Start("offset", 0, 7))
    with pytest.raises(Unavailable, match="there is no nothing"):
        await port.browse("nothing", Start("latest"))


async def test_a_message_sent_by_hand_is_on_record(port: KafkaCluster, pool: Any) -> None:
    verdict = await port.produce(TOPIC, b"k", b"by hand")
    assert isinstance(verdict, Done)
    found = await _read(port, Start("beginning"), 11)
    assert [message.value for message in found].count(b"by hand") == 1
    row = await pool.fetchrow("select stream, data from log.event where type = 'MessageProduced'")
    assert row["stream"] == "operator-ana"


async def test_a_dead_letter_is_shown_and_sent_again_once(port: KafkaCluster, pool: Any) -> None:
    letter_id = await pool.fetchval(
        'insert into ops.dead_letter (cluster_id, topic, partition, "offset", key, value, headers, error_class, reason)'
        " values ('c', $1, 1, 3, $2, $3, $4, 'malformed', 'bad') returning id",
        TOPIC,
        b"k",
        b"\x00bad",
        '[["h", "/w=="]]',
    )
    (letter,) = await port.dead_letters(10)
    assert (letter.id, letter.status, letter.topic, letter.size) == (letter_id, "open", TOPIC, 4)
    content = await port.letter(letter_id)
    assert content is not None
    assert (content.key, content.value, content.headers) == (b"k", b"\x00bad", (("h", b"\xff"),))
    assert isinstance(await port.requeue(letter_id), Done)
    assert isinstance(await port.requeue(letter_id), Refused)
    assert isinstance(await port.discard(letter_id, "late"), Refused)
    found = await _read(port, Start("beginning"), 11)
    assert [message.value for message in found].count(b"\x00bad") == 1


async def test_without_a_broker_the_reason_is_said() -> None:
    port = KafkaCluster(Database(), Twin(), "ana")
    with pytest.raises(Unavailable, match="not connected yet"):
        await port.topics()
    port.open(Kafka("127.0.0.1:1"))
    with pytest.raises(Unavailable, match="no Kafka broker answers"):
        await port.topics()
