"""State on disk: one file per query with its operators' state and the offsets it belongs to, replaced as a whole."""

from __future__ import annotations

import io
import logging
import os
import pickle
from pathlib import Path
from typing import Any

from ksqldb.engine.run.records import NullKey

log = logging.getLogger(__name__)
VERSION = 2
_ALLOWED = {("decimal", "Decimal"), (NullKey.__module__, NullKey.__name__)}


class _PlainUnpickler(pickle.Unpickler):
    """Reads plain values only, so that a file cannot run code."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _ALLOWED:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} does not belong in a snapshot")


class Snapshots:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def _path(self, query_id: str) -> Path:
        safe = "".join(c if c.isalnum() or c in "-_" else f"%{ord(c):x}" for c in query_id)
        return self.folder / f"{safe}.snapshot"

    def save(self, query_id: str, cluster_id: str, plan: str, state: bytes) -> None:
        """Write and put in place atomically; survives a kill at any moment."""
        path = self._path(query_id)
        temporary = path.with_suffix(".new")
        header = pickle.dumps((VERSION, cluster_id, plan))
        with temporary.open("wb") as file:
            file.write(len(header).to_bytes(4, "big") + header + state)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)

    def load(self, query_id: str, cluster_id: str, plan: str) -> Any | None:
        """The state, None where there is none for this query on this cluster."""
        path = self._path(query_id)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        try:
            size = int.from_bytes(data[:4], "big")
            header = _PlainUnpickler(io.BytesIO(data[4 : 4 + size])).load()
            if header != (VERSION, cluster_id, plan):
                log.warning("the snapshot of %s is of another cluster or query; starting afresh", query_id)
                return None
            return _PlainUnpickler(io.BytesIO(data[4 + size :])).load()
        except (pickle.UnpicklingError, EOFError, ValueError, IndexError, AttributeError) as error:
            log.error("the snapshot of %s cannot be read (%s); starting afresh", query_id, error)
            return None

    def drop(self, query_id: str) -> None:
        self._path(query_id).unlink(missing_ok=True)


def encode(state: Any) -> bytes:
    """State as bytes, taken at this moment. Queries stand still meanwhile, so nothing is looked up that was written
    before: state is a tree, and twice as fast that way."""
    out = io.BytesIO()
    pickler = pickle.Pickler(out, protocol=5)
    pickler.fast = True
    pickler.dump(state)
    return out.getvalue()
