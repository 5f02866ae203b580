"""What the Kafka screen needs. Times are epoch milliseconds; keys and values are bytes as they lie in the topic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tui.ports import Verdict

Headers = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Ends:
    """A partition's first offset and the next to be written."""

    partition: int
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class TopicFacts:
    """A topic's partitions, and the settings that were made for it."""

    ends: tuple[Ends, ...]
    settings: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Behind:
    """How far a reader is in a partition; ``lag`` counts messages that are still there to be read."""

    topic: str
    partition: int
    committed: int
    end: int
    lag: int


@dataclass(frozen=True, slots=True)
class Group:
    """A consumer group as the cluster describes it."""

    name: str
    state: str
    members: tuple[str, ...]
    behind: tuple[Behind, ...]

    @property
    def lag(self) -> int:
        return sum(part.lag for part in self.behind)


@dataclass(frozen=True, slots=True)
class Message:
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


@dataclass(frozen=True, slots=True)
class Start:
    """Where to read from. ``kind`` is latest, beginning, offset or time (``value``: offset, or epoch ms)."""

    kind: str
    value: int = 0
    partition: int | None = None

    @property
    def tails(self) -> bool:
        """Whether the newest messages matter more than having every one."""
        return self.kind == "latest"


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages in order of their time; ``skipped`` were passed over because they came faster than they are read."""

    messages: tuple[Message, ...]
    skipped: int = 0


class Browser(Protocol):
    """Reads a topic without a group: nobody's offsets move."""

    async def next(self) -> Batch:
        """What has come, empty after a moment without anything. Raises ``Unavailable``."""

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that the inlet refused. ``status`` is open, requeued or discarded."""

    id: int
    at: int
    topic: str
    partition: int
    offset: int
    error_class: str
    reason: str
    status: str
    size: int


@dataclass(frozen=True, slots=True)
class LetterContent:
    key: bytes | None
    value: bytes | None
    headers: Headers


class ClusterPort(Protocol):
    """Every method may raise ``Unavailable``; what is slow comes in stages, so that names stand at once."""

    async def topics(self) -> Mapping[str, int]:
        """Name -> number of partitions."""

    async def messages(self, topics: Sequence[str]) -> Mapping[str, int]:
        """Topic -> how many messages lie in it now."""

    async def facts(self, topic: str) -> TopicFacts: ...

    async def groups(self) -> Sequence[str]: ...

    async def group(self, name: str) -> Group: ...

    async def browse(self, topic: str, start: Start) -> Browser: ...

    async def produce(self, topic: str, key: bytes | None, value: bytes | None) -> Verdict: ...

    async def dead_letters(self, limit: int) -> Sequence[DeadLetter]:
        """Newest first."""

    async def letter(self, letter_id: int) -> LetterContent | None: ...

    async def requeue(self, letter_id: int) -> Verdict: ...

    async def discard(self, letter_id: int, reason: str) -> Verdict: ...
