"""All running queries of an engine: started, paused, ended; their state saved and taken up again."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from aiokafka.errors import KafkaError

from ksqldb.engine.errors import ServerError
from ksqldb.engine.kafka.client import EARLIEST, LATEST, ReadClient, TopicGone
from ksqldb.engine.kafka.commits import Output
from ksqldb.engine.kafka.groups import GroupOffsets
from ksqldb.engine.kafka.lanes import Lanes, Place
from ksqldb.engine.kafka.processing_log import ProcessingLog
from ksqldb.engine.kafka.query import RunningQuery, SinkOutput
from ksqldb.engine.kafka.sink import Sink
from ksqldb.engine.kafka.snapshots import Snapshots, encode
from ksqldb.engine.plan.query import PersistentQuery, group_of
from ksqldb.engine.plan.steps import JoinStep, QueryPlan, SinkStep, Step, source_steps
from ksqldb.engine.run.io import Headers
from ksqldb.engine.run.records import Batch
from ksqldb.engine.run.topology import Environment

log = logging.getLogger(__name__)

State = Literal["RUNNING", "PAUSED", "ERROR"]
SNAPSHOT_SECONDS = 5.0


def now_ms() -> int:
    return int(time.time() * 1000)


def reset_of(properties: Mapping[str, object]) -> int:
    """EARLIEST or LATEST, as the properties of a statement say; the server's own default is latest."""
    for name in ("auto.offset.reset", "ksql.streams.auto.offset.reset"):
        value = properties.get(name)
        if value is not None:
            return EARLIEST if str(value).lower() == "earliest" else LATEST
    return LATEST


@dataclass
class Persistent:
    """A persistent query with its state as SHOW QUERIES tells it."""

    query: PersistentQuery
    running: RunningQuery
    state: State = "RUNNING"
    error: str = ""


class Runtime:
    """``partitions_of`` gives a topic's partition count as the catalog knows it."""

    def __init__(self, bootstrap: str, snapshots: Snapshots | None, partitions_of: Callable[[str], int]) -> None:
        self.bootstrap = bootstrap
        self.snapshots = snapshots
        self.partitions_of = partitions_of
        self.lanes = Lanes(bootstrap)
        self.sink = Sink(bootstrap)
        self.offsets = ReadClient(bootstrap)
        self.groups = GroupOffsets(self.offsets, self._read_up_to)
        self.processing_log = ProcessingLog()
        self.queries: dict[str, Persistent] = {}
        self.handed_over: dict[str, Any] = {}
        self.cluster_id = ""
        self.saver: asyncio.Task[None] | None = None

    async def start(self, cluster_id: str) -> None:
        self.cluster_id = cluster_id
        await self.offsets.start()
        await self.sink.start()
        await self.lanes.start()
        self.saver = asyncio.create_task(self._save_regularly())
        self.groups.start()

    async def stop(self) -> None:
        if self.saver is not None:
            self.saver.cancel()
            await asyncio.gather(self.saver, return_exceptions=True)
        await self.lanes.stop()
        for persistent in self.queries.values():
            persistent.running.commit()
        await self.save(final=True)
        await self.groups.stop()
        await self.sink.stop()
        await self.offsets.stop()

    def forget(self, topic: str) -> None:
        """No client may ask for a topic that is being deleted."""
        self.offsets.forget(topic)
        self.sink.forget(topic)
        self.lanes.forget(topic)

    # ------------------------------------------------------------------------------------------ persistent queries

    async def start_query(self, query: PersistentQuery, paused: bool = False) -> None:
        """Start (or resume from its snapshot) a persistent query."""
        running = self._make(query)
        state = None
        if self.snapshots is not None:
            state = self.snapshots.load(query.id, self.cluster_id, query.statement)
        if query.id in self.handed_over:
            running.restore(self.handed_over.pop(query.id))
        elif state is not None:
            running.restore(state)
        persistent = Persistent(query, running)
        self.queries[query.id] = persistent
        running.on_failure = lambda error: self._failed(persistent, error)
        if paused:
            persistent.state = "PAUSED"
            return
        await self._feed(running, query.plan, query.properties)

    def _make(self, query: PersistentQuery) -> RunningQuery:
        report = self.processing_log.reporter(query.id)
        environment = Environment(report, now_ms, self._spread(query.plan), query.properties)
        plan = query.plan
        output: Output
        if isinstance(plan.output, SinkStep):
            output = SinkOutput(plan, self.sink, self.partitions_of(query.sink.topic), report)
        else:
            output = _nowhere
        view = plan.output.is_table
        return RunningQuery(query.id, plan, environment, output, self._sink_full, self.sink.room.wait, view)

    def _sink_full(self) -> bool:
        return self.sink.full

    def _spread(self, plan: QueryPlan) -> int:
        return max(self.partitions_of(step.source.topic) for step in source_steps(plan.output))

    async def _feed(self, running: RunningQuery, plan: QueryPlan, properties: Mapping[str, object]) -> None:
        positions = await self._positions(running, plan, reset_of(properties))
        self.lanes.add(running, positions)

    async def _positions(self, running: RunningQuery, plan: QueryPlan, reset: int) -> dict[Place, int]:
        """Where each partition is read from: the position held, else by the reset policy (joined tables: earliest)."""
        positions: dict[Place, int] = {}
        ends: dict[Place, int] = {}
        joined_tables = _joined_tables(plan.output)
        for topic in running.readers:
            partitions = list(range(self.partitions_of(topic)))
            when = EARLIEST if topic in joined_tables else reset
            try:
                starts = await self.offsets.offsets(topic, partitions, when)
                last = starts if when == LATEST else await self.offsets.offsets(topic, partitions, LATEST)
            except (KafkaError, TopicGone) as error:
                raise ServerError(f"Could not read the offsets of topic {topic}: {error}") from error
            for partition in partitions:
                place = (topic, partition)
                positions[place] = running.positions.get(place, starts[partition])
                ends[place] = last[partition]
        running.start_at(positions, ends)
        return positions

    async def replace_prepare(self, query_id: str) -> None:
        """Stop a query that another of the same id takes over from; its state is kept for that one."""
        persistent = self.queries.pop(query_id, None)
        if persistent is not None:
            self.lanes.drop(persistent.running)
            await self.sink.flush()
            self.handed_over[query_id] = persistent.running.snapshot()

    async def end_query(self, query_id: str) -> None:
        persistent = self.queries.pop(query_id, None)
        if persistent is not None:
            self.lanes.drop(persistent.running)
            persistent.running.commit()
            await self.sink.flush()
            if self.snapshots is not None:
                self.snapshots.drop(query_id)
            await self.groups.forget(query_id)

    def _read_up_to(self) -> Iterator[tuple[str, dict[Place, int]]]:
        return ((query_id, persistent.running.positions) for query_id, persistent in self.queries.items())

    def pause(self, query_id: str) -> None:
        persistent = self.queries[query_id]
        self.lanes.drop(persistent.running)
        persistent.running.commit()
        persistent.state = "PAUSED"

    async def resume(self, query_id: str) -> None:
        persistent = self.queries[query_id]
        if persistent.state == "PAUSED":
            persistent.state = "RUNNING"
            await self._feed(persistent.running, persistent.query.plan, persistent.query.properties)

    async def offset_summaries(self, source: str) -> list[dict[str, object]]:
        """How far the queries that write a source have read each partition of their own sources."""
        summaries: list[dict[str, object]] = []
        for query_id, persistent in self.queries.items():
            if persistent.query.sink.name != source:
                continue
            topics: list[dict[str, object]] = []
            for topic in persistent.running.readers:
                partitions = list(range(self.partitions_of(topic)))
                starts = await self.offsets.offsets(topic, partitions, EARLIEST)
                ends = await self.offsets.offsets(topic, partitions, LATEST)
                offsets = [
                    {
                        "partition": p,
                        "logStartOffset": starts[p],
                        "logEndOffset": ends[p],
                        "consumerOffset": persistent.running.positions.get((topic, p), 0),
                    }
                    for p in partitions
                    if persistent.running.positions.get((topic, p))
                ]
                if offsets:
                    topics.append({"kafkaTopic": topic, "offsets": offsets})
            summaries.append({"groupId": group_of(query_id), "topicSummaries": topics})
        return summaries

    def _failed(self, persistent: Persistent, error: Exception) -> None:
        persistent.state, persistent.error = "ERROR", str(error)
        log.error("query %s stopped: %s", persistent.query.id, error)

    # ------------------------------------------------------------------------------------------ transient queries

    async def start_transient(
        self,
        name: str,
        plan: QueryPlan,
        properties: Mapping[str, str],
        output: Output,
        is_full: Callable[[], bool],
        room: Callable[[], object],
    ) -> RunningQuery:
        environment = Environment(self.processing_log.reporter(name), now_ms, self._spread(plan), properties)
        running = RunningQuery(name, plan, environment, output, is_full, room)
        await self._feed(running, plan, properties)
        return running

    def end_transient(self, running: RunningQuery) -> None:
        self.lanes.drop(running)

    # ------------------------------------------------------------------------------------------ snapshots

    async def _save_regularly(self) -> None:
        while True:
            await asyncio.sleep(SNAPSHOT_SECONDS)
            spent = 0.0
            _give_back()
            try:
                spent = await self.save()
            except OSError as error:
                log.error("state could not be saved: %s", error)
            if spent > 0.05 * SNAPSHOT_SECONDS:
                await asyncio.sleep(20 * spent)

    async def save(self, final: bool = False) -> float:
        """Write the state of every query that moved since, once all its results up to there are acknowledged. Gives
        the seconds for which queries stood still."""
        stood = 0.0
        if self.snapshots is None:
            return stood
        for persistent in list(self.queries.values()):
            running = persistent.running
            if not running.changed:
                continue
            began = time.monotonic()
            state = encode(running.snapshot())
            running.changed = False
            stood += time.monotonic() - began
            if final:
                await asyncio.wait_for(self.sink.flush(), 10)
            else:
                await self.sink.flush()
            if persistent.query.id in self.queries:
                await asyncio.to_thread(
                    self.snapshots.save, persistent.query.id, self.cluster_id, persistent.query.statement, state
                )
        return stood


def _give_back() -> None:
    """Give the system the memory that reading and windows left unused in the heap: its holes add up over a day."""
    with contextlib.suppress(OSError, AttributeError):  # a C library without it
        ctypes.CDLL(None).malloc_trim(0)


def _joined_tables(step: Step) -> set[str]:
    match step:
        case JoinStep():
            return {s.source.topic for s in source_steps(step) if s.is_table}
        case _:
            inner = getattr(step, "input", None)
            return set() if inner is None else _joined_tables(inner)


def _nowhere(partition: int, batch: Batch, headers: Headers) -> None:
    """A source table's query has no topic to write."""
