"""How Kafka is reached: one value that every client is made from."""

from __future__ import annotations

from aiokafka.admin import AIOKafkaAdminClient

from ksqldb.kafka import Kafka

__all__ = ["Kafka", "cluster_id"]


async def cluster_id(kafka: Kafka) -> str:
    """The id of the cluster at this address; a wiped embedded broker has a new one."""
    admin = AIOKafkaAdminClient(**kafka.options())
    await admin.start()
    try:
        described = await admin.describe_cluster()
    finally:
        await admin.close()
    return str(described["cluster_id"])
