"""A query at work on Kafka: reads its sources' partitions, runs its topology, hands on what comes out.

Where the order between partitions matters (joins, re-keyed records) records of all partitions are taken in order of
time, as far as every partition that has more is known.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import Any

from ksqldb.engine.kafka.client import Fetched
from ksqldb.engine.kafka.commits import Commits, Output, commit_interval
from ksqldb.engine.kafka.lanes import Place
from ksqldb.engine.kafka.sink import Sink, Written
from ksqldb.engine.plan.steps import AggregateStep, JoinStep, QueryPlan, RekeyStep, SinkStep, SourceStep, Step
from ksqldb.engine.run.io import Headers, SinkWriter, SourceReader
from ksqldb.engine.run.keys import REMEMBERED
from ksqldb.engine.run.partitioner import partition_of
from ksqldb.engine.run.records import Batch, Report
from ksqldb.engine.run.topology import Entry, Environment, Topology

log = logging.getLogger(__name__)


def needs_time_order(step: Step) -> bool:
    """Whether records of different partitions or topics meet in the query."""
    match step:
        case SourceStep():
            return False
        case JoinStep() | RekeyStep():
            return True
        case AggregateStep():
            return step.rekeys or needs_time_order(step.input)
        case _:
            return needs_time_order(step.input)


class _Pending:
    """Decoded records of one partition that wait for their turn."""

    __slots__ = ("caught_up", "records")

    def __init__(self) -> None:
        self.records: deque[tuple[int, Entry, Any]] = deque()
        self.caught_up = False


class RunningQuery:
    """``output`` takes the results of each processed batch; ``is_full`` and ``room`` are its back-pressure."""

    def __init__(
        self,
        name: str,
        plan: QueryPlan,
        environment: Environment,
        output: Output,
        is_full: Callable[[], bool],
        room: Callable[[], Any],
        keep_view: bool = False,
    ) -> None:
        self.name = name
        self.plan = plan
        self.report: Report = environment.report
        self.topology = Topology(plan, environment, keep_view)
        throws = environment.properties.get("ksql.timestamp.throw.on.invalid", "").lower() == "true"
        self.readers: dict[str, list[tuple[SourceReader, Entry]]] = {}
        for entry in self.topology.entries:
            reader = SourceReader(entry.step, entry.wanted, self.report, throws)
            self.readers.setdefault(reader.source.topic, []).append((reader, entry))
        seconds = commit_interval(environment.properties) if plan.output.is_table else None
        self.commits = None if seconds is None else Commits(output, seconds)
        self.output, self.is_full, self.room = self.commits or output, is_full, room
        self.positions: dict[Place, int] = {}
        self.ordered = needs_time_order(plan.output)
        self.pending: dict[Place, _Pending] = {}
        self.error: Exception | None = None
        self.on_failure: Callable[[Exception], None] | None = None
        self.on_delivery: Callable[[], None] | None = None
        self.ends: dict[Place, int] = {}
        self.records = 0
        self.lost = 0
        self.changed = False

    # ------------------------------------------------------------------------------------------ as a Reader

    @property
    def full(self) -> bool:
        return self.is_full()

    async def ready(self) -> None:
        await self.room()

    def deliver(self, fetched: Fetched) -> None:
        place = (fetched.topic, fetched.partition)
        self.records += len(fetched.records)
        self.changed = True
        if self.ordered:
            self._queue(place, fetched)
        else:
            for records, headers in runs_of_headers(fetched.records):
                for reader, entry in self.readers[fetched.topic]:
                    batch = reader.read_batch(records, fetched.partition)
                    if batch:
                        self.topology.push(entry, batch, fetched.partition)
                self._hand_on(headers)
        self.positions[place] = fetched.next_offset
        if self.on_delivery is not None:
            self.on_delivery()

    def gap(self, place: Place, wanted: int, found: int) -> None:
        self.lost += found - wanted
        log.error(
            "query %s: %s records of %s-%s between offsets %s and %s are gone unread",
            self.name, found - wanted, *place, wanted, found,
        )  # fmt: skip
        self.report("offset gap", f"records {wanted}..{found - 1} of {place[0]}-{place[1]} are gone", None)

    def fail(self, error: Exception) -> None:
        self.error = error
        if self.on_failure is not None:
            self.on_failure(error)

    # ------------------------------------------------------------------------------------------ in order of time

    def start_at(self, positions: dict[Place, int], ends: dict[Place, int]) -> None:
        """Where each partition is read from, and where it ends now (to know when all is known)."""
        self.positions.update(positions)
        self.ends = dict(ends)
        for place, position in positions.items():
            pending = self.pending[place] = _Pending()
            pending.caught_up = position >= ends[place]

    def _queue(self, place: Place, fetched: Fetched) -> None:
        pending = self.pending.setdefault(place, _Pending())
        topic, partition = place
        for reader, entry in self.readers[topic]:
            pending.records.extend(
                (record[2], entry, record) for record in reader.read_batch(fetched.records, partition)
            )
        if len(self.readers[topic]) > 1:
            pending.records = deque(sorted(pending.records, key=itemgetter(0)))
        pending.caught_up = fetched.next_offset >= fetched.high_watermark
        self._run_pending()

    def _run_pending(self) -> None:
        """Process, in order of time, what no record still to come can precede."""
        limit: float = float("inf")
        for pending in self.pending.values():
            if pending.caught_up:
                continue
            if not pending.records:
                return
            limit = min(limit, max(ts for ts, _, _ in pending.records))
        taken: list[tuple[int, int, Entry, Any]] = []
        for (_, partition), pending in self.pending.items():
            records = pending.records
            high = -1
            while records and records[0][0] <= limit:
                ts, entry, record = records.popleft()
                high = max(high, ts)  # a partition's own order stays
                taken.append((high, partition, entry, record))
        taken.sort(key=itemgetter(0))
        start = 0
        while start < len(taken):
            _, partition, entry, _ = taken[start]
            end = start + 1
            while end < len(taken) and taken[end][2] is entry and taken[end][1] == partition:
                end += 1
            self.topology.push(entry, [item[3] for item in taken[start:end]], partition)
            start = end
        self._hand_on()

    def _hand_on(self, headers: Headers = ()) -> None:
        for partition, batch in self.topology.take():
            self.output(partition, batch, headers)

    # ------------------------------------------------------------------------------------------ snapshots

    def commit(self) -> None:
        """Let go of the results that are held back."""
        if self.commits is not None:
            self.commits.commit()

    def snapshot(self) -> Any:
        self.commit()
        waiting = [
            [place, [(ts, self.topology.entries.index(entry), record) for ts, entry, record in pending.records]]
            for place, pending in self.pending.items()
        ]
        return [self.topology.snapshot(), list(self.positions.items()), waiting]

    def restore(self, state: Any) -> None:
        operators, positions, waiting = state
        self.topology.restore(operators)
        self.positions = {tuple(place): offset for place, offset in positions}
        for place, records in waiting:
            pending = self.pending.setdefault(tuple(place), _Pending())
            pending.records.extend((ts, self.topology.entries[index], record) for ts, index, record in records)


def runs_of_headers(records: list[Any]) -> Iterator[tuple[list[Any], Headers]]:
    """Runs of records with the same headers: results carry the headers of the record that gave them."""
    start = 0
    while start < len(records):
        headers = records[start].headers
        end = start + 1
        while end < len(records) and records[end].headers == headers:
            end += 1
        yield (records if end - start == len(records) else records[start:end]), tuple(headers)
        start = end


class SinkOutput:
    """Writes a persistent query's records to its topic, each to the partition of its key."""

    def __init__(self, plan: QueryPlan, sink: Sink, partitions: int, report: Report) -> None:
        output = plan.output
        assert isinstance(output, SinkStep)
        self.writer = SinkWriter(output.source, output.timestamp, report)
        self.topic = output.topic
        self.sink = sink
        self.partitions = partitions
        self.known: dict[bytes, int] = {}

    def __call__(self, partition: int, batch: Batch, headers: Headers) -> None:
        by_target: dict[int, list[Written]] = {}
        records: list[Written] | None = None
        last: bytes | None = None
        for place, key, value, ts in self.writer.write_batch(batch):
            if records is None or place is not last:
                records = by_target.setdefault(self._partition(place, partition), [])
                last = place
            records.append((key, value, ts))
        for target, records in by_target.items():
            self.sink.append(self.topic, target, records, headers)

    def _partition(self, key: bytes | None, partition: int) -> int:
        if key is None:
            return partition % self.partitions
        found = self.known.get(key)
        if found is None:
            if len(self.known) >= REMEMBERED:
                self.known.clear()
            found = self.known[key] = partition_of(key, self.partitions)
        return found
