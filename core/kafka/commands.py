"""`streamguard topics` and `streamguard groups`: look at a cluster and act on it. They return exit codes."""

import logging
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

from confluent_kafka import ConsumerGroupState, ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, ConfigSource, NewTopic, OffsetSpec, ResourceType

from core.kafka.connection import Kafka
from core.kafka.rights import RightMissing, missing
from core.output import note, print_json, print_rows

T = TypeVar("T")
K = TypeVar("K")

DONE, NO, UNREACHABLE = 0, 1, 3
_WITHIN = 10.0  # seconds
_FIRST_ANSWER_WITHIN = 5.0
_UNAUTHORISED = (
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
)


class Cluster:
    """An admin connection that has answered once. Raises ConnectionError where no broker does."""

    def __init__(self, kafka: Kafka) -> None:
        silent = logging.getLogger("librdkafka")
        silent.addHandler(logging.NullHandler())
        silent.propagate = False  # what it reports comes back as exceptions too
        self._admin = AdminClient(kafka.librdkafka(), logger=silent)
        self._bootstrap = kafka.bootstrap
        self._right = partial(missing, kafka)
        self.topics: dict[str, int] = {}
        self.refresh()

    def refresh(self) -> dict[str, int]:
        """The topics as they are now, name -> partitions; kept in `topics`. Raises ConnectionError."""
        try:
            listed = self._admin.list_topics(timeout=_FIRST_ANSWER_WITHIN)
        except KafkaException as error:
            raise ConnectionError(f"no Kafka broker answers at {self._bootstrap}") from error
        self.topics = {name: len(topic.partitions) for name, topic in sorted(listed.topics.items())}
        return self.topics

    def offsets(self, partitions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], tuple[int, int]]:
        """(begin, end) of each partition."""
        named = [TopicPartition(topic, partition) for topic, partition in partitions]
        if not named:
            return {}
        describing = self._right("Describe", "topic", ", ".join(sorted({partition.topic for partition in named})))
        ends = _results(self._admin.list_offsets({partition: OffsetSpec.latest() for partition in named}), describing)
        begins = _results(
            self._admin.list_offsets({partition: OffsetSpec.earliest() for partition in named}), describing
        )
        return {(p.topic, p.partition): (begins[p].offset, ends[p].offset) for p in named}

    def partitions(self, topic: str) -> list[tuple[str, int]]:
        return [(topic, partition) for partition in range(self.topics.get(topic, 0))]

    def settings(self, topic: str) -> dict[str, str]:
        """What was set for the topic itself."""
        asked = self._admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic)])
        (found,) = _results(asked, self._right("DescribeConfigs", "topic", topic)).values()
        own = ConfigSource.DYNAMIC_TOPIC_CONFIG.value
        return {name: entry.value for name, entry in sorted(found.items()) if entry.source == own}

    def create(self, topic: str, partitions: int, replication: int, settings: Mapping[str, str]) -> None:
        asked = self._admin.create_topics([NewTopic(topic, partitions, replication, config=dict(settings))])
        _results(asked, self._right("Create", "topic", topic))

    def delete(self, topic: str) -> None:
        _results(self._admin.delete_topics([topic]), self._right("Delete", "topic", topic))

    def groups(self) -> list[str]:
        listed = self._admin.list_consumer_groups(request_timeout=_WITHIN).result(_WITHIN)
        return sorted(group.group_id for group in listed.valid)

    def describe(self, groups: Sequence[str]) -> dict[str, Any]:
        if not groups:
            return {}
        asked = self._admin.describe_consumer_groups(list(groups))
        return _results(asked, self._right("Describe", "group", ", ".join(groups)))

    def committed(self, group: str) -> dict[tuple[str, int], int]:
        asked = self._admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])
        found = _results(asked, self._right("Describe", "group", group))[group]
        return {(p.topic, p.partition): p.offset for p in found.topic_partitions if p.offset >= 0}

    def forget(self, group: str) -> None:
        _results(self._admin.delete_consumer_groups([group]), self._right("Delete", "group", group))


def _results(asked: Mapping[K, "Future[T]"], right: RightMissing) -> dict[K, T]:
    """Raises KafkaException where the cluster refuses, and `right` where it does so for want of it."""
    try:
        return {key: future.result(_WITHIN) for key, future in asked.items()}
    except KafkaException as error:
        if error.args[0].code() in _UNAUTHORISED:
            raise right from error
        raise


def refused(error: Exception) -> str:
    """The cluster's reason, for a person."""
    reason = error.args[0]
    return str(reason.str() if hasattr(reason, "str") else reason)


# --- topics ------------------------------------------------------------------------------------------------------


def list_topics(kafka: Kafka, *, as_json: bool) -> int:
    """Topics with their partitions and how many records they hold."""
    cluster = Cluster(kafka)
    offsets = cluster.offsets(partition for topic in cluster.topics for partition in cluster.partitions(topic))
    held = {
        topic: sum(end - begin for (name, _), (begin, end) in offsets.items() if name == topic)
        for topic in cluster.topics
    }
    rows = [(topic, count, held[topic]) for topic, count in cluster.topics.items()]
    print_rows(("topic", "partitions", "records"), rows, as_json)
    return DONE


def show_topic(kafka: Kafka, topic: str, *, as_json: bool) -> int:
    """The partitions of a topic with their offsets, and the settings made for it."""
    cluster = Cluster(kafka)
    if topic not in cluster.topics:
        note(f"there is no topic {topic}")
        return NO
    offsets = cluster.offsets(cluster.partitions(topic))
    rows = [(partition, begin, end, end - begin) for (_, partition), (begin, end) in offsets.items()]
    columns = ("partition", "begin", "end", "records")
    settings = cluster.settings(topic)
    if as_json:
        partitions = [dict(zip(columns, row, strict=True)) for row in rows]
        print_json({"topic": topic, "partitions": partitions, "settings": settings})
        return DONE
    print_rows(columns, rows)
    if settings:
        print()
        print_rows(("setting", "value"), list(settings.items()))
    return DONE


def create_topic(kafka: Kafka, topic: str, partitions: int, replication: int, settings: Sequence[str]) -> int:
    """Create a topic; `settings` are NAME=VALUE."""
    Cluster(kafka).create(topic, partitions, replication, dict(setting.split("=", 1) for setting in settings))
    note(f"created {topic}")
    return DONE


def delete_topic(kafka: Kafka, topic: str, *, yes: bool) -> int:
    """Delete a topic with its records, after asking."""
    if not yes and not _confirmed(f"Delete topic {topic} with all its records?"):
        return NO
    Cluster(kafka).delete(topic)
    note(f"deleted {topic}")
    return DONE


# --- groups ------------------------------------------------------------------------------------------------------


def list_groups(kafka: Kafka, *, as_json: bool) -> int:
    """Consumer groups with their state, members and how many records they are behind."""
    cluster = Cluster(kafka)
    described = cluster.describe(cluster.groups())
    rows = [
        (group, _state(known), len(known.members), sum(lag for *_, lag in _lag(cluster, group)))
        for group, known in described.items()
    ]
    print_rows(("group", "state", "members", "lag"), rows, as_json)
    return DONE


def show_group(kafka: Kafka, group: str, *, as_json: bool) -> int:
    """What a group has committed and how far it is behind, partition by partition, and who its members are."""
    cluster = Cluster(kafka)
    known = cluster.describe([group])[group]
    if known.state == ConsumerGroupState.DEAD:
        note(f"there is no group {group}")
        return NO
    columns = ("topic", "partition", "committed", "end", "lag")
    rows = _lag(cluster, group)
    members = [(member.client_id, member.host.removeprefix("/")) for member in known.members]
    if as_json:
        print_json(
            {
                "group": group,
                "state": _state(known),
                "members": [{"client_id": client, "host": host} for client, host in members],
                "partitions": [dict(zip(columns, row, strict=True)) for row in rows],
            }
        )
        return DONE
    print_rows(columns, rows)
    if members:
        print()
        print_rows(("member", "host"), members)
    return DONE


def delete_group(kafka: Kafka, group: str, *, yes: bool) -> int:
    """Delete a group that has no members, with the offsets it committed, after asking."""
    if not yes and not _confirmed(f"Delete group {group} and the offsets it committed?"):
        return NO
    Cluster(kafka).forget(group)
    note(f"deleted {group}")
    return DONE


def _state(described: Any) -> str:
    return str(described.state.name.lower().replace("_", " "))


def _lag(cluster: Cluster, group: str) -> list[tuple[str, int, int, int, int]]:
    """(topic, partition, committed, end, lag) where the group committed; what retention deleted is not lag."""
    committed = cluster.committed(group)
    there = cluster.offsets(key for key in sorted(committed) if key[0] in cluster.topics)
    return [
        (*key, committed[key], end, max(0, end - max(committed[key], begin))) for key, (begin, end) in there.items()
    ]


def _confirmed(question: str) -> bool:
    if not sys.stdin.isatty():
        note("say --yes to mean it: there is no terminal to ask on")
        return False
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
