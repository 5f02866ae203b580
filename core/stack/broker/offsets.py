"""Offsets that groups committed, in a journal: a line a change, the whole rewritten when most of it is history."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from core.stack.broker.files import write_atomically

_REWRITE_AT = 4 << 20  # bytes of journal

Partition = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Committed:
    offset: int
    leader_epoch: int
    metadata: str | None


class Offsets:
    """Group -> partition -> what was committed. A killed process loses nothing that was answered."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._groups: dict[str, dict[Partition, Committed]] = {}
        self._load()
        self._journal: IO[bytes] = self._rewrite()

    def _load(self) -> None:
        if not self._path.exists():
            return
        for line in self._path.read_bytes().splitlines():
            try:
                entry = json.loads(line)
            except ValueError:  # a line torn by a kill; its commit was never answered
                continue
            committed = entry["committed"]
            self._apply(
                entry["group"],
                (entry["topic"], entry["partition"]),
                None if committed is None else Committed(**committed),
            )

    def _apply(self, group: str, partition: Partition, committed: Committed | None) -> None:
        if committed is not None:
            self._groups.setdefault(group, {})[partition] = committed
        elif group in self._groups:
            self._groups[group].pop(partition, None)
            if not self._groups[group]:
                del self._groups[group]

    def _rewrite(self) -> IO[bytes]:
        write_atomically(
            self._path, "".join(self._line(g, p, c) for g, ps in self._groups.items() for p, c in ps.items())
        )
        self._rewritten_size = self._path.stat().st_size
        return self._path.open("ab", buffering=0)

    @staticmethod
    def _line(group: str, partition: Partition, committed: Committed | None) -> str:
        value = None if committed is None else asdict(committed)
        return json.dumps({"group": group, "topic": partition[0], "partition": partition[1], "committed": value}) + "\n"

    def _write(self, lines: list[str]) -> None:
        """Raises OSError, with the journal as it was, where the disk refuses."""
        before = os.fstat(self._journal.fileno()).st_size
        if before > _REWRITE_AT and before > 4 * self._rewritten_size:
            self._journal.close()
            self._journal = self._rewrite()
            before = self._rewritten_size
        data = "".join(lines).encode()
        try:
            written = os.write(self._journal.fileno(), data)
            if written < len(data):
                os.write(self._journal.fileno(), data[written:])  # raises what stopped the first write
        except OSError:
            os.ftruncate(self._journal.fileno(), before)
            raise

    def groups(self) -> list[str]:
        return list(self._groups)

    def of(self, group: str) -> dict[Partition, Committed]:
        return self._groups.get(group, {})

    def commit(self, group: str, offsets: dict[Partition, Committed]) -> None:
        """Raises OSError."""
        if not offsets:
            return
        self._write([self._line(group, partition, committed) for partition, committed in offsets.items()])
        self._groups.setdefault(group, {}).update(offsets)

    def forget_group(self, group: str) -> None:
        """Raises OSError."""
        self._write([self._line(group, partition, None) for partition in self.of(group)])
        self._groups.pop(group, None)

    def forget_topic(self, topic: str) -> None:
        """Raises OSError. Offsets into a deleted topic mean nothing to one made later under its name."""
        stale = [(group, key) for group, partitions in self._groups.items() for key in partitions if key[0] == topic]
        self._write([self._line(group, partition, None) for group, partition in stale])
        for group, partition in stale:
            self._apply(group, partition, None)

    def close(self) -> None:
        self._journal.close()
