"""Every statement that changed something, in order, on disk: what a restarted engine replays."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO


@dataclass(frozen=True, slots=True)
class Command:
    """``topics``: partition counts of the topics the statement names, to make them again where they are gone."""

    sequence: int
    statement: str
    properties: dict[str, str] = field(default_factory=dict)
    topics: dict[str, int] = field(default_factory=dict)


class CommandLog:
    """JSON lines, each forced to disk before ``append`` returns. A torn last line (a kill while writing) is dropped."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: IO[bytes] | None = None

    def read(self) -> Iterator[Command]:
        """ValueError names a line that cannot be read, unless it is the last."""
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return
        lines = data.split(b"\n")
        whole = len(data)
        for number, line in enumerate(lines, start=1):
            if not line:
                continue
            try:
                yield Command(**json.loads(line))
            except (ValueError, TypeError) as error:
                if number == len(lines):
                    whole -= len(line)
                    with self.path.open("r+b") as file:
                        file.truncate(whole)
                    return
                raise ValueError(f"{self.path}, line {number}: {error}") from error

    def append(self, command: Command) -> None:
        if self._file is None:
            self._file = self.path.open("ab")
        self._file.write(json.dumps(asdict(command), ensure_ascii=False).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
