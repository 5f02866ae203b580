"""What the pipeline has still to read: the topics' ends against the offsets that PostgreSQL holds with the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui.adapters.database import Database
from tui.ports import Lag, Unavailable

if TYPE_CHECKING:
    from core.kafka.connection import Kafka

TOPICS = ("transactions", "fraud_alerts")


class KafkaLag:
    """Keeps one consumer without a group; it reads no record, only where the topics end."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._at: Any = None
        self._consumer: Any = None
        self._partitions: list[Any] = []

    def open(self, kafka: Kafka) -> None:
        """The cluster to ask from now on."""
        self._at = kafka

    async def close(self) -> None:
        if self._consumer is not None:
            consumer, self._consumer = self._consumer, None
            await consumer.stop()

    async def _connect(self) -> None:
        from aiokafka import AIOKafkaConsumer, TopicPartition

        from core.kafka.admin import topics

        counts = await topics(self._at)
        self._partitions = [TopicPartition(name, part) for name in TOPICS for part in range(counts.get(name, 0))]
        if not self._partitions:
            raise Unavailable("Kafka: the topics are not there yet")
        consumer = AIOKafkaConsumer(**self._at.options(), enable_auto_commit=False)
        try:
            await consumer.start()
        except BaseException:
            await consumer.stop()
            raise
        self._consumer = consumer

    async def _ends(self) -> dict[tuple[str, int], int]:
        from aiokafka.errors import KafkaError

        if self._at is None:
            raise Unavailable("Kafka: not connected yet")
        try:
            if self._consumer is None:
                await self._connect()
            ends = await self._consumer.end_offsets(self._partitions)
        except (KafkaError, OSError, TimeoutError) as error:
            await self.close()
            raise Unavailable(f"Kafka: {error or type(error).__name__}") from error
        return {(partition.topic, partition.partition): end for partition, end in ends.items()}

    async def lag(self) -> Lag:
        ends = await self._ends()
        rows = await self._database.fetch(
            "select distinct on (topic, partition) topic, partition, next_offset from ops.koff"
            " order by topic, partition, updated_at desc"
        )
        taken = {(row["topic"], row["partition"]): int(row["next_offset"]) for row in rows}
        lags = {place: max(0, end - taken.get(place, 0)) for place, end in ends.items()}
        return Lag(sum(lags.values()), lags)
