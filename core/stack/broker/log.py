"""The log of one partition: its segments, from the log start offset to the next offset (the high watermark)."""

import contextlib
from collections.abc import Callable
from pathlib import Path

from core.stack.broker.batch import first_at_or_after, placed, produced
from core.stack.broker.configs import TopicConfig
from core.stack.broker.errors import Code, KafkaError
from core.stack.broker.files import write_atomically
from core.stack.broker.idempotence import Producers
from core.stack.broker.segment import Segment

LEADER_EPOCH = 0  # one node, never a new leader
_START_FILE = "log-start-offset"


class PartitionLog:
    """Opens (and where need be repairs) the directory; every method runs on the broker's one thread."""

    def __init__(self, directory: Path, config: TopicConfig) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._config = config
        self._producers = Producers()
        self._segments: list[Segment] = []
        self._waiting: set[Callable[[], None]] = set()
        for base in sorted(int(path.stem) for path in directory.glob("*.log")):
            segment = Segment(self._segment_path(base), base)
            self._producers = segment.load(self._producers)
            self._segments.append(segment)
        if not self._segments:
            self._segments.append(Segment(self._segment_path(0), 0))
        self.start_offset = max(self._segments[0].base_offset, self._read_start())

    def _segment_path(self, base_offset: int) -> Path:
        return self._directory / f"{base_offset:020d}.log"

    def _read_start(self) -> int:
        try:
            return int((self._directory / _START_FILE).read_text())
        except (FileNotFoundError, ValueError):
            return 0

    @property
    def next_offset(self) -> int:
        return self._segments[-1].next_offset

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(segment.size for segment in self._segments)

    def append(self, records: memoryview) -> int:
        """Append the batches of a producer; returns the offset of the first record.

        Raises KafkaError: a damaged or too large batch, a sequence out of order, or a disk that takes no more.
        """
        batches = list(produced(records))
        if not batches:
            raise KafkaError(Code.INVALID_RECORD, "a produce request without records")
        first_offset = -1
        for batch, body in batches:
            if batch.size > self._config.max_message_bytes:
                raise KafkaError(
                    Code.MESSAGE_TOO_LARGE,
                    f"a batch of {batch.size} bytes; max.message.bytes is {self._config.max_message_bytes}",
                )
            offset = self._producers.duplicate_of(batch)
            if offset is None:
                offset = self.next_offset
                try:
                    self._writable(batch.size).append(batch, offset, placed(body, offset, LEADER_EPOCH))
                except OSError as error:
                    raise KafkaError(Code.KAFKA_STORAGE_ERROR, f"{self._directory}: {error.strerror}") from error
                self._producers.observe(batch, offset)
            if first_offset < 0:
                first_offset = offset
        for wake in list(self._waiting):
            wake()
        return first_offset

    def _writable(self, size: int) -> Segment:
        active = self._segments[-1]
        if active.size and active.size + size > self._config.segment_bytes:
            active = self._roll()
        return active

    def _roll(self) -> Segment:
        active = self._segments[-1]
        fresh = Segment(self._segment_path(active.next_offset), active.next_offset)
        self._segments.append(fresh)
        self._save_index(active)
        return fresh

    def _save_index(self, segment: Segment) -> None:
        with contextlib.suppress(OSError):  # without the index the next start walks the segment: slower, not wrong
            segment.save_index(self._producers)

    def read(self, offset: int, max_bytes: int, at_least_one: bool) -> bytes:
        """Whole batches from `offset` on, of one segment; empty at the end. Raises KafkaError(OFFSET_OUT_OF_RANGE)."""
        if not self.start_offset <= offset <= self.next_offset:
            raise KafkaError(Code.OFFSET_OUT_OF_RANGE)
        for segment in reversed(self._segments):
            if segment.base_offset <= offset:
                return segment.read(offset, max_bytes, at_least_one) if offset < segment.next_offset else b""
        return b""

    def on_append(self, wake: Callable[[], None]) -> None:
        self._waiting.add(wake)

    def off_append(self, wake: Callable[[], None]) -> None:
        self._waiting.discard(wake)

    def offset_for_time(self, timestamp: int) -> tuple[int, int] | None:
        """(offset, timestamp) of the earliest record at or after `timestamp` (ms), or None where there is none."""
        for segment in self._segments:
            if segment.max_timestamp >= timestamp:
                for body in segment.batches_since(timestamp):
                    found = first_at_or_after(body, timestamp, self.start_offset)
                    if found is not None:
                        return found
        return None

    def newest(self) -> tuple[int, int] | None:
        """(offset, timestamp) of the record with the greatest timestamp, or None where the log is empty."""
        timed = [segment.max_timestamp for segment in self._segments if segment.next_offset > segment.base_offset]
        return self.offset_for_time(max(timed)) if timed else None

    def delete_before(self, offset: int) -> int:
        """Drop records before `offset` (-1: all); whole segments leave the disk. Returns the new log start offset.

        Raises KafkaError(OFFSET_OUT_OF_RANGE) for an offset past the end.
        """
        if offset == -1:
            offset = self.next_offset
        if not 0 <= offset <= self.next_offset:
            raise KafkaError(Code.OFFSET_OUT_OF_RANGE)
        if offset > self.start_offset:
            write_atomically(self._directory / _START_FILE, str(offset))
            self.start_offset = offset
            if offset == self.next_offset and self._segments[-1].size:
                self._roll()
            while len(self._segments) > 1 and self._segments[0].next_offset <= offset:
                self._segments.pop(0).delete()
        return self.start_offset

    def apply_retention(self, now: int) -> None:
        """Delete the oldest segments that retention.bytes or retention.ms (by the records' timestamps) lets go."""
        if "delete" not in self._config.cleanup_policy:
            return
        keep_bytes, keep_ms = self._config.retention_bytes, self._config.retention_ms
        active = self._segments[-1]
        if keep_ms >= 0 and active.size and active.max_timestamp < now - keep_ms:
            self._roll()
        total = self.size
        while len(self._segments) > 1:
            oldest = self._segments[0]
            too_big = 0 <= keep_bytes <= total - oldest.size
            too_old = keep_ms >= 0 and oldest.max_timestamp < now - keep_ms
            if not too_big and not too_old:
                break
            total -= oldest.size
            self._segments.pop(0).delete()
        self.start_offset = max(self.start_offset, self._segments[0].base_offset)

    def close(self) -> None:
        for segment in self._segments[:-1]:
            segment.close()
        self._save_index(self._segments[-1])
        self._segments[-1].close()

    def delete(self) -> None:
        for segment in self._segments:
            segment.delete()
        (self._directory / _START_FILE).unlink(missing_ok=True)
        self._directory.rmdir()
