"""Sending many records: one batch a partition and call, compressed, acknowledged before the call returns."""

from __future__ import annotations

from asyncio import gather
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import DefaultPartitioner

from core.kafka.admin import ensure_topics
from core.kafka.connection import Kafka
from core.kafka.rights import needing
from core.workers.outlast import outlast
from schema import alert, label, transaction
from schema.label import Label
from schema.transaction import Transaction

TOPICS = {
    transaction.TOPIC: transaction.PARTITIONS,
    alert.TOPIC: alert.PARTITIONS,
    label.TOPIC: label.PARTITIONS,
}
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_START_PATIENCE_S = 10.0


class Outgoing(NamedTuple):
    """A record to be sent; ``timestamp`` is epoch ms."""

    topic: str
    key: bytes
    value: bytes
    timestamp: int


def payment(tx: Transaction) -> Outgoing:
    """The record of a payment."""
    return Outgoing(transaction.TOPIC, tx.account_id.encode(), _ENCODER.encode(tx), tx.event_time)


def ground_truth(known: Label, published: int | None = None) -> Outgoing:
    """The record of a label; ``published``: the clock (epoch ms) where it is sent as things happen. The record of a
    file's label has the time at which it was known."""
    when = known.known_at if published is None else published
    return Outgoing(label.TOPIC, known.account_id.encode(), _ENCODER.encode(known), when)


class Sender:
    """An idempotent lz4 producer; use as ``async with Sender(kafka)``. Records of a key keep their order."""

    def __init__(self, kafka: Kafka, topic_configs: Mapping[str, str] | None = None) -> None:
        self._kafka = kafka
        self._configs = topic_configs
        self._partitioner = DefaultPartitioner()
        self._partitions: dict[str, list[int]] = {}
        self._producer: Any = None
        self.sent = 0

    async def __aenter__(self) -> Sender:
        self._producer = await outlast(self._started, _START_PATIENCE_S)
        for topic in TOPICS:
            self._partitions[topic] = sorted(await self._producer.partitions_for(topic))
        return self

    async def _started(self) -> Any:
        await ensure_topics(self._kafka, dict.fromkeys(TOPICS, self._kafka.partitions), self._configs)
        producer = AIOKafkaProducer(
            **self._kafka.options(),
            enable_idempotence=True,
            compression_type="lz4",
            max_batch_size=256 * 1024,
            max_request_size=4 << 20,
            linger_ms=0,
        )
        try:
            with needing(self._kafka, "Write", "topic", ", ".join(TOPICS)):
                await producer.start()
        except BaseException:
            await producer.stop()
            raise
        return producer

    async def __aexit__(self, *_: object) -> None:
        await self._producer.stop()

    async def send(self, records: Sequence[Outgoing]) -> dict[tuple[str, int], int]:
        """Send and wait for the acknowledgement; returns the last offset written by topic and partition."""
        lanes: dict[tuple[str, int], list[Outgoing]] = {}
        for record in records:
            partitions = self._partitions[record.topic]
            lane = record.topic, self._partitioner(record.key, partitions, partitions)
            lanes.setdefault(lane, []).append(record)
        done = await gather(*(self._send_lane(lane, lanes[lane]) for lane in lanes))
        self.sent += len(records)
        return dict(zip(lanes, done, strict=True))

    async def _send_lane(self, lane: tuple[str, int], records: Sequence[Outgoing]) -> int:
        with needing(self._kafka, "Write", "topic", lane[0]):
            return await self._acknowledged(lane, records)

    async def _acknowledged(self, lane: tuple[str, int], records: Sequence[Outgoing]) -> int:
        topic, partition = lane
        waiting = []
        batch = self._producer.create_batch()
        for record in records:
            while batch.append(key=record.key, value=record.value, timestamp=record.timestamp) is None:
                waiting.append(await self._producer.send_batch(batch, topic, partition=partition))
                batch = self._producer.create_batch()
        waiting.append(await self._producer.send_batch(batch, topic, partition=partition))
        acknowledged = await gather(*waiting)
        last: int = acknowledged[-1].offset + batch.record_count() - 1
        return last
