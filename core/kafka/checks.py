"""Is what Kafka shows to be believed? Records that are gone, a topic made anew, a consumer gone deaf."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from typing import Any

import structlog
from aiokafka import TopicPartition

from core.kafka.faults import InletHalted, Recover
from core.kafka.lease import Owned

_ANSWER_S = 5.0
_log = structlog.get_logger(__name__)


async def check_retention(consumer: Any, claimed: Owned, topics: Collection[str]) -> None:
    """Raise ``InletHalted`` where a topic does not reach as far as was read, or no longer has what is next."""
    partitions = [TopicPartition(topic, part) for part in claimed for topic in topics]
    begins = await consumer.beginning_offsets(partitions)
    ends = await consumer.end_offsets(partitions)
    for tp in partitions:
        next_offset = claimed[tp.partition][tp.topic].next_offset
        where = f"{tp.topic}/{tp.partition}"
        if ends[tp] < next_offset:
            raise InletHalted(
                f"{where} ends at {ends[tp]:,}, before the {next_offset:,} already read: the topic was made anew in"
                " the same cluster. Nothing is read until `streamguard groups reset` says where to begin."
            )
        if begins[tp] > next_offset:
            raise InletHalted(
                f"{where} begins at {begins[tp]:,}: records from {next_offset:,} on expired before they were read."
                " Nothing is read until `streamguard groups reset` accepts the loss."
            )


async def check_stall(consumer: Any, owned: Owned, assignment: Sequence[TopicPartition]) -> None:
    """No record for a while: is that so, or has the consumer gone deaf (aiokafka gives no sign of it)?"""
    try:
        async with asyncio.timeout(_ANSWER_S):
            ends = await consumer.end_offsets(assignment)
    except TimeoutError as error:
        raise Recover("Kafka does not answer") from error
    for tp, end in ends.items():
        if end != owned[tp.partition][tp.topic].next_offset:
            raise Recover(f"{tp.topic}/{tp.partition} ends at {end}, but nothing comes")


class Holes:
    """Compaction and transaction markers leave holes. Lost records do too, and so does a consumer that jumped: a hole
    is believed when a second fetch from the same offset shows it and the log still begins before it."""

    def __init__(self) -> None:
        self._seen: tuple[TopicPartition, int] | None = None

    async def is_real(self, consumer: Any, tp: TopicPartition, expected: int, found: int) -> bool:
        """False: the second look is on its way. Raises ``InletHalted`` where the records expired."""
        begin = (await consumer.beginning_offsets([tp]))[tp]
        if begin > expected:
            raise InletHalted(
                f"{tp.topic}/{tp.partition}: records {expected:,} to {begin - 1:,} expired before they were read"
            )
        if self._seen == (tp, expected):
            _log.info("offsets have a hole", topic=tp.topic, partition=tp.partition, expected=expected, found=found)
            self._seen = None
            return True
        self._seen = (tp, expected)
        consumer.seek(tp, expected)
        return False
