"""The order in which Java's HashMap hands out its entries: visible wherever a map is walked through."""

from __future__ import annotations

from typing import Any, TypeVar

V = TypeVar("V")


def java_hash(key: Any) -> int:
    """``hashCode`` of a text or a whole number (an Integer's; unsigned 32 bits), 0 for anything else."""
    if isinstance(key, str):
        value = 0
        for unit in key if key.isascii() else _units(key):
            value = (value * 31 + ord(unit)) & 0xFFFFFFFF
        return value
    if isinstance(key, int) and not isinstance(key, bool):
        return key & 0xFFFFFFFF if -(2**31) <= key < 2**31 else (key ^ (key >> 32)) & 0xFFFFFFFF
    return 0


def _units(text: str) -> str:
    data = text.encode("utf-16-le", "surrogatepass")
    return "".join(chr(int.from_bytes(data[i : i + 2], "little")) for i in range(0, len(data), 2))


def map_items(entries: dict[Any, V]) -> list[tuple[Any, V]]:
    """A map's entries in the order of a HashMap that was made for their number and filled in their order."""
    count = len(entries)
    if count < 2:
        return list(entries.items())
    capacity = 1
    while capacity < count:
        capacity *= 2
    while count > capacity * 3 // 4:
        capacity *= 2

    def bucket(entry: tuple[Any, V]) -> int:
        hashed = java_hash(entry[0])
        return (hashed ^ (hashed >> 16)) & (capacity - 1)

    return sorted(entries.items(), key=bucket)
