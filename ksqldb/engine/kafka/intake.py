"""From a poll's records to a topology's input: decoded once per source, in the order of Kafka Streams."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aiokafka import TopicPartition

from ksqldb.engine.run.io import SourceReader
from ksqldb.engine.run.records import Report
from ksqldb.engine.run.topology import Entry, Topology


class Intake:
    """Pushes records into a topology's entries. A query of several topics takes each partition number's records in
    the order of their timestamps, as far as one poll goes: what one task of Kafka Streams does with its buffers.
    """

    def __init__(self, topology: Topology, report: Report) -> None:
        self._topology = topology
        self._by_topic: dict[str, list[tuple[SourceReader, Entry]]] = {}
        for entry in topology.entries:
            reader = SourceReader(entry.step, entry.wanted, report)
            self._by_topic.setdefault(reader.source.topic, []).append((reader, entry))

    @property
    def topics(self) -> list[str]:
        return list(self._by_topic)

    def push(self, records: Mapping[TopicPartition, Sequence[Any]]) -> None:
        """Feed records of ``(topic, partition)``; each has ``offset, key, value, timestamp, headers``."""
        if len(self._by_topic) == 1:
            for (topic, partition), run in records.items():
                self._feed(topic, partition, run)
            return
        tasks: dict[int, list[tuple[str, Sequence[Any]]]] = {}
        for (topic, partition), run in records.items():
            tasks.setdefault(partition, []).append((topic, run))
        for partition, inputs in tasks.items():
            for topic, run in in_time(inputs):
                self._feed(topic, partition, run)

    def _feed(self, topic: str, partition: int, run: Sequence[Any]) -> None:
        for reader, entry in self._by_topic[topic]:
            read = reader.read
            batch = [record for raw in run if (record := read(raw, partition)) is not None]
            if batch:
                self._topology.push(entry, batch, partition)


def in_time(inputs: list[tuple[str, Sequence[Any]]]) -> Iterator[tuple[str, Sequence[Any]]]:
    """Runs of several topics' records, merged by timestamp; each topic keeps its own order."""
    places = [0] * len(inputs)
    while True:
        heads = [
            (run[at].timestamp, index)
            for index, ((_, run), at) in enumerate(zip(inputs, places, strict=True))
            if at < len(run)
        ]
        if not heads:
            return
        heads.sort()
        index = heads[0][1]
        until = heads[1] if len(heads) > 1 else None
        topic, run = inputs[index]
        start = end = places[index]
        while end < len(run) and (until is None or (run[end].timestamp, index) <= until):
            end += 1
        places[index] = end
        yield topic, run[start:end]
