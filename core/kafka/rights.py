"""A right that a cluster's ACLs do not give: its name, and the command that gives it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
)

from core.kafka.connection import Kafka

_REFUSALS = (
    ClusterAuthorizationFailedError,
    TopicAuthorizationFailedError,
)


class RightMissing(KafkaError):  # type: ignore[misc]
    """The text names who lacks which right on what, and how it is given."""

    def __str__(self) -> str:  # the base class puts its own name before it
        return str(self.args[0])


def missing(kafka: Kafka, operation: str, resource: str, name: str) -> RightMissing:
    """``operation`` and ``resource`` as kafka-acls spells them: Read, Write, Describe ...; topic, group, cluster."""
    what = "the cluster" if resource == "cluster" else f"{resource} {name}"
    option = "--cluster" if resource == "cluster" else f"--{resource} {name}"
    return RightMissing(
        f"Kafka does not let {kafka.who} {operation} {what}: "
        f"kafka-acls --add --allow-principal {kafka.who} --operation {operation} {option}"
    )


def unseen(kafka: Kafka, topic: str) -> RightMissing:
    """A topic that is not shown, and may not be made: it is not there, or there is no right to see it."""
    return RightMissing(
        f"Kafka shows {kafka.who} no topic {topic} and does not let it Create one: "
        "make it and give the right Describe, or "
        f"kafka-acls --add --allow-principal {kafka.who} --operation Create --topic {topic}"
    )


@contextmanager
def needing(kafka: Kafka, operation: str, resource: str, name: str) -> Iterator[None]:
    """What the cluster refuses inside is said to lack this right. Raises ``RightMissing``."""
    try:
        yield
    except (
        GroupAuthorizationFailedError
    ) as error:  # a consumer meets its group's coordinator while it does other things
        raise missing(kafka, operation if resource == "group" else "Read", "group", error.args[0] or name) from error
    except _REFUSALS as error:
        raise missing(kafka, operation, resource, name) from error
