"""Snapshots of the queries' state on disk, one file a query, replaced whole.

They are pickles: plain values only the engine writes, into its own folder, readable by its user alone.
"""

from __future__ import annotations

import os
import pickle
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Snapshot:
    """State as of ``offsets`` ({(topic, partition): next offset}) of one cluster, for one statement."""

    cluster_id: str
    statement: str
    offsets: dict[tuple[str, int], int]
    states: list[Any]


class Snapshots:
    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)

    def _path(self, query_id: str) -> Path:
        return self._directory / f"{query_id}.state"

    @staticmethod
    def freeze(snapshot: Snapshot) -> bytes:
        """The snapshot's bytes: taken while the query rests, written later."""
        return pickle.dumps(snapshot, protocol=5)

    def write(self, query_id: str, data: bytes) -> None:
        """Replace the query's snapshot; a crash leaves the old one or the new one."""
        handle, name = tempfile.mkstemp(dir=self._directory, prefix=".new-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self._path(query_id))
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise

    def read(self, query_id: str) -> Snapshot | None:
        """The last snapshot; None where there is none or it cannot be read (an older version's, a damaged disk)."""
        try:
            snapshot = pickle.loads(self._path(query_id).read_bytes())
        except FileNotFoundError:
            return None
        except (pickle.UnpicklingError, AttributeError, EOFError, ImportError, IndexError, TypeError):
            return None
        return snapshot if isinstance(snapshot, Snapshot) else None

    def delete(self, query_id: str) -> None:
        self._path(query_id).unlink(missing_ok=True)
