"""One segment file of a partition: batches one after another, and a sparse index over them in memory."""

import contextlib
import json
import os
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from pathlib import Path

from core.stack.broker.batch import HEADER_SIZE, Batch, intact, parse
from core.stack.broker.errors import KafkaError
from core.stack.broker.idempotence import Producers, Snapshot

_INDEX_EVERY = 4096  # bytes of log an index entry stands for
_LOOK = 4096 + HEADER_SIZE  # read at once where a position is searched
_SCAN = 1 << 20  # read at once where a whole file is walked
NO_TIMESTAMP = -1


class Segment:
    """The file named by its first offset. The index has, for every ~4 KiB, the first batch there and its file position,
    and the newest timestamp (ms) of everything before it; from the entry on the headers in the file are walked.
    """

    def __init__(self, path: Path, base_offset: int) -> None:
        self.path = path
        self.base_offset = base_offset
        self.next_offset = base_offset
        self.size = 0
        self.max_timestamp = NO_TIMESTAMP
        self._offsets = array("q", [base_offset])
        self._positions = array("q", [0])
        self._times = array("q", [NO_TIMESTAMP])
        self._read_up_to = (base_offset, 0)  # (offset, position): where who reads along asks next
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @property
    def _sidecar(self) -> Path:
        return self.path.with_suffix(".index")

    def append(self, batch: Batch, base_offset: int, parts: tuple[bytes, memoryview]) -> None:
        """Write one placed batch at the end. Raises OSError, and leaves the file as it was, where the disk refuses."""
        try:
            written = os.pwritev(self._fd, parts, self.size)
            if written < batch.size:
                rest = b"".join(parts)[written:]
                os.pwrite(self._fd, rest, self.size + written)  # raises what stopped the first write
        except OSError:
            os.ftruncate(self._fd, self.size)
            raise
        self._note(batch, base_offset)

    def _note(self, batch: Batch, base_offset: int) -> None:
        if self.size - self._positions[-1] >= _INDEX_EVERY:
            self._offsets.append(base_offset)
            self._positions.append(self.size)
            self._times.append(self.max_timestamp)
        self.size += batch.size
        self.next_offset = base_offset + batch.last_delta + 1
        self.max_timestamp = max(self.max_timestamp, batch.max_timestamp)

    def _walk(self, position: int, end: int, chunk: int) -> Iterator[tuple[int, Batch]]:
        while position < end:
            data = os.pread(self._fd, chunk, position)
            at = 0
            while (batch := parse(data, at)) is not None:
                yield position + at, batch
                at += batch.size
            if at == 0:
                return
            position += at

    def _find(self, offset: int) -> tuple[int, Batch] | None:
        known, start = self._read_up_to
        if offset != known:
            start = self._positions[bisect_right(self._offsets, offset) - 1]
        for position, batch in self._walk(start, self.size, _LOOK):
            if batch.last_offset >= offset:
                return position, batch
        return None

    def read(self, offset: int, max_bytes: int, at_least_one: bool) -> bytes:
        """Whole batches from the one that holds `offset`, at most `max_bytes`; a first batch larger than that comes
        alone where `at_least_one` asks for it, so that a consumer never sticks at a big record.
        """
        found = self._find(offset)
        if found is None:
            return b""
        position, first = found
        limit = position + max_bytes
        limit = self._positions[bisect_right(self._positions, limit) - 1] if limit < self.size else self.size
        if limit <= position:
            if first.size > max_bytes and not at_least_one:
                return b""
            limit = position + first.size
        if limit == self.size:
            self._read_up_to = (self.next_offset, limit)
        return os.pread(self._fd, limit - position, position)

    def batches_since(self, timestamp: int) -> Iterator[bytes]:
        """Batches, whole, whose newest record is at or after `timestamp` (ms), from the first one on."""
        start = self._positions[max(0, bisect_left(self._times, timestamp) - 1)]
        for position, batch in self._walk(start, self.size, _LOOK):
            if batch.max_timestamp >= timestamp:
                yield os.pread(self._fd, batch.size, position)

    def load(self, producers: Producers) -> Producers:
        """Learn what the file holds, from the index beside it where it fits the file's size, else by walking the file:
        the first batch that is torn or whose checksum is wrong, and all behind it, is cut off. Returns the producers'
        state at the end of this segment.
        """
        size = os.fstat(self._fd).st_size
        if (known := self._load_index(size)) is not None:
            return known
        end = 0
        try:
            for position, batch in self._walk(0, size, _SCAN):
                body = os.pread(self._fd, batch.size, position)
                if len(body) < batch.size or batch.base_offset < self.next_offset or not intact(body, batch):
                    break
                self._note(batch, batch.base_offset)
                producers.observe(batch, batch.base_offset)
                end = position + batch.size
        except KafkaError:  # not a batch header: what a torn write leaves
            pass
        if end < size:
            os.ftruncate(self._fd, end)
        return producers

    def save_index(self, producers: Producers) -> None:
        """Put the index beside the file, so that the next start need not walk it."""
        head = {
            "size": self.size,
            "next_offset": self.next_offset,
            "max_timestamp": self.max_timestamp,
            "entries": len(self._offsets),
            "producers": producers.snapshot(),
        }
        with self._sidecar.open("wb") as file:
            file.write(json.dumps(head).encode() + b"\n")
            for column in (self._offsets, self._positions, self._times):
                column.tofile(file)

    def _load_index(self, size: int) -> Producers | None:
        try:
            with self._sidecar.open("rb") as file:
                head = json.loads(file.readline())
                if head["size"] != size:
                    return None
                columns = [array("q") for _ in range(3)]
                for column in columns:
                    column.fromfile(file, head["entries"])
                snapshot: Snapshot = head["producers"]
                self.next_offset, self.max_timestamp = int(head["next_offset"]), int(head["max_timestamp"])
        except (OSError, ValueError, KeyError, TypeError, EOFError):  # absent, or torn by a kill while it was written
            return None
        self._offsets, self._positions, self._times = columns
        self.size = size
        return Producers(snapshot)

    def close(self) -> None:
        os.close(self._fd)

    def delete(self) -> None:
        os.close(self._fd)
        for path in (self.path, self._sidecar):
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
