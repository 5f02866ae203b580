"""One connection to Kafka for reading: offsets and fetches at the protocol's level.

Records come as aiokafka's own C records (``key``, ``value``, ``timestamp``, ``offset``, ``headers``): making a Python
object of our own for each would cost more than filtering it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from aiokafka import errors as kafka_errors
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.offset import OffsetRequest
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import TopicPartition

from ksqldb.kafka import Kafka

log = logging.getLogger(__name__)

EARLIEST, LATEST = -2, -1
_PARTITION_BYTES = 512 * 1024
_RESPONSE_BYTES = 4 * 1024 * 1024
_MAX_WAIT_MS = 100
RECORDS_AT_ONCE = 500
_GONE = (kafka_errors.OffsetOutOfRangeError, kafka_errors.UnknownTopicOrPartitionError)


@dataclass(frozen=True, slots=True)
class Fetched:
    """Part of what a fetch gave for one partition. ``records`` start at or behind the asked offset."""

    topic: str
    partition: int
    records: list[Any]
    next_offset: int
    high_watermark: int


class OffsetGone(Exception):
    """The asked offset is not in the partition any more (or not yet)."""

    def __init__(self, topic: str, partition: int) -> None:
        super().__init__(f"{topic}-{partition}")
        self.topic, self.partition = topic, partition


class TopicGone(Exception):
    def __init__(self, topic: str) -> None:
        super().__init__(f"topic {topic} does not exist any more")
        self.topic = topic


class ReadClient:
    """Positions are the caller's; this only asks. Every method may raise aiokafka's KafkaError."""

    def __init__(self, bootstrap: str) -> None:
        self.client = AIOKafkaClient(
            **Kafka.from_environment(bootstrap).options(), client_id="ksqldb-engine", request_timeout_ms=30_000
        )

    async def start(self) -> None:
        await self.client.bootstrap()

    async def stop(self) -> None:
        await self.client.close()

    async def leader(self, topic: str, partition: int, afresh: bool = False) -> int:
        """The node to ask; waits for metadata (``afresh``: what is known already may be of a topic that was deleted and
        made again). TopicGone where there is no such partition."""
        place = TopicPartition(topic, partition)
        if afresh:
            await self.client.add_topic(topic)
            await self.client.force_metadata_update()
        for _ in range(50):
            node = self.client.cluster.leader_for_partition(place)
            if node is not None and node != -1:
                return int(node)
            await self.client.add_topic(topic)
            await self.client.force_metadata_update()
            if self.client.cluster.leader_for_partition(place) is None:
                await asyncio.sleep(0.1)
        raise TopicGone(topic)

    def forget(self, topic: str) -> None:
        """Ask for this topic no more: a broker that makes topics on demand would bring a deleted one back."""
        forget_topic(self.client, topic)

    async def refresh(self) -> None:
        await self.client.force_metadata_update()

    async def offsets(self, topic: str, partitions: list[int], when: int) -> dict[int, int]:
        """EARLIEST or LATEST offset of each partition, or the first at or after a timestamp (ms)."""
        by_node: dict[int, list[tuple[int, int]]] = {}
        for partition in partitions:
            by_node.setdefault(await self.leader(topic, partition), []).append((partition, when))
        found: dict[int, int] = {}
        for node, asked in by_node.items():
            response = await self.client.send(node, OffsetRequest(-1, 0, [(topic, asked)]))
            for _, answers in response.topics:
                for partition, code, *rest in answers:
                    error = kafka_errors.for_code(code)
                    if error is not kafka_errors.NoError:
                        raise error(f"{topic}-{partition}")
                    found[partition] = rest[-1] if isinstance(rest[-1], int) else rest[0][0]
        return found

    async def fetch(
        self, node: int, positions: dict[tuple[str, int], int]
    ) -> Iterator[Fetched | OffsetGone | TopicGone]:
        """Records of partitions led by one node from the given offsets, each partition's in several answers that follow
        one another; waits a little where there are none."""
        topics: dict[str, list[tuple[int, int, int]]] = {}
        for (topic, partition), offset in positions.items():
            topics.setdefault(topic, []).append((partition, offset, _PARTITION_BYTES))
        request = FetchRequest(_MAX_WAIT_MS, 1, _RESPONSE_BYTES, 1, list(topics.items()))
        response = await self.client.send(node, request)
        for topic, partitions in response.topics:
            for partition, code, *_ in partitions:
                error = kafka_errors.for_code(code)
                if error not in (kafka_errors.NoError, *_GONE):
                    raise error(f"{topic}-{partition}")
        return _answers(response.topics, positions)


def _answers(topics: list[Any], positions: dict[tuple[str, int], int]) -> Iterator[Fetched | OffsetGone | TopicGone]:
    for topic, partitions in topics:
        for partition, code, high_watermark, *rest in partitions:
            error = kafka_errors.for_code(code)
            if error is kafka_errors.OffsetOutOfRangeError:
                yield OffsetGone(topic, partition)
            elif error is kafka_errors.UnknownTopicOrPartitionError:
                yield TopicGone(topic)
            else:
                for records, following in unpack(rest[-1], positions[(topic, partition)]):
                    yield Fetched(topic, partition, records, following, high_watermark)


def forget_topic(client: AIOKafkaClient, topic: str) -> None:
    client._topics.discard(topic)  # set_topics would lose topics whose metadata is on its way


def unpack(data: bytes, offset: int) -> Iterator[tuple[list[Any], int]]:
    """The records of a fetched message set from ``offset`` on, some at a time, each with the offset to go on from.

    They become objects only when they are asked for: what lives side by side for a moment, and with it the holes it
    leaves in the heap among the state, does not grow with what a fetch brings."""
    found: list[Any] = []
    batches = MemoryRecords(data)
    following = offset
    while batches.has_next():
        batch = batches.next_batch()
        if batch is None:
            break
        following = max(following, batch.next_offset)
        if batch.is_control_batch:
            continue
        records = chain(batch) if batch.base_offset >= offset else (r for r in batch if r.offset >= offset)
        while more := list(islice(records, RECORDS_AT_ONCE - len(found) or RECORDS_AT_ONCE)):
            if len(found) == RECORDS_AT_ONCE:
                yield found, more[0].offset
                found = []
            found += more
    if found or following != offset:
        yield found, following
