"""What the broker is made of, and the life of its data directory."""

import fcntl
import json
import time
import uuid
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from core.stack.broker.files import write_atomically
from core.stack.broker.groups import Coordinator
from core.stack.broker.offsets import Offsets
from core.stack.broker.session import Door
from core.stack.broker.topics import Topics

NODE_ID = 1
_LOCK_WITHIN = 5.0  # seconds
_ID_BLOCK = 1000  # producer ids reserved on disk at once


class InUse(Exception):
    """Another broker has the data directory."""


@dataclass(frozen=True, slots=True)
class Address:
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Broker:
    """Topics, committed offsets and groups of a data directory. The cluster id is made with the directory and kept."""

    def __init__(self, directory: Path, default_partitions: int, auto_create: bool, door: Door | None = None) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(directory / "lock")
        self.address = Address("", 0)  # as clients are told; set when the port is known
        self.auto_create = auto_create
        self.door = door or Door()
        self._file = directory / "cluster.json"
        self._load_cluster()
        self.topics = Topics(directory, default_partitions)
        self.offsets = Offsets(directory / "offsets.journal")
        self.groups = Coordinator()

    def _load_cluster(self) -> None:
        if self._file.exists():
            known = json.loads(self._file.read_text())
            self.cluster_id, self._next_id = str(known["cluster_id"]), int(known["next_producer_id"])
        else:
            self.cluster_id, self._next_id = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("="), 0
        self._reserved_to = self._next_id

    def new_producer_id(self) -> int:
        """A producer id never given out before, also not before a crash. Raises OSError."""
        if self._next_id == self._reserved_to:
            self._reserve(self._next_id + _ID_BLOCK)
        self._next_id += 1
        return self._next_id - 1

    def _reserve(self, until: int) -> None:
        write_atomically(self._file, json.dumps({"cluster_id": self.cluster_id, "next_producer_id": until}))
        self._reserved_to = until

    def open(self, address: Address) -> None:
        """Write the cluster's identity down before the first client reads it. Raises OSError."""
        self.address = address
        self._reserve(self._reserved_to)

    def apply_retention(self) -> None:
        now = int(time.time() * 1000)
        for log in self.topics.logs():
            log.apply_retention(now)

    def close(self) -> None:
        self.groups.close()
        self.offsets.close()
        self.topics.close()
        self._lock.close()


def _lock(path: Path) -> IO[str]:
    """Hold the directory: two brokers would write into each other's segments. A broker that is just ending is waited
    for. Raises InUse.
    """
    file = path.open("a+")
    deadline = time.monotonic() + _LOCK_WITHIN
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise InUse(f"{path.parent} is in use by another broker: stop it, or choose another folder") from None
            time.sleep(0.02)
        else:
            return file
