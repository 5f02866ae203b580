"""Kafka -> PostgreSQL, each record's effect exactly once.

Rows, events, dead letters, detection state and offsets of a batch commit in one transaction that begins with the fence
(``core.kafka.lease``). Partitions are assigned by leases in PostgreSQL, not by a consumer group. Whatever goes wrong,
one path recovers: forget what memory holds, claim again, load the state the database has, seek to its offsets.

Limits: an owner's ``handle`` may run more than once for a batch, so it must do its work through ``conn`` alone; a
producer that sends a payment twice makes two records, which the handler tells by their business key.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any, Generic

import asyncpg
import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from core.eventlog import roles
from core.kafka import lease
from core.kafka.admin import ensure_topics, topics
from core.kafka.checks import Holes, check_retention, check_stall
from core.kafka.connection import Kafka, cluster_id
from core.kafka.courtesy import KafkaOffsets, close
from core.kafka.faults import RETRY, Breaker, InletHalted, Kind, Recover, classify
from core.kafka.handler import BatchHandler, Gate, PartitionBatch, S
from core.kafka.lane import Lane, lane_of
from core.kafka.lease import Owned
from core.kafka.record import DeadLetter, Decoder, Record, store_dead_letters
from core.kafka.rights import needing

GROUP = "streamguard-consumer"
_TICK_S = 0.7
_WATCHDOG_S = 5.0
_POLL_MS, _HELD_POLL_MS = 100, 20
_BACKOFF_S = (0.1, 0.5, 1.0, 2.0)
_log = structlog.get_logger(__name__)


@dataclass
class InletStatus:
    """What a status row shows; ``lag`` counts records fetched offsets are behind the topics' ends, as last heard."""

    state: str = "starting"
    partitions: tuple[int, ...] = ()
    batches: int = 0
    records: int = 0
    dead_letters: int = 0
    recoveries: int = 0
    fenced: int = 0
    lag: int = 0
    last_error: str | None = None


class Inlet(Generic[S]):
    """Reads the partitions this worker holds leases on until ``stop``; any number of workers share them.

    ``gate`` holds lanes back: what was read of them waits in memory while the others go on.
    ``topics`` maps each co-partitioned topic to its decoder; those that are not there are made with ``partitions``.
    ``worker_id`` must be unique among running workers.
    """

    def __init__(
        self,
        *,
        kafka: Kafka,
        dsn: str,
        topics: Mapping[str, Decoder],
        handler: BatchHandler[S],
        worker_id: str,
        group: str = GROUP,
        max_records: int = 10_000,
        partitions: int = 4,
        gate: Gate | None = None,
    ) -> None:
        self.status = InletStatus()
        self._kafka = kafka
        self._dsn = dsn
        self._topics = dict(topics)
        self._handler = handler
        self._worker = worker_id
        self._group = group
        self._max_records = max_records
        self._stopping = asyncio.Event()
        self._owned: Owned = {}
        self._states: dict[int, S] = {}
        self._gate = gate
        self._held: dict[TopicPartition, Lane] = {}
        self._cluster = ""
        self._partitions = partitions
        self._ticked = 0.0
        self._moved = 0.0
        self._offsets = KafkaOffsets(kafka, group)
        self._careful: set[int] = set()
        self._holes = Holes()
        self._breaker = Breaker()

    def stop(self) -> None:
        """Finish the batch in hand, give the leases up and return from ``run``."""
        self._stopping.set()

    async def run(self) -> None:
        """Run until ``stop``; raises ``InletHalted``, or the error of a fault that no retry can heal."""
        faults = 0
        while not self._stopping.is_set():
            try:
                async with self._session() as (conn, consumer):
                    while not self._stopping.is_set():
                        if await self._step(conn, consumer):
                            faults = 0
            except Recover as reason:
                self.status.recoveries += 1
                self.status.last_error = str(reason)
                _log.info("inlet claims its partitions anew", reason=str(reason))
                faults = await self._hold_on(faults)
            except (*RETRY, KafkaError) as error:
                self.status.state, self.status.last_error = "retrying", f"{type(error).__name__}: {error}"
                _log.warning("inlet is not served as it should; trying again", error=self.status.last_error)
                faults = await self._hold_on(faults)
            except InletHalted as error:
                self.status.state, self.status.last_error = "halted", str(error)
                raise
        self.status.state = "stopped"

    async def _hold_on(self, faults: int) -> int:
        """Wait the longer the more often nothing was taken in since; returns the number of faults now."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_BACKOFF_S[min(faults, len(_BACKOFF_S) - 1)]):
                await self._stopping.wait()
        return faults + 1

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[tuple[Any, Any]]:
        """A connection and a consumer with nothing claimed; on the way out leases are given up where possible."""
        self.status.state = "connecting"
        self._cluster = await cluster_id(self._kafka)
        await ensure_topics(self._kafka, dict.fromkeys(self._topics, self._partitions))
        consumer = AIOKafkaConsumer(
            **self._kafka.options(),
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="none",
            fetch_max_wait_ms=100,
            max_partition_fetch_bytes=4 << 20,
        )
        conn = await asyncpg.connect(
            self._dsn,
            server_settings={
                "application_name": lease.session_name(self._worker),
                # A plan made while the tables were small scans them whole long after they have grown.
                "plan_cache_mode": "force_custom_plan",
                "idle_in_transaction_session_timeout": str(int(lease.ZOMBIE_S * 1000)),
            },
        )
        try:
            await roles.assume(conn, roles.INGEST)
            await consumer.start()
            await self._know_partitions(conn, consumer)
            self._ticked = 0.0
            yield conn, consumer
        finally:
            await self._leave(conn, consumer)

    async def _leave(self, conn: Any, consumer: Any) -> None:
        owned, self._owned = self._owned, {}
        self._states.clear()
        self._held.clear()
        self.status.partitions = ()
        try:
            async with asyncio.timeout(3):
                if owned:
                    await lease.release(conn, self._cluster, self._worker, owned)
                    self._offsets.commit(consumer, owned)
                if self._stopping.is_set():
                    await lease.depart(conn, self._cluster, self._worker)
        except (*RETRY, asyncpg.PostgresError, TimeoutError) as error:
            _log.info("leases were not given up; they run out", error=str(error))
        finally:
            conn.terminate()
        await close(consumer, self._offsets)

    async def _know_partitions(self, conn: Any, consumer: Any) -> None:
        present = await topics(self._kafka)
        counts = {topic: present.get(topic, 0) for topic in self._topics}
        if 0 in counts.values():
            raise Recover("a topic was just made and is not known yet")
        if len(set(counts.values())) != 1:
            shown = ", ".join(f"{topic} {count}" for topic, count in counts.items())
            raise InletHalted(f"the topics must have the same number of partitions, but have: {shown}")
        self._partitions = next(iter(counts.values()))
        every = [TopicPartition(topic, part) for topic in self._topics for part in range(self._partitions)]
        with needing(self._kafka, "Describe", "topic", ", ".join(self._topics)):
            begins = await consumer.beginning_offsets(every)
        await lease.ensure_rows(
            conn, self._cluster, {(tp.topic, tp.partition): offset for tp, offset in begins.items()}
        )

    # ------------------------------------------------------------------------------------------------ one step

    async def _step(self, conn: Any, consumer: Any) -> bool:
        """Keep the leases, then take in what has come; true when a batch was committed."""
        if monotonic() - self._ticked >= _TICK_S:
            await self._tick(conn, consumer)
        if not self._owned:
            self.status.state = "waiting"
            with suppress(TimeoutError):
                async with asyncio.timeout(0.2):
                    await self._stopping.wait()
            return False
        self.status.state = "running"
        open_lanes = [tp for tp in self._assignment() if tp not in self._held]
        wait = _HELD_POLL_MS if self._held else _POLL_MS
        try:
            with needing(self._kafka, "Read", "topic", ", ".join(self._topics)):
                fetched = await consumer.getmany(*open_lanes, timeout_ms=wait, max_records=self._max_records)
        except OffsetOutOfRangeError as error:
            raise Recover(f"Kafka says that it has not got the next offset: {error}") from error
        lanes = self._held | await self._accept(consumer, fetched)
        lanes, self._held = await self._admit(lanes)
        if not lanes:
            if monotonic() - self._moved > _WATCHDOG_S:
                self._moved = monotonic()
                await check_stall(consumer, self._owned, open_lanes)
            return False
        await self._commit_batch(conn, lanes)
        self._moved = monotonic()
        self._offsets.due = True
        return True

    def _assignment(self) -> list[TopicPartition]:
        return [TopicPartition(topic, part) for part in sorted(self._owned) for topic in self._topics]

    async def _tick(self, conn: Any, consumer: Any) -> None:
        members = await lease.meet(conn, self._cluster, self._worker)
        changed = False
        if self._owned:
            for partition in await lease.renew(conn, self._cluster, self._worker, self._owned):
                _log.warning("a partition was claimed by another worker", partition=partition)
                self._forget(partition)
                changed = True
        share = lease.quota(self._worker, members, self._partitions)
        if len(self._owned) > share:
            surplus = {part: self._owned[part] for part in sorted(self._owned)[share:]}
            await lease.release(conn, self._cluster, self._worker, surplus)
            for partition in surplus:
                self._forget(partition)
            changed = True
        elif len(self._owned) < share:
            async with conn.transaction():
                claimed = await lease.claim(
                    conn, self._cluster, self._worker, list(self._topics), share - len(self._owned), self._owned
                )
            if claimed:
                await check_retention(consumer, claimed, self._topics)
                self._owned.update(claimed)
                self._states.update({partition: self._handler.state(partition) for partition in claimed})
                self._moved = monotonic()
                changed = True
            else:
                await lease.end_zombies(conn, self._cluster, self._worker)
        if changed:
            self._seek(consumer, {tp: self._owned[tp.partition][tp.topic].next_offset for tp in self._assignment()})
            _log.info("inlet holds partitions", partitions=sorted(self._owned))
        self.status.partitions = tuple(sorted(self._owned))
        self.status.lag = self._lag(consumer)
        if self._offsets.due:
            self._offsets.commit(consumer, self._owned)
        self._ticked = monotonic()

    def _forget(self, partition: int) -> None:
        self._owned.pop(partition, None)
        self._states.pop(partition, None)

    def _seek(self, consumer: Any, targets: Mapping[TopicPartition, int]) -> None:
        self._held.clear()  # what waits is read again
        consumer.assign(list(targets))
        for partition, offset in targets.items():
            consumer.seek(partition, offset)

    # ------------------------------------------------------------------------------------------------ a batch

    async def _accept(
        self, consumer: Any, fetched: Mapping[TopicPartition, Sequence[Any]]
    ) -> dict[TopicPartition, Lane]:
        """Decode what is next in line; records before it are dropped, a hole before it is looked into."""
        lanes: dict[TopicPartition, Lane] = {}
        for topic, decoder in self._topics.items():
            for partition, positions in self._owned.items():
                tp = TopicPartition(topic, partition)
                records = fetched.get(tp)
                if not records:
                    continue
                expected = positions[topic].next_offset
                if records[0].offset < expected:
                    records = [record for record in records if record.offset >= expected]
                    if not records:
                        continue
                if records[0].offset > expected and not await self._holes.is_real(
                    consumer, tp, expected, records[0].offset
                ):
                    continue
                lanes[tp] = lane_of(records, decoder, expected)
        return lanes

    async def _admit(
        self, lanes: dict[TopicPartition, Lane]
    ) -> tuple[dict[TopicPartition, Lane], dict[TopicPartition, Lane]]:
        """What may be taken in now, and what is held back."""
        if self._gate is None or not lanes:
            return lanes, {}
        held: dict[TopicPartition, Lane] = {}
        for tp, offset in (await self._gate.admit(self._cluster, lanes)).items():
            before, held[tp] = lanes.pop(tp).cut(offset)
            if before.stop > before.start:
                lanes[tp] = before
        return lanes, held

    def _batches(self, lanes: Mapping[TopicPartition, Lane]) -> list[PartitionBatch[S]]:
        items: dict[int, list[tuple[Record, Any]]] = {}
        for topic in self._topics:
            for partition in self._owned:
                lane = lanes.get(TopicPartition(topic, partition))
                if lane is not None and lane.good:
                    items.setdefault(partition, []).extend(lane.good)
        return [PartitionBatch(part, found, self._states[part]) for part, found in sorted(items.items())]

    async def _commit_batch(self, conn: Any, lanes: Mapping[TopicPartition, Lane]) -> None:
        batches = self._batches(lanes)
        moves = [
            (tp.topic, tp.partition, self._owned[tp.partition][tp.topic].epoch, lane.start, lane.stop)
            for tp, lane in lanes.items()
        ]
        dead = [letter for lane in lanes.values() for letter in lane.dead]
        careful = any(batch.partition in self._careful for batch in batches)
        try:
            async with conn.transaction():
                await lease.advance(conn, self._cluster, moves)
                refused = list(dead)
                if careful:
                    for batch in batches:
                        refused += await self._bisect(conn, batch.partition, batch.items)
                elif batches:
                    refused += (await self._handler.handle(conn, batches)).dead
                if refused:
                    await store_dead_letters(conn, self._cluster, refused)
        except lease.Fenced as error:
            self.status.fenced += 1
            raise Recover(str(error)) from error
        except Exception as error:
            if classify(error) is not Kind.DATA or careful:
                raise
            self._careful = {batch.partition for batch in batches}
            raise Recover(f"a record of the batch was refused: {type(error).__name__}: {error}") from error
        self._careful -= {batch.partition for batch in batches}
        for topic, partition, _, _, stop in moves:
            self._owned[partition][topic].next_offset = stop
        count = sum(len(batch.items) for batch in batches)
        self.status.batches += 1
        self.status.records += count + len(dead)
        self.status.dead_letters += len(refused)
        if self._breaker.trips(count + len(dead), len(refused)):
            raise InletHalted(f"most records are refused, the last one: {refused[-1].reason if refused else '-'}")

    async def _bisect(self, conn: Any, partition: int, items: list[tuple[Record, Any]]) -> list[DeadLetter]:
        """Handle the records, halving by savepoints until the bad ones stand alone; those are returned."""
        batch = PartitionBatch(partition, items, self._states[partition])
        try:
            async with conn.transaction():
                return (await self._handler.handle(conn, [batch])).dead
        except Exception as error:
            if classify(error) is not Kind.DATA:
                raise
            self._states[partition] = self._handler.state(partition)
            if len(items) == 1:
                return [DeadLetter(items[0][0], "refused", f"{type(error).__name__}: {error}")]
        middle = len(items) // 2
        return [
            *await self._bisect(conn, partition, items[:middle]),
            *await self._bisect(conn, partition, items[middle:]),
        ]

    def _lag(self, consumer: Any) -> int:
        behind = 0
        for tp in self._assignment():
            high = consumer.highwater(tp)
            if high is not None:
                behind += max(0, high - self._owned[tp.partition][tp.topic].next_offset)
        return behind
