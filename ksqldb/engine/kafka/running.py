"""A persistent query at work: from its sources' partitions through its topology to its sink, with its snapshots."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiokafka import TopicPartition

from ksqldb.engine.analyse.serdes import build_key_codec
from ksqldb.engine.kafka.cluster import Cluster
from ksqldb.engine.kafka.intake import Intake
from ksqldb.engine.kafka.output import Output
from ksqldb.engine.kafka.snapshots import Snapshot
from ksqldb.engine.plan.query import PersistentQuery
from ksqldb.engine.plan.steps import SinkStep
from ksqldb.engine.run.io import Encoded, SinkWriter
from ksqldb.engine.run.partitioner import partition_for
from ksqldb.engine.run.records import Clock, NullKey, ProcessingError
from ksqldb.engine.run.topology import Environment, Topology

RESET = "auto.offset.reset"


def resets_to_earliest(properties: Mapping[str, str]) -> bool:
    """Whether a query without a position starts at the beginning; ksqlDB's default is the end."""
    value = properties.get(RESET, properties.get(f"ksql.streams.{RESET}", "latest"))
    return value.lower() == "earliest"


class RunningQuery:
    """A subscriber of the feed. Its state is that of all records before ``next``; what they led to has been sent."""

    def __init__(
        self,
        query: PersistentQuery,
        cluster: Cluster,
        partitions: Mapping[str, int],
        log: Callable[[ProcessingError], None],
        clock: Clock,
    ) -> None:
        """``partitions``: of every source topic and of the sink's."""
        self.query = query
        self.next: dict[TopicPartition, int] = {}
        self.error: str | None = None
        self.consumed = 0
        self.produced = 0
        self._log = log
        self._cluster = cluster
        tasks = max(partitions[source.topic] for source in query.plan.sources)
        environment = Environment(self._report, clock, tasks, query.properties)
        self.topology = Topology(query.plan, environment, keep_view=query.plan.output.is_table)
        self._intake = Intake(self.topology, self._report)
        self._partitions = {topic: partitions[topic] for topic in self._intake.topics}
        self._output: Output | None = None
        step = query.plan.output
        if isinstance(step, SinkStep):
            count = partitions[query.sink.topic]
            self._writer = SinkWriter(query.sink, step.timestamp, self._report)
            self._output = Output(cluster.producer, query.sink.topic)
            self._partition = partition_for(build_key_codec(query.sink.key_format, query.sink.schema.key), count)
            self._sink_partitions = count

    def _report(self, step: str, message: str, record: object) -> None:
        self._log(ProcessingError(self.query.id, step, message, repr(record)))

    # ------------------------------------------------------------------------------------------ where it starts

    async def begin(self, snapshot: Snapshot | None) -> None:
        """Take up a snapshot of this statement and cluster, else start where ``auto.offset.reset`` says."""
        wanted = [TopicPartition(t, p) for t, count in self._partitions.items() for p in range(count)]
        earliest = resets_to_earliest(self.query.properties)
        starts = await self._cluster.offsets(wanted, earliest)
        if snapshot is None or snapshot.cluster_id != self._cluster.cluster_id:
            self.next = starts
            return
        if snapshot.statement != self.query.statement:
            self.next = starts
            return
        self.topology.restore(snapshot.states)
        self.next = {place: snapshot.offsets.get((place.topic, place.partition), starts[place]) for place in wanted}

    def snapshot(self) -> Snapshot:
        offsets = {(place.topic, place.partition): offset for place, offset in self.next.items()}
        return Snapshot(self._cluster.cluster_id, self.query.statement, offsets, self.topology.snapshot())

    # ------------------------------------------------------------------------------------------ the feed's side

    def take(self, records: Mapping[TopicPartition, Sequence[Any]]) -> None:
        if self.error is not None:
            return
        try:
            self._intake.push(records)
            self._queue_results()
        except Exception as error:  # a fault of the engine or of the plan must end this query alone
            self.error = f"{type(error).__name__}: {error}"
            self._report("query", self.error, "")
            return
        for place, run in records.items():
            self.next[place] = run[-1].offset + 1
            self.consumed += len(run)

    def lost(self, partition: TopicPartition, wanted: int, begin: int) -> None:
        self._report(
            "source",
            f"{partition.topic}/{partition.partition}: offsets {wanted} to {begin - 1} are gone, going on at {begin}",
            "",
        )

    async def settle(self) -> None:
        if self._output is not None:
            await self._output.settle()

    async def flush(self) -> None:
        if self._output is not None:
            await self._output.settle()
            await self._output.flush()

    def _queue_results(self) -> None:
        taken = self.topology.take()
        if self._output is None:
            return
        write = self._writer.write
        queues: dict[int, list[Encoded]] = {}
        for task, batch in taken:
            for record in batch:
                encoded = write(record)
                if encoded is None:
                    continue
                key = record[0]
                keyless = type(key) is NullKey or not key
                partition = task % self._sink_partitions if keyless else self._partition(key)
                queues.setdefault(partition, []).append(encoded)
        for partition, records in queues.items():
            self._output.put(records, partition)
            self.produced += len(records)
