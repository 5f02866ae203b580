"""A reader of one transient query: its own consumer, so that a slow client holds back nobody but itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from ksqldb.engine.kafka.cluster import Cluster


class Reader:
    """Opened at given offsets. ``poll`` gives what has come; the position moves only by polling."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._consumer: Any = None

    async def open(self, starts: Mapping[TopicPartition, int]) -> None:
        self._consumer = self._cluster.consumer()
        await self._consumer.start()
        self._consumer.assign(list(starts))
        for place, offset in starts.items():
            self._consumer.seek(place, offset)

    async def poll(self, timeout_ms: int, max_records: int) -> dict[TopicPartition, Sequence[Any]]:
        """Records by partition, each partition's in order; those that retention took are left out."""
        try:
            polled: dict[TopicPartition, Sequence[Any]] = await self._consumer.getmany(
                timeout_ms=timeout_ms, max_records=max_records
            )
        except OffsetOutOfRangeError as error:
            for place, offset in (await self._cluster.offsets(error.args[0], earliest=True)).items():
                self._consumer.seek(place, offset)
            return {}
        return polled

    async def position(self, place: TopicPartition) -> int:
        found: int = await self._consumer.position(place)
        return found

    async def close(self) -> None:
        if self._consumer is not None:
            await self._consumer.stop()
