"""The inlet's faults on Apache Kafka: the tests that it passes on the embedded broker, on a real one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.kafka import admin
from core.kafka.connection import Kafka
from tests.core.kafka.intake import TOPICS
from tests.core.kafka.test_inlet import (
    conn,
    test_a_broker_that_comes_back_is_read_on,
    test_a_topic_made_anew_in_the_same_cluster_halts,
    test_an_owner_that_lost_its_partitions_commits_nothing,
    test_bad_records_become_dead_letters_and_disturb_nothing,
    test_every_record_is_taken_once_across_restarts,
    test_records_that_expired_unread_halt,
    test_workers_share_partitions_and_take_over,
)
from tests.real.apache_kafka import ApacheKafka, cluster

__all__ = [
    "conn",
    "test_a_broker_that_comes_back_is_read_on",
    "test_a_topic_made_anew_in_the_same_cluster_halts",
    "test_an_owner_that_lost_its_partitions_commits_nothing",
    "test_bad_records_become_dead_letters_and_disturb_nothing",
    "test_every_record_is_taken_once_across_restarts",
    "test_records_that_expired_unread_halt",
    "test_workers_share_partitions_and_take_over",
]
pytestmark = [pytest.mark.xdist_group("apache-kafka-inlet"), pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def apache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApacheKafka]:
    with cluster(tmp_path_factory.mktemp("apache-kafka")) as made:
        yield made


class Node:
    """What the tests use of a broker."""

    def __init__(self, apache: ApacheKafka) -> None:
        self.kafka = Kafka(apache.bootstrap)
        self.kill, self.start = apache.kill, apache.start


@pytest.fixture
def broker(apache: ApacheKafka, tmp_path: Path) -> Iterator[Node]:
    """The same cluster for all, without topics of the test before."""
    made = Node(apache)
    yield made
    asyncio.run(_without_topics(made.kafka))


async def _without_topics(kafka: Kafka) -> None:
    async with asyncio.timeout(60), admin.admin_client(kafka) as client:
        await client.delete_topics([topic for topic in await client.list_topics() if topic in TOPICS])
        while set(await client.list_topics()) & set(TOPICS):
            pass  # each look is a request, and the timeout above bounds them
