"""Writing a query's results to its sink topic: whole batches per partition, acknowledged by the broker."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from ksqldb.engine.run.io import Encoded

_IN_FLIGHT = 16


class Output:
    """Sends records in order per partition; ``settle`` bounds what is in flight, ``flush`` waits for all of it."""

    def __init__(self, producer: Any, topic: str) -> None:
        self._producer = producer
        self.topic = topic
        self._waiting: list[tuple[int, Any]] = []
        self._in_flight: list[asyncio.Future[Any]] = []

    def put(self, records: Iterable[Encoded], partition: int) -> None:
        """Queue encoded records for one partition; nothing is sent before ``settle``."""
        batch = None
        for key, value, timestamp in records:
            if batch is None:
                batch = self._open(partition)
            if batch.append(key=key, value=value, timestamp=timestamp) is None:  # full
                batch = self._open(partition)
                batch.append(key=key, value=value, timestamp=timestamp)

    def _open(self, partition: int) -> Any:
        batch = self._producer.create_batch()
        self._waiting.append((partition, batch))
        return batch

    async def settle(self) -> None:
        """Send what is queued; waits only while more than a few batches are unacknowledged. Raises KafkaError."""
        waiting, self._waiting = self._waiting, []
        for partition, batch in waiting:
            batch.close()
            self._in_flight.append(await self._producer.send_batch(batch, self.topic, partition=partition))
        if len(self._in_flight) > _IN_FLIGHT:
            await self.flush()

    async def flush(self) -> None:
        in_flight, self._in_flight = self._in_flight, []
        if in_flight:
            await asyncio.gather(*in_flight)
