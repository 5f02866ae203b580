"""Kafka's default partitioner: the 32-bit murmur2 hash of the key's bytes."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from struct import Struct
from typing import Any

from ksqldb.engine.formats import Codec
from ksqldb.engine.run.keys import REMEMBERED, hashable

_M = 0x5BD1E995
_MASK = 0xFFFFFFFF
_SEED = 0x9747B28C


def murmur2(data: bytes) -> int:
    """The hash as Kafka's clients compute it, unsigned."""
    length = len(data)
    h = _SEED ^ length
    for word in _words(length >> 2).unpack_from(data):
        k = (word * _M) & _MASK
        h = (h * _M ^ (k ^ (k >> 24)) * _M) & _MASK
    if rest := length & 3:
        h = ((h ^ int.from_bytes(data[-rest:], "little")) * _M) & _MASK
    h = ((h ^ (h >> 13)) * _M) & _MASK
    return h ^ (h >> 15)


@lru_cache(64)
def _words(count: int) -> Struct:
    return Struct(f"<{count}I")


def partition_of(key: bytes, partitions: int) -> int:
    return (murmur2(key) & 0x7FFFFFFF) % partitions


def partition_for(codec: Codec, partitions: int) -> Callable[[tuple[Any, ...]], int]:
    """The partition of a key tuple, remembered; keys without bytes go to partition 0."""
    known: dict[Any, int] = {}

    def choose(key: tuple[Any, ...]) -> int:
        hashed = hashable(key)
        found = known.get(hashed)
        if found is None:
            data = codec.encode(key) if any(part is not None for part in key) else None
            found = 0 if data is None else partition_of(data, partitions)
            if len(known) >= REMEMBERED:
                known.clear()
            known[hashed] = found
        return found

    return choose
