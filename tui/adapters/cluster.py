"""The Kafka cluster for its screen: confluent-kafka's admin in threads, aiokafka without a group for messages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from schema import events
from tui.adapters.database import Database, epoch_ms
from tui.adapters.twin import Finished, Twin
from tui.ports import Done, Refused, Unavailable, Verdict
from tui.screens.kafka.port import (
    Batch,
    Behind,
    DeadLetter,
    Ends,
    Group,
    LetterContent,
    Message,
    Start,
    TopicFacts,
)

if TYPE_CHECKING:
    from core.kafka.commands import Cluster
    from core.kafka.connection import Kafka

T = TypeVar("T")

TAIL_MESSAGES = 100
"""Messages of the past that a tail begins with."""
BATCH = 500
WAIT_MS = 200
TOO_FAR = 5_000
"""A tail that is this far behind jumps to the end, and says what it passed over."""
_HEADERS = msgspec.json.Decoder(tuple[tuple[str, bytes], ...])


class KafkaCluster:
    """``open`` says where the cluster is. Its calls run two at a time, never on the event loop."""

    def __init__(self, database: Database, twin: Twin, operator: str) -> None:
        self._database = database
        self._twin = twin
        self._operator = operator
        self._kafka: Kafka | None = None
        self._cluster: Cluster | None = None
        self._threads = ThreadPoolExecutor(2, "kafka-admin")

    def open(self, kafka: Kafka) -> None:
        self._kafka, self._cluster = kafka, None

    def _at(self) -> Kafka:
        if self._kafka is None:
            raise Unavailable("Kafka: not connected yet")
        return self._kafka

    async def _ask(self, work: Callable[[Cluster], T]) -> T:
        self._at()
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._asked, work)

    def _asked(self, work: Callable[[Cluster], T]) -> T:
        """In a thread: connect when needed, and turn faults into sentences."""
        from confluent_kafka import KafkaException

        from core.kafka.commands import Cluster, refused
        from core.kafka.rights import RightMissing

        try:
            if self._cluster is None:
                self._cluster = Cluster(self._at())
            return work(self._cluster)
        except (KafkaException, RightMissing) as error:
            raise Unavailable(f"Kafka: {refused(error)}") from error
        except (ConnectionError, TimeoutError) as error:
            self._cluster = None
            raise Unavailable(f"Kafka: {error or 'no answer in time'}") from error

    # ------------------------------------------------------------------------------------------ topics and groups

    async def topics(self) -> Mapping[str, int]:
        return await self._ask(lambda cluster: cluster.refresh())

    async def messages(self, topics: Sequence[str]) -> Mapping[str, int]:
        def count(cluster: Cluster) -> dict[str, int]:
            partitions = [partition for topic in topics for partition in cluster.partitions(topic)]
            counts = dict.fromkeys(topics, 0)
            for (topic, _), (begin, end) in cluster.offsets(partitions).items():
                counts[topic] += end - begin
            return counts

        return await self._ask(count)

    async def facts(self, topic: str) -> TopicFacts:
        def look(cluster: Cluster) -> TopicFacts:
            found = cluster.offsets(cluster.partitions(topic))
            ends = tuple(Ends(number, begin, end) for (_, number), (begin, end) in sorted(found.items()))
            return TopicFacts(ends, tuple(cluster.settings(topic).items()))

        return await self._ask(look)

    async def groups(self) -> Sequence[str]:
        return await self._ask(lambda cluster: cluster.groups())

    async def group(self, name: str) -> Group:
        def look(cluster: Cluster) -> Group:
            described = cluster.describe([name])[name]
            committed = cluster.committed(name)
            ends = cluster.offsets(key for key in sorted(committed) if key[0] in cluster.topics)
            behind = tuple(
                Behind(*key, committed[key], end, max(0, end - max(committed[key], begin)))
                for key, (begin, end) in ends.items()
            )
            members = tuple(f"{member.client_id} {member.host.removeprefix('/')}" for member in described.members)
            return Group(name, described.state.name.lower().replace("_", " "), members, behind)

        return await self._ask(look)

    # ------------------------------------------------------------------------------------------ messages

    async def browse(self, topic: str, start: Start) -> TopicBrowser:
        from aiokafka import AIOKafkaConsumer, TopicPartition
        from aiokafka.errors import KafkaError

        count = (await self.topics()).get(topic, 0)
        chosen = range(count) if start.partition is None else [start.partition]
        partitions = [TopicPartition(topic, number) for number in chosen if number < count]
        if not partitions:
            raise Unavailable(f"Kafka: {topic} has no partition {start.partition}" if count else f"there is no {topic}")
        consumer = AIOKafkaConsumer(**self._at().options(), enable_auto_commit=False, auto_offset_reset="earliest")
        browser = TopicBrowser(consumer, partitions, start)
        try:
            await consumer.start()
            await browser.seek()
        except (KafkaError, OSError, TimeoutError) as error:
            await consumer.stop()
            raise Unavailable(f"Kafka: {error or type(error).__name__}") from error
        except BaseException:
            await consumer.stop()
            raise
        return browser

    async def produce(self, topic: str, key: bytes | None, value: bytes | None) -> Verdict:
        """Send one message, and put on record who did."""
        from aiokafka import AIOKafkaProducer
        from aiokafka.errors import KafkaError

        from core.eventlog.act import of_operator, perform

        producer = AIOKafkaProducer(**self._at().options(), acks="all", request_timeout_ms=5_000)
        try:
            await producer.start()
            sent = await producer.send_and_wait(topic, value, key=key)
        except (KafkaError, OSError, TimeoutError) as error:
            raise Unavailable(f"Kafka: nothing was sent: {error or type(error).__name__}") from error
        finally:
            await producer.stop()
        event = events.MessageProduced(
            topic=topic, partition=sent.partition, offset=sent.offset, operator=self._operator
        )
        await perform(self._database.log, of_operator(self._operator, [event]))
        return Done(f"sent to {topic}/{sent.partition} @ {sent.offset}")

    # ------------------------------------------------------------------------------------------ dead letters

    async def dead_letters(self, limit: int) -> Sequence[DeadLetter]:
        rows = await self._database.fetch(
            'select id, at, topic, partition, "offset", error_class, left(reason, 500) as reason, status,'
            " coalesce(octet_length(value), 0) as size from ops.dead_letter order by id desc limit $1",
            limit,
        )
        return [
            DeadLetter(
                row["id"],
                epoch_ms(row["at"]),
                row["topic"],
                row["partition"],
                row["offset"],
                row["error_class"],
                row["reason"],
                row["status"],
                row["size"],
            )
            for row in rows
        ]

    async def letter(self, letter_id: int) -> LetterContent | None:
        row = await self._database.fetch_row("select key, value, headers from ops.dead_letter where id = $1", letter_id)
        if row is None:
            return None
        return LetterContent(row["key"], row["value"], _HEADERS.decode(row["headers"]))

    async def requeue(self, letter_id: int) -> Verdict:
        words = ["dead-letters", "requeue", str(letter_id), "--operator", self._operator]
        return _verdict(await self._twin.run(words))

    async def discard(self, letter_id: int, reason: str) -> Verdict:
        words = ["dead-letters", "discard", str(letter_id), f"--reason={reason}", "--operator", self._operator]
        return _verdict(await self._twin.run(words))


def _verdict(done: Finished) -> Verdict:
    if done.code == 0:
        return Done(done.rows[-1] if done.rows else "done")
    return Refused(done.note or f"it ended with code {done.code}")


def _message(record: Any) -> Message:
    headers = tuple((name, value or b"") for name, value in record.headers)
    return Message(record.partition, record.offset, record.timestamp, record.key, record.value, headers)


class TopicBrowser:
    """Partitions of a topic on a consumer of its own."""

    def __init__(self, consumer: Any, partitions: Sequence[Any], start: Start) -> None:
        self._consumer = consumer
        self._partitions = list(partitions)
        self._start = start

    async def seek(self) -> None:
        """Go to where reading starts; what does not exist any more or yet is replaced by what is nearest to it."""
        from core.kafka.messages import seek

        self._consumer.assign(self._partitions)
        latest = self._start.kind == "latest"
        await seek(self._consumer, self._partitions, self._start.kind, TAIL_MESSAGES if latest else self._start.value)

    async def next(self) -> Batch:
        from aiokafka.errors import KafkaError

        try:
            skipped = await self._catch_up() if self._start.tails else 0
            found = await self._consumer.getmany(timeout_ms=WAIT_MS, max_records=BATCH)
        except (KafkaError, OSError, TimeoutError) as error:
            raise Unavailable(f"Kafka: {error or type(error).__name__}") from error
        records = sorted((r for batch in found.values() for r in batch), key=lambda r: (r.timestamp, r.offset))
        return Batch(tuple(map(_message, records)), skipped)

    async def _catch_up(self) -> int:
        behind = 0
        for partition in self._partitions:
            end = self._consumer.highwater(partition)
            if end is not None:
                behind += max(0, end - await self._consumer.position(partition))
        if behind < TOO_FAR:
            return 0
        await self._consumer.seek_to_end(*self._partitions)
        return behind

    async def close(self) -> None:
        await self._consumer.stop()
