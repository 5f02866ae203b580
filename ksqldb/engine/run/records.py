"""How records flow between operators: plain tuples, in batches, per partition.

A stream record is ``(key, value, timestamp ms, window)``, a table change ``(key, value, old value, timestamp,
window)``. Keys and values are tuples of
column values; a value of None is a null value (a tombstone in tables). ``window`` is
None or ``(start, end)`` in ms.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

Window: TypeAlias = "tuple[int, int] | None"
Key: TypeAlias = tuple[Any, ...]
Value: TypeAlias = "tuple[Any, ...] | None"
StreamRecord: TypeAlias = tuple[Key, Value, int, Window]
TableChange: TypeAlias = tuple[Key, Value, Value, int, Window]
Batch: TypeAlias = "list[Any]"  # of StreamRecord or TableChange


class NullKey(tuple[Any, ...]):
    """The key of a record without one: all its columns are null, and it is written as null bytes."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class ProcessingError:
    """Why a record or one of its values was lost: for the processing log."""

    query_id: str
    step: str
    message: str
    record: str = ""


Report: TypeAlias = Callable[[str, str, object], None]  # step, message, the record at hand
Clock: TypeAlias = Callable[[], int]  # wall clock, ms


class Operator:
    """A step at work. ``push`` takes a batch of one partition in order and hands its results on."""

    def __init__(self) -> None:
        self.next: Operator | None = None

    def push(self, batch: Batch, partition: int) -> None:
        raise NotImplementedError

    def emit(self, batch: Batch, partition: int) -> None:
        if batch and self.next is not None:
            self.next.push(batch, partition)

    def snapshot(self) -> Any:
        """State as plain values (None where there is none), for ``restore``."""
        return None

    def restore(self, state: Any) -> None:
        """Take over what ``snapshot`` gave."""
