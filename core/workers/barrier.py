"""Payments wait at a list boundary until all that its lists are made of was taken in, whoever reads it.

Live that is so at once. Who reads recorded topics again runs through partitions at different paces: here the fast ones
wait. The lane with the earliest boundary never waits for a later one, so waiting has an end; where it has none all the
same (nobody reads a partition, Kafka does not answer), decisions go on after ``PATIENCE_S`` and it is counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from time import monotonic
from typing import Any, NamedTuple

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from core.detection.lists import LIVE_EPOCH_MS, SUSPECT_MS, epoch_of
from core.kafka.connection import Kafka
from core.kafka.courtesy import close
from core.kafka.lane import Lane
from core.workers import rows
from core.workers.feedback import Epoch, Feedback, instant
from schema import label, transaction

PATIENCE_S = 10.0
"""How long nothing may move: longer than a lease's life and the start of a partition's next owner."""
SKEW_MS = 2_500
"""How far clocks of those who publish labels may differ: half of what a label published live waits before it counts."""
_ANSWER_S = 2.0
_log = structlog.get_logger(__name__)

Offsets = dict[TopicPartition, int]


class _Lane(NamedTuple):
    """A lane's payments whose lists are not drawn up: all their epochs, offset and event time of the first."""

    epochs: set[Epoch]
    offset: int
    event_time: int


class _Awaited:
    """What is waited for at a boundary: how far labels must be read, what lacks, and since when that has not moved."""

    def __init__(self, epoch: Epoch) -> None:
        self.epoch = epoch
        self.labels: Offsets | None = None
        self.lacking: Offsets = {}
        self.since = monotonic()
        self.why = ""
        self._moving: Offsets | None = None

    def note(self, lacking: Offsets, moving: Offsets, why: str) -> None:
        self.lacking, self.why = lacking, why
        if moving != self._moving:
            self._moving, self.since = moving, monotonic()


class Barrier:
    """Gate of the consumer's inlet; draws up the lists of ``feedback``. ``incomplete`` counts those drawn up from less
    than belongs to them."""

    def __init__(self, kafka: Kafka, pool: Any, feedback: Feedback, patience_s: float = PATIENCE_S) -> None:
        self.incomplete = 0
        self._offsets = _Offsets(kafka)
        self._pool = pool
        self._feedback = feedback
        self._patience = patience_s
        self._first: _Awaited | None = None
        self._given_up: Offsets = {}
        self._reached: dict[int, datetime] = {}

    async def close(self) -> None:
        """Let go of Kafka."""
        await self._offsets.close()

    async def admit(self, cluster: str, lanes: Mapping[TopicPartition, Lane]) -> Offsets:
        """Lanes that must wait, each with the offset from which on."""
        while True:
            stopped = {tp: found for tp, lane in lanes.items() if (found := self._unknown(tp, lane)) is not None}
            if not stopped:
                return {}
            epochs = sorted(set[Epoch]().union(*(lane.epochs for lane in stopped.values())))
            ready: Sequence[Epoch] = await self._feedback.drawn(epochs)
            if not ready:
                await self._publish({tp.partition: s for tp, s in stopped.items() if s.offset == lanes[tp].start})
                ready = await self._whole(cluster, epochs)
            if not ready:
                return {tp: lane.offset for tp, lane in stopped.items()}
            for epoch in ready:
                await self._feedback.draw(epoch)

    def _unknown(self, tp: TopicPartition, lane: Lane) -> _Lane | None:
        if tp.topic != transaction.TOPIC:
            return None
        first: _Lane | None = None
        for record, tx in lane.good:
            epoch = self._feedback.unknown(tx)
            if epoch is not None:
                first = first or _Lane(set(), record.offset, tx.event_time)
                first.epochs.add(epoch)
        return first

    async def _publish(self, stopped: Mapping[int, _Lane]) -> None:
        """Tell whom it concerns that these partitions have nothing left of earlier boundaries."""
        reached = {partition: instant(epoch_of(s.event_time, LIVE_EPOCH_MS)) for partition, s in stopped.items()}
        news = {partition: time for partition, time in reached.items() if self._reached.get(partition) != time}
        if news:
            await rows.store_reached(self._pool, news)
            self._reached |= news

    async def _whole(self, cluster: str, epochs: Sequence[Epoch]) -> Sequence[Epoch]:
        """Those whose lists can be drawn up now: all is there, or the first was waited for long enough."""
        first = self._first
        if first is None or first.epoch != epochs[0]:
            # Mostly everything is there for all of them; else they come one by one.
            first = self._first = _Awaited(epochs[0])
            if len(epochs) > 1 and await self._is_whole(cluster, _Awaited(epochs[-1]), epochs):
                return epochs
        if await self._is_whole(cluster, first, epochs[:1]) or self._tired(first):
            self._first = None
            return epochs[:1]
        return ()

    async def _is_whole(self, cluster: str, wanted: _Awaited, epochs: Sequence[Epoch]) -> bool:
        """Whether all that the lists of these boundaries are made of was taken in; ``wanted`` is told what lacks."""
        position = await rows.positions(self._pool, cluster, (label.TOPIC, transaction.TOPIC))
        try:
            async with asyncio.timeout(_ANSWER_S):
                lacking = await self._lacking(wanted, position, epochs)
        except (KafkaError, TimeoutError) as error:
            await self._offsets.close()
            labels = {tp: offset for tp, offset in position.items() if tp.topic == label.TOPIC}
            wanted.note(labels, {}, f"Kafka does not answer: {error}")
            return False
        # Labels wait for nothing. Payments may wait for others, and move as long as any do.
        moving = lacking
        if transaction.TOPIC in {tp.topic for tp in lacking}:
            moving = {tp: offset for tp, offset in position.items() if tp.topic == transaction.TOPIC}
        wanted.note(lacking, moving, "nobody reads on")
        return not lacking

    async def _lacking(self, wanted: _Awaited, position: Offsets, epochs: Sequence[Epoch]) -> Offsets:
        """Lanes that were not taken in as far as the boundaries need, and where they stand."""
        if wanted.labels is None:
            every = [tp for tp in position if tp.topic == label.TOPIC]
            live = all(width == LIVE_EPOCH_MS for _, width in epochs)
            wanted.labels = await self._offsets.before(every, wanted.epoch[0] - SKEW_MS if live else None)
        labels = _behind(wanted.labels, position)
        if labels:
            return labels
        oldest = instant(epochs[0][0] - SUSPECT_MS)
        missing = await rows.missing_payments(self._pool, instant(wanted.epoch[0]), oldest)
        if not missing:
            return {}
        return _behind(await self._offsets.before([TopicPartition(transaction.TOPIC, p) for p in missing]), position)

    def _tired(self, wanted: _Awaited) -> bool:
        """Whether nothing has moved for as long as anybody shall wait; what nobody has moved since an earlier boundary
        is waited for no longer."""
        stuck = bool(wanted.lacking) and all(self._given_up.get(tp) == at for tp, at in wanted.lacking.items())
        if not stuck and monotonic() - wanted.since < self._patience:
            return False
        self._given_up |= wanted.lacking
        self.incomplete += 1
        lacking = [f"{tp.topic}/{tp.partition}" for tp in sorted(wanted.lacking)]
        _log.warning(
            "lists are drawn up without all labels", boundary=wanted.epoch[0], behind=lacking, reason=wanted.why
        )
        return True


class _Offsets:
    """Asks Kafka over a connection of its own: on the inlet's an answer would wait for the fetch before it."""

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka
        self._consumer: Any = None

    async def before(self, lanes: Sequence[TopicPartition], time: int | None = None) -> Offsets:
        """Each one's offset of the first record from a time (epoch ms) on, or of the end where it has none."""
        consumer = await self._connected()
        if time is None:
            return dict(await consumer.end_offsets(lanes))
        ends, later = await asyncio.gather(
            consumer.end_offsets(lanes), consumer.offsets_for_times(dict.fromkeys(lanes, time))
        )
        return dict(ends) | {tp: found.offset for tp, found in later.items() if found is not None}

    async def close(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await close(consumer, None)

    async def _connected(self) -> Any:
        if self._consumer is None:
            self._consumer = AIOKafkaConsumer(**self._kafka.options(), enable_auto_commit=False)
            await self._consumer.start()
        return self._consumer


def _behind(needed: Mapping[TopicPartition, int], position: Offsets) -> Offsets:
    return {tp: position.get(tp, 0) for tp, offset in needed.items() if position.get(tp, 0) < offset}
