"""Writing results: records are batched per partition while the batch before them is on its way, and never held back
otherwise."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.producer.message_accumulator import BatchBuilder

from ksqldb.engine.kafka.client import forget_topic
from ksqldb.engine.run.io import Headers
from ksqldb.kafka import Kafka

log = logging.getLogger(__name__)

Place = tuple[str, int]
_BATCH_BYTES = 256 * 1024
_HIGH_WATER = 16 * 1024 * 1024  # unacknowledged bytes above which queries wait


Written = tuple["bytes | None", "bytes | None", int]  # key, value, timestamp


class _Batch(BatchBuilder):  # type: ignore[misc]
    """A batch that takes many records in one call: appending one by one costs more than encoding them.

    ``done`` is set once the broker has acknowledged it (or refused it for good)."""

    def __init__(self) -> None:
        super().__init__(_BATCH_BYTES, 0)
        self.done = asyncio.Event()

    def extend(self, records: Sequence[Written], begin: int, headers: list[Any]) -> int:
        """Append from ``begin`` on; gives the index of the first that has no room."""
        append, first = self._builder.append, self.record_count() - begin
        at = begin
        for at in range(begin, len(records)):
            key, value, timestamp = records[at]
            if append(first + at, timestamp, key, value, headers) is None:
                break
        else:
            at = len(records)
        self._relative_offset = first + at
        return at


class Sink:
    """Appends are synchronous; ``flush`` waits for the broker's acknowledgement of all appended so far."""

    def __init__(self, bootstrap: str) -> None:
        self.producer = AIOKafkaProducer(
            **Kafka.from_environment(bootstrap).options(),
            client_id="ksqldb-engine",
            acks="all",
            linger_ms=0,
            max_batch_size=_BATCH_BYTES,
        )
        self.queues: dict[Place, deque[_Batch]] = {}  # the last is open
        self.senders: dict[Place, asyncio.Task[None]] = {}
        self.pending = 0
        self.room = asyncio.Event()
        self.room.set()
        self.unacknowledged: set[_Batch] = set()
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

    def append(self, topic: str, partition: int, records: Sequence[Written], headers: Headers = ()) -> None:
        """Records of one partition in order, all with the same headers."""
        place = (topic, partition)
        queue = self.queues.get(place)
        if queue is None:
            queue = self.queues[place] = deque()
        given = list(headers)
        at = self._extend(queue[-1], records, 0, given) if queue else 0
        while at < len(records):
            queue.append(_Batch())
            self.unacknowledged.add(queue[-1])
            at = self._extend(queue[-1], records, at, given)
        if place not in self.senders:
            self.senders[place] = asyncio.create_task(self._send(place, queue))

    def _extend(self, batch: _Batch, records: Sequence[Written], begin: int, headers: list[Any]) -> int:
        held = batch.size() if batch.record_count() else 0
        at = batch.extend(records, begin, headers)
        self._grow(batch.size() - held)
        return at

    def _grow(self, size: int) -> None:
        self.pending += size
        if self.pending > _HIGH_WATER:
            self.room.clear()

    def _shrink(self, size: int) -> None:
        self.pending -= size
        if self.pending <= _HIGH_WATER:
            self.room.set()

    async def flush(self) -> None:
        for batch in list(self.unacknowledged):
            await batch.done.wait()

    async def _send(self, place: Place, queue: deque[_Batch]) -> None:
        topic, partition = place
        try:
            while queue:
                builder = queue.popleft()
                size = builder.size()
                builder.close()
                await self._send_one(builder, topic, partition)
                self._shrink(size)
                self.unacknowledged.discard(builder)
                builder.done.set()
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
