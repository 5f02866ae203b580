"""What the inlet does beside: committing its offsets to Kafka for lag tools, and closing a consumer that resists."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from core.kafka.connection import Kafka
from core.kafka.lease import Owned
from core.kafka.rights import needing

_log = structlog.get_logger(__name__)


class KafkaOffsets:
    """Offsets of a group as lag tools see them, committed in the background; nobody reads them back."""

    def __init__(self, kafka: Kafka, group: str) -> None:
        self._kafka = kafka
        self._group = group
        self._task: asyncio.Task[None] | None = None
        self._said = ""
        self.due = False
        """Something was taken in since the last commit."""

    def commit(self, consumer: Any, owned: Owned) -> None:
        """Best effort; passed over while an earlier one is under way."""
        if self._task is not None and not self._task.done():
            return
        self.due = False
        offsets = {
            TopicPartition(topic, part): position.next_offset
            for part, topics in owned.items()
            for topic, position in topics.items()
        }
        self._task = asyncio.create_task(self._commit(consumer, offsets))

    async def _commit(self, consumer: Any, offsets: Mapping[TopicPartition, int]) -> None:
        try:
            with needing(self._kafka, "Read", "group", self._group):
                await consumer.commit(offsets)
        except KafkaError as error:
            if str(error) != self._said:
                _log.warning("offsets are not committed to Kafka; nothing is lost by that", error=str(error))
            self._said = str(error)

    async def finish(self) -> None:
        """Wait for the commit under way."""
        if self._task is not None:
            await self._task


async def close(consumer: Any, offsets: KafkaOffsets | None) -> None:
    """Close a consumer as far as it lets itself be closed: aiokafka's ``stop`` can hang when brokers are gone, and can
    end in the cancellation of its own fetch; so it runs as a task, whose end says nothing of ours."""

    async def stop() -> None:
        if offsets is not None:
            await offsets.finish()
        await consumer.stop()

    closing = asyncio.create_task(stop())
    await asyncio.wait({closing}, timeout=5)
    if not closing.done():
        closing.cancel()
        _log.info("the consumer did not close in time")
    elif not closing.cancelled() and closing.exception() is not None:
        _log.info("the consumer did not close well", error=str(closing.exception()))
