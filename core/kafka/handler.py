"""What is done with the records the inlet takes in: the port its owner fills."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from aiokafka import TopicPartition

from core.kafka.lane import Lane
from core.kafka.record import DeadLetter, Record

S = TypeVar("S")


@dataclass
class PartitionBatch(Generic[S]):
    """Decoded records of one partition, topic by topic in the inlet's order of topics, and the partition's state."""

    partition: int
    items: list[tuple[Record, Any]]
    state: S


@dataclass
class BatchResult:
    """``dead``: records the handler refuses."""

    dead: list[DeadLetter] = field(default_factory=list)


class BatchHandler(Protocol[S]):
    """What is done with the records. State is the handler's memory of a partition: a cache of what it keeps in the
    database, since the inlet throws it away whenever a batch did not commit."""

    def state(self, partition: int) -> S:
        """Memory as of the database, however the handler gets it there (mostly: empty, loaded when needed)."""

    async def handle(self, conn: Any, batches: Sequence[PartitionBatch[S]]) -> BatchResult:
        """Do the work of the batches inside the transaction open on ``conn``; any exception rolls all of it back."""


class Gate(Protocol):
    """Says how far records may be taken in now; the rest is offered again soon, its other lanes go on meanwhile."""

    async def admit(self, cluster: str, lanes: Mapping[TopicPartition, Lane]) -> Mapping[TopicPartition, int]:
        """Lanes that must wait, each with the offset from which on. Everything before ``lanes`` was
        committed."""
