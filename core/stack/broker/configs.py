"""Topic settings under Kafka's names: which there are, their defaults, what a value may be."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum

from core.stack.broker.errors import Code, KafkaError


class Kind(IntEnum):
    """Config types as DescribeConfigs v3 numbers them."""

    BOOLEAN = 1
    STRING = 2
    INT = 3
    LONG = 5
    DOUBLE = 6
    LIST = 7


@dataclass(frozen=True, slots=True)
class Definition:
    default: str
    kind: Kind
    valid: Callable[[str], bool]


def _whole(least: int, most: int = 2**63 - 1) -> Callable[[str], bool]:
    def check(value: str) -> bool:
        try:
            return least <= int(value) <= most
        except ValueError:
            return False

    return check


def _one_of(*words: str) -> Callable[[str], bool]:
    return lambda value: value in words


def _ratio(value: str) -> bool:
    try:
        return 0.0 <= float(value) <= 1.0
    except ValueError:
        return False


def _policies(value: str) -> bool:
    return set(filter(None, value.split(","))) <= {"delete", "compact"}


_INT_MAX = 2**31 - 1
_LONG_MAX = str(2**63 - 1)

# Time does not delete by default: a replayed file carries the timestamps of its own past, which Kafka's seven days
# would drop at the first look. The size of a partition bounds the disk instead.
DEFINITIONS: Mapping[str, Definition] = {
    "cleanup.policy": Definition("delete", Kind.LIST, _policies),
    "compression.type": Definition(
        "producer", Kind.STRING, _one_of("producer", "uncompressed", "gzip", "snappy", "lz4", "zstd")
    ),
    "delete.retention.ms": Definition("86400000", Kind.LONG, _whole(0)),
    "file.delete.delay.ms": Definition("60000", Kind.LONG, _whole(0)),
    "flush.messages": Definition(_LONG_MAX, Kind.LONG, _whole(1)),
    "flush.ms": Definition(_LONG_MAX, Kind.LONG, _whole(0)),
    "index.interval.bytes": Definition("4096", Kind.INT, _whole(0, _INT_MAX)),
    "max.compaction.lag.ms": Definition(_LONG_MAX, Kind.LONG, _whole(1)),
    "max.message.bytes": Definition("1048588", Kind.INT, _whole(0, _INT_MAX)),
    "message.timestamp.type": Definition("CreateTime", Kind.STRING, _one_of("CreateTime")),
    "min.cleanable.dirty.ratio": Definition("0.5", Kind.DOUBLE, _ratio),
    "min.compaction.lag.ms": Definition("0", Kind.LONG, _whole(0)),
    "min.insync.replicas": Definition("1", Kind.INT, _whole(1, _INT_MAX)),
    "preallocate": Definition("false", Kind.BOOLEAN, _one_of("true", "false")),
    "retention.bytes": Definition(str(1 << 30), Kind.LONG, _whole(-1)),
    "retention.ms": Definition("-1", Kind.LONG, _whole(-1)),
    "segment.bytes": Definition(str(64 << 20), Kind.INT, _whole(14, _INT_MAX)),
    "segment.index.bytes": Definition("10485760", Kind.INT, _whole(4, _INT_MAX)),
    "segment.jitter.ms": Definition("0", Kind.LONG, _whole(0)),
    "segment.ms": Definition("604800000", Kind.LONG, _whole(1)),
    "unclean.leader.election.enable": Definition("false", Kind.BOOLEAN, _one_of("true", "false")),
}


def check(name: str, value: str | None) -> str:
    """The value, if the setting exists and takes it. Raises KafkaError(INVALID_CONFIG)."""
    definition = DEFINITIONS.get(name)
    if definition is None:
        raise KafkaError(Code.INVALID_CONFIG, f"Unknown topic config name: {name}")
    if value is None or not definition.valid(value):
        raise KafkaError(Code.INVALID_CONFIG, f"Invalid value {value} for configuration {name}")
    return value


class TopicConfig:
    """What was set for one topic, over the defaults. Shared by the topic's partitions, so a change acts at once."""

    def __init__(self, overrides: Mapping[str, str] | None = None) -> None:
        self.overrides = dict(overrides or {})
        self._read()

    def _read(self) -> None:
        self.cleanup_policy = self.value("cleanup.policy").split(",")
        self.max_message_bytes = int(self.value("max.message.bytes"))
        self.retention_bytes = int(self.value("retention.bytes"))
        self.retention_ms = int(self.value("retention.ms"))
        self.segment_bytes = int(self.value("segment.bytes"))

    def value(self, name: str) -> str:
        return self.overrides.get(name, DEFINITIONS[name].default)

    def replace(self, overrides: Mapping[str, str]) -> None:
        """Set exactly these. Raises KafkaError(INVALID_CONFIG) and changes nothing where one is wrong."""
        self.overrides = {name: check(name, value) for name, value in overrides.items()}
        self._read()
