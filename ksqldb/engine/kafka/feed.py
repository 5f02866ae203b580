"""One reader for all persistent queries: each topic is fetched once and handed to every query that reads it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from ksqldb.engine.kafka.cluster import Cluster

_MAX_RECORDS = 4000  # a poll's work holds the event loop: about 50 ms of a costly query
_IDLE_MS = 50


class Subscriber(Protocol):
    """A query as the feed sees it. ``next`` is the offset it wants next of each partition it reads."""

    next: dict[TopicPartition, int]

    def take(self, records: dict[TopicPartition, Sequence[Any]]) -> None:
        """Process one poll's records, each partition's in order, and move ``next`` on."""

    def lost(self, partition: TopicPartition, wanted: int, begin: int) -> None:
        """Records ``[wanted, begin)`` are no longer in the topic: say so, and go on from ``begin``."""

    async def settle(self) -> None:
        """Await what ``take`` has produced, as far as needed to bound what is in flight."""


class Feed:
    """Fetches what its subscribers want. A subscriber that joins behind the others makes the feed go back for it; the
    others leave out, by offset, what they have had.
    """

    def __init__(self, cluster: Cluster, report: Callable[[str], None]) -> None:
        self._cluster = cluster
        self._report = report
        self._subscribers: list[Subscriber] = []
        self._consumer: Any = None
        self._changed = asyncio.Event()
        self._between_polls = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._consumer = self._cluster.consumer()
        await self._consumer.start()
        self._task = asyncio.create_task(self._run(), name="ksqldb-feed")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._consumer is not None:
            await self._consumer.stop()

    async def add(self, subscriber: Subscriber) -> None:
        async with self._between_polls:
            self._subscribers.append(subscriber)
            self._assign()
        self._changed.set()

    async def remove(self, subscriber: Subscriber) -> None:
        """After this returns the subscriber gets nothing more."""
        async with self._between_polls:
            if subscriber in self._subscribers:
                self._subscribers.remove(subscriber)
                self._assign()

    async def quiet(self) -> asyncio.Lock:
        """A lock under which no subscriber is at work, for snapshots."""
        return self._between_polls

    def _assign(self) -> None:
        wanted: dict[TopicPartition, int] = {}
        for subscriber in self._subscribers:
            for partition, offset in subscriber.next.items():
                wanted[partition] = min(offset, wanted.get(partition, offset))
        if wanted.keys() != self._consumer.assignment():
            self._consumer.assign(list(wanted))
        for partition, offset in wanted.items():
            self._consumer.seek(partition, offset)

    async def _run(self) -> None:
        while True:
            if not self._subscribers:
                self._changed.clear()
                await self._changed.wait()
            async with self._between_polls:
                try:
                    polled = await self._consumer.getmany(timeout_ms=_IDLE_MS, max_records=_MAX_RECORDS)
                except OffsetOutOfRangeError as error:
                    await self._skip_lost(error.args[0])
                    continue
                except KafkaError as error:
                    self._report(f"reading the sources failed, trying again: {error}")
                    polled = {}
                for subscriber in list(self._subscribers) if polled else ():
                    mine = {
                        p: _from(records, subscriber.next[p]) for p, records in polled.items() if p in subscriber.next
                    }
                    subscriber.take({p: records for p, records in mine.items() if records})
                    await subscriber.settle()
            await asyncio.sleep(0)

    async def _skip_lost(self, positions: dict[TopicPartition, int]) -> None:
        begins = await self._cluster.offsets(positions, earliest=True)
        ends = await self._cluster.offsets(positions, earliest=False)
        for subscriber in self._subscribers:
            for partition, begin in begins.items():
                wanted = subscriber.next.get(partition)
                if wanted is None:
                    continue
                if wanted < begin or wanted > ends[partition]:  # retention went past it, or the topic was made anew
                    subscriber.lost(partition, wanted, begin)
                    subscriber.next[partition] = begin
        self._assign()


def _from(records: Sequence[Any], offset: int) -> Sequence[Any]:
    """The records at or after the offset."""
    if not records or records[0].offset >= offset:
        return records
    return [record for record in records if record.offset >= offset]
