"""Topics of the cluster: what there is, making and deleting them, and where their logs begin and end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, UnknownTopicOrPartitionError, for_code

from ksqldb.engine.errors import ServerError


@dataclass(frozen=True, slots=True)
class TopicInfo:
    """``replicas`` has one number a partition."""

    name: str
    replicas: tuple[int, ...]

    @property
    def partitions(self) -> int:
        return len(self.replicas)


class Cluster:
    """One admin client, one metadata consumer and one producer, shared by the engine. Failures are ServerError."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self.cluster_id = ""
        self.producer: Any = None
        self._admin: Any = None
        self._lookup: Any = None

    async def start(self) -> None:
        self._admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        self._lookup = self.consumer()
        # No linger: an alert is worth more than a full batch; batches are built by `output`, not record by record.
        self.producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, linger_ms=0, max_batch_size=256 * 1024)
        try:
            await self._admin.start()
            await self._lookup.start()
            await self.producer.start()
            described = await self._admin.describe_cluster()
        except KafkaError as error:
            await self.stop()
            raise ServerError(f"Kafka at {self.bootstrap} cannot be reached: {error}") from error
        self.cluster_id = str(described["cluster_id"])

    async def stop(self) -> None:
        if self.producer is not None:
            await self.producer.stop()
        if self._lookup is not None:
            await self._lookup.stop()
        if self._admin is not None:
            await self._admin.close()

    def consumer(self, max_wait_ms: int = 100) -> Any:
        """A consumer that belongs to no group; whoever made it assigns, seeks and stops it."""
        return AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap,
            enable_auto_commit=False,
            auto_offset_reset="none",
            fetch_max_wait_ms=max_wait_ms,
            max_partition_fetch_bytes=4 * 1024 * 1024,
        )

    async def topics(self) -> list[TopicInfo]:
        """All topics, by name."""
        names = await self._admin.list_topics()
        described = await self._admin.describe_topics(list(names)) if names else []
        found = [
            TopicInfo(topic["topic"], tuple(len(partition["replicas"]) for partition in topic["partitions"]))
            for topic in described
            if topic["error_code"] == 0
        ]
        return sorted(found, key=lambda topic: topic.name)

    async def create_topic(
        self, name: str, partitions: int, replicas: int = 1, configs: Mapping[str, str] | None = None
    ) -> None:
        """Make a topic; one that is there already is left as it is."""
        answer = await self._admin.create_topics(
            [NewTopic(name, partitions, replicas, topic_configs=dict(configs or {}))]
        )
        for topic, code, *rest in answer.topic_errors:
            error = for_code(code)
            if code and error is not TopicAlreadyExistsError:
                raise ServerError(
                    f"topic {topic} could not be created: {rest[0] if rest and rest[0] else error.__name__}"
                )

    async def delete_topic(self, name: str) -> None:
        """Delete a topic with its records; an absent one is no error."""
        answer = await self._admin.delete_topics([name])
        for topic, code in answer.topic_error_codes:
            error = for_code(code)
            if code and error is not UnknownTopicOrPartitionError:
                raise ServerError(f"topic {topic} could not be deleted: {error.__name__}")

    async def offsets(self, partitions: Iterable[TopicPartition], earliest: bool) -> dict[TopicPartition, int]:
        """The first offset that can be read, or the next one that will be written, of each partition."""
        wanted = list(partitions)
        if not wanted:
            return {}
        look = self._lookup.beginning_offsets if earliest else self._lookup.end_offsets
        found: dict[TopicPartition, int] = await look(wanted)
        return found
