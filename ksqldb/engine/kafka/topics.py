"""Topics: which there are, made and deleted."""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, UnknownTopicOrPartitionError, for_code

from ksqldb.engine.errors import ServerError
from ksqldb.kafka import Kafka

DEFAULT_RETENTION_MS = 604_800_000


@dataclass(frozen=True, slots=True)
class TopicInfo:
    name: str
    partitions: int
    replicas: int


class Topics:
    """Kafka's topics by the admin protocol. Raises aiokafka's KafkaError where the broker cannot be asked."""

    def __init__(self, bootstrap: str) -> None:
        self.admin = AIOKafkaAdminClient(**Kafka.from_environment(bootstrap).options(), client_id="ksqldb-engine-admin")
        self.cluster_id = ""

    async def start(self) -> None:
        await self.admin.start()
        described = await self.admin.describe_cluster()
        self.cluster_id = str(described.get("cluster_id") or "")

    async def stop(self) -> None:
        await self.admin.close()

    async def list(self) -> dict[str, TopicInfo]:
        names = await self.admin.list_topics()
        described = await self.admin.describe_topics(list(names)) if names else []
        found = {}
        for topic in described:
            if topic.get("error_code"):
                continue
            partitions = topic["partitions"]
            replicas = max((len(p["replicas"]) for p in partitions), default=1)
            found[topic["topic"]] = TopicInfo(topic["topic"], len(partitions), replicas)
        return found

    async def retention_ms(self, name: str) -> int:
        """A topic's ``retention.ms``; Kafka's default where the broker does not say."""
        resource = ConfigResource(ConfigResourceType.TOPIC, name, {"retention.ms": ""})
        for response in await self.admin.describe_configs([resource]):
            for _, _, _, _, entries in response.resources:
                for entry in entries:
                    if entry[0] == "retention.ms" and entry[1] is not None:
                        return int(entry[1])
        return DEFAULT_RETENTION_MS

    async def create(self, name: str, partitions: int, configs: Mapping[str, str], replicas: int = 1) -> None:
        """Make a topic and wait until it is there; one that exists already is left as it is."""
        topic = NewTopic(name, partitions, replicas, topic_configs=dict(configs))
        response = await self.admin.create_topics([topic])
        for answer in response.topic_errors:
            error = for_code(answer[1])
            if answer[1] and error is not TopicAlreadyExistsError:
                reason = answer[2] if len(answer) > 2 and answer[2] else error.__name__
                cause = "\n".join(textwrap.wrap(f"Caused by: {reason}", 80, subsequent_indent="\t"))
                raise ServerError(f"Failed to guarantee existence of topic {name}\n{cause}")
        for _ in range(100):
            described = await self.admin.describe_topics([name])
            if described and not described[0].get("error_code") and described[0]["partitions"]:
                return
            await asyncio.sleep(0.05)
        raise ServerError(f"Failed to guarantee existence of topic {name}: it does not appear")

    async def delete(self, name: str) -> None:
        response = await self.admin.delete_topics([name])
        for _, code, *_ in getattr(response, "topic_error_codes", ()):
            if code and for_code(code) is not UnknownTopicOrPartitionError:
                raise ServerError(f"Could not delete topic {name}: {for_code(code).__name__}")
