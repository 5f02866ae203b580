"""A table's changes held back until the next commit, as Kafka Streams' cache holds them: the last of each key goes out.

Without a commit interval of its own a query's changes go out at once. With one (`commit.interval.ms`, unless the cache
is off) they go out together, once an interval.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from ksqldb.engine.run.io import Headers
from ksqldb.engine.run.keys import hashable
from ksqldb.engine.run.records import Batch

Output = Callable[[int, Batch, Headers], None]  # partition, stream records, the headers of what gave them


def commit_interval(properties: Mapping[str, object]) -> float | None:
    """Seconds between commits that show in the results; None where each change goes out at once."""
    interval = _streams(properties, "commit.interval.ms")
    caches = [_streams(properties, name) for name in ("cache.max.bytes.buffering", "statestore.cache.max.bytes")]
    if interval is None or 0 in caches or interval <= 0:
        return None
    return interval / 1000


def _streams(properties: Mapping[str, object], name: str) -> int | None:
    value = properties.get(f"ksql.streams.{name}", properties.get(name))
    return None if value is None else int(str(value))


class Commits:
    """Stands before an output. Commits come at whole multiples of the interval, so that a change waits half of one on
    average."""

    def __init__(self, output: Output, seconds: float) -> None:
        self.output, self.seconds = output, seconds
        self.held: dict[Any, tuple[int, Any]] = {}
        self.timer: asyncio.TimerHandle | None = None

    def __call__(self, partition: int, batch: Batch, headers: Headers) -> None:
        held = self.held
        for record in batch:
            place = (partition, hashable(record[0]), record[3])
            held.pop(place, None)  # the order is that of each key's last change
            held[place] = partition, record
        if self.timer is None:
            loop = asyncio.get_running_loop()
            self.timer = loop.call_later(self.seconds - loop.time() % self.seconds, self.commit)

    def commit(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        by_partition: dict[int, Batch] = {}
        for partition, record in self.held.values():
            by_partition.setdefault(partition, []).append(record)
        self.held = {}
        for partition, batch in by_partition.items():
            self.output(partition, batch, ())
