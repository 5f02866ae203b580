"""Topics, offsets and groups of a cluster, for the inlet's start and the Kafka screen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    for_code,
)

from core.kafka.connection import Kafka
from core.kafka.rights import needing, unseen


@dataclass(frozen=True)
class PartitionOffsets:
    """``end`` is the next offset to be written, ``committed`` the group's, ``None`` when it never committed."""

    topic: str
    partition: int
    begin: int
    end: int
    committed: int | None = None

    @property
    def lag(self) -> int | None:
        return None if self.committed is None else max(0, self.end - max(self.committed, self.begin))


@asynccontextmanager
async def admin_client(kafka: Kafka) -> AsyncIterator[Any]:
    client = AIOKafkaAdminClient(**kafka.options())
    await client.start()
    try:
        yield client
    finally:
        await client.close()


async def ensure_topics(kafka: Kafka, topics: Mapping[str, int], configs: Mapping[str, str] | None = None) -> None:
    """Create the topics (name -> partitions) that are not there; those that are stay as they are.

    Raises ``RightMissing`` where the cluster neither shows a topic nor lets it be made.
    """
    async with admin_client(kafka) as admin:
        present = set(await admin.list_topics())
        missing = [
            NewTopic(name, partitions, kafka.replication, topic_configs=dict(configs or {}))
            for name, partitions in topics.items()
            if name not in present
        ]
        if not missing:
            return
        answer = await admin.create_topics(missing)
        for name, code, *_ in answer.topic_errors:
            error = for_code(code)
            if error in (TopicAuthorizationFailedError, ClusterAuthorizationFailedError):
                raise unseen(kafka, name)
            if code and error is not TopicAlreadyExistsError:
                raise error(f"topic {name} could not be created")


async def topics(kafka: Kafka) -> dict[str, int]:
    """Name -> number of partitions."""
    async with admin_client(kafka) as admin:
        described = await admin.describe_topics()
    return {topic["topic"]: len(topic["partitions"]) for topic in described}


async def offsets(kafka: Kafka, names: Sequence[str], group: str | None = None) -> list[PartitionOffsets]:
    """Begin, end and (with ``group``) committed offset of every partition of the topics named."""
    consumer = AIOKafkaConsumer(**kafka.options(), enable_auto_commit=False)
    await consumer.start()
    try:
        counts = await topics(kafka)
        partitions = [TopicPartition(name, part) for name in names for part in range(counts.get(name, 0))]
        with needing(kafka, "Describe", "topic", ", ".join(names)):
            begins = await consumer.beginning_offsets(partitions)
            ends = await consumer.end_offsets(partitions)
    finally:
        await consumer.stop()
    committed: dict[TopicPartition, int] = {}
    if group is not None:
        async with admin_client(kafka) as admin:
            with needing(kafka, "Describe", "group", group):
                found = await admin.list_consumer_group_offsets(group, partitions=partitions)
        committed = {partition: meta.offset for partition, meta in found.items() if meta.offset >= 0}
    return [PartitionOffsets(p.topic, p.partition, begins[p], ends[p], committed.get(p)) for p in partitions]
