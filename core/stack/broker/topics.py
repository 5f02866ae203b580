"""The topics of a data directory: names, partition counts and settings in one file, a directory per partition."""

import json
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from core.stack.broker.configs import TopicConfig, check
from core.stack.broker.errors import Code, KafkaError
from core.stack.broker.files import write_atomically
from core.stack.broker.log import PartitionLog

_NAME = re.compile(r"[A-Za-z0-9._-]{1,249}")
_MOST_PARTITIONS = 1000  # each holds a file open


@dataclass(slots=True)
class Topic:
    name: str
    config: TopicConfig
    partitions: list[PartitionLog] = field(default_factory=list)


def check_name(name: str) -> None:
    """Raises KafkaError(INVALID_TOPIC)."""
    if not _NAME.fullmatch(name) or name in (".", ".."):
        raise KafkaError(
            Code.INVALID_TOPIC, f"Topic name {name[:249]!r} is illegal: letters, digits, '.', '_' and '-', at most 249"
        )


class Topics:
    """Opens every partition found under `directory`."""

    def __init__(self, directory: Path, default_partitions: int) -> None:
        self._directory = directory / "topics"
        self._file = directory / "topics.json"
        self.default_partitions = default_partitions
        self._topics: dict[str, Topic] = {}
        self._directory.mkdir(parents=True, exist_ok=True)
        if self._file.exists():
            for name, known in json.loads(self._file.read_text()).items():
                topic = self._topics[name] = Topic(name, TopicConfig(known["configs"]))
                self._open(topic, known["partitions"])
        self._remove_leftovers()

    def _remove_leftovers(self) -> None:
        """What a kill in the middle of a create or delete left: a topic made later must not find old records."""
        known = {f"{topic.name}-{index}" for topic in self._topics.values() for index in range(len(topic.partitions))}
        for path in self._directory.iterdir():
            if path.name not in known:
                shutil.rmtree(path)

    def _open(self, topic: Topic, count: int) -> None:
        for index in range(len(topic.partitions), count):
            topic.partitions.append(PartitionLog(self._directory / f"{topic.name}-{index}", topic.config))

    def save(self) -> None:
        known = {
            topic.name: {"partitions": len(topic.partitions), "configs": topic.config.overrides}
            for topic in self._topics.values()
        }
        write_atomically(self._file, json.dumps(known, indent=1))

    def names(self) -> list[str]:
        return sorted(self._topics)

    def get(self, name: str) -> Topic | None:
        return self._topics.get(name)

    def topic(self, name: str) -> Topic:
        """Raises KafkaError(UNKNOWN_TOPIC_OR_PARTITION)."""
        found = self._topics.get(name)
        if found is None:
            raise KafkaError(Code.UNKNOWN_TOPIC_OR_PARTITION)
        return found

    def partition(self, name: str, index: int) -> PartitionLog:
        """Raises KafkaError(UNKNOWN_TOPIC_OR_PARTITION)."""
        partitions = self.topic(name).partitions
        if not 0 <= index < len(partitions):
            raise KafkaError(Code.UNKNOWN_TOPIC_OR_PARTITION)
        return partitions[index]

    def logs(self) -> list[PartitionLog]:
        return [log for topic in self._topics.values() for log in topic.partitions]

    def create(self, name: str, partitions: int, configs: dict[str, str | None], dry: bool = False) -> Topic | None:
        """Make a topic; partitions -1 is the default count. Raises KafkaError: the name, the count, a setting, or there
        is one already. With `dry` only the checks are made.
        """
        check_name(name)
        if name in self._topics:
            raise KafkaError(Code.TOPIC_ALREADY_EXISTS, f"Topic '{name}' already exists.")
        if partitions == -1:
            partitions = self.default_partitions
        _check_count(partitions)
        checked = {setting: check(setting, value) for setting, value in configs.items()}
        if dry:
            return None
        topic = Topic(name, TopicConfig(checked))
        self._open(topic, partitions)
        self._topics[name] = topic
        self.save()
        return topic

    def grow(self, name: str, count: int, dry: bool = False) -> None:
        """Raise the number of partitions to `count`. Raises KafkaError where that is not more than there are."""
        topic = self.topic(name)
        if count <= len(topic.partitions):
            raise KafkaError(
                Code.INVALID_PARTITIONS, f"Topic '{name}' has {len(topic.partitions)} partitions; {count} is not more."
            )
        _check_count(count)
        if not dry:
            self._open(topic, count)
            self.save()

    def delete(self, name: str) -> None:
        """Raises KafkaError(UNKNOWN_TOPIC_OR_PARTITION)."""
        topic = self.topic(name)
        del self._topics[name]
        self.save()
        for log in topic.partitions:
            log.delete()

    def close(self) -> None:
        for log in self.logs():
            log.close()


def _check_count(partitions: int) -> None:
    if not 1 <= partitions <= _MOST_PARTITIONS:
        raise KafkaError(
            Code.INVALID_PARTITIONS, f"{partitions} partitions; from 1 to {_MOST_PARTITIONS} are possible here"
        )
