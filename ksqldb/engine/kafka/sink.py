"""Writing results: records are batched per partition while the batch before them is on its way, and never held back
otherwise."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from ksqldb.engine.kafka.client import forget_topic
from ksqldb.engine.run.io import Headers

log = logging.getLogger(__name__)

Place = tuple[str, int]
_HIGH_WATER = 16 * 1024 * 1024  # unacknowledged bytes above which queries wait


class Sink:
    """Appends are synchronous; ``flush`` waits for the broker's acknowledgement of all appended so far."""

    def __init__(self, bootstrap: str) -> None:
        self.producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap, client_id="ksqldb-engine", acks="all", linger_ms=0, max_batch_size=256 * 1024
        )
        self.queues: dict[Place, deque[tuple[Any, int]]] = {}  # (batch builder, bytes); the last is open
        self.senders: dict[Place, asyncio.Task[None]] = {}
        self.pending = 0
        self.room = asyncio.Event()
        self.room.set()
        self.idle = asyncio.Event()
        self.idle.set()
        self.closing = False

    async def start(self) -> None:
        await self.producer.start()

    async def stop(self) -> None:
        self.closing = True
        if self.senders:
            await asyncio.wait(self.senders.values(), timeout=5)
        for task in self.senders.values():
            task.cancel()
        await self.producer.stop()

    def forget(self, topic: str) -> None:
        """See ``ReadClient.forget``."""
        forget_topic(self.producer.client, topic)

    @property
    def full(self) -> bool:
        return self.pending > _HIGH_WATER

    def append(
        self, topic: str, partition: int, key: bytes | None, value: bytes | None, timestamp: int, headers: Headers = ()
    ) -> None:
        place = (topic, partition)
        queue = self.queues.get(place)
        if queue is None:
            queue = self.queues[place] = deque()
        size = (len(key) if key else 0) + (len(value) if value else 0) + 16
        if queue:
            builder, held = queue[-1]
            if builder.append(key=key, value=value, timestamp=timestamp, headers=list(headers)) is not None:
                queue[-1] = (builder, held + size)
                self._grow(size)
                return
        builder = self.producer.create_batch()
        builder.append(key=key, value=value, timestamp=timestamp, headers=list(headers))
        queue.append((builder, size))
        self._grow(size)
        if place not in self.senders:
            task = asyncio.create_task(self._send(place, queue))
            self.senders[place] = task

    def _grow(self, size: int) -> None:
        self.pending += size
        self.idle.clear()
        if self.pending > _HIGH_WATER:
            self.room.clear()

    def _shrink(self, size: int) -> None:
        self.pending -= size
        if self.pending <= _HIGH_WATER:
            self.room.set()
        if self.pending == 0:
            self.idle.set()

    async def flush(self) -> None:
        await self.idle.wait()

    async def _send(self, place: Place, queue: deque[tuple[Any, int]]) -> None:
        topic, partition = place
        try:
            while queue:
                builder, size = queue.popleft()
                builder.close()
                await self._send_one(builder, topic, partition)
                self._shrink(size)
        finally:
            self.senders.pop(place, None)
            self.queues.pop(place, None)

    async def _send_one(self, builder: Any, topic: str, partition: int) -> None:
        delay = 0.1
        while True:
            try:
                delivered = await self.producer.send_batch(builder, topic, partition=partition)
                await delivered
                return
            except KafkaError as error:
                if self.closing or not error.retriable:
                    log.error(
                        "%s records for %s-%s were not written: %s", builder.record_count(), *(topic, partition), error
                    )
                    return
                log.warning("writing to %s-%s failed (%s); trying again", topic, partition, error)
                await asyncio.sleep(delay)
                delay = min(delay * 2, 5.0)
