"""Appending events that expect nothing, in one round trip: what most single appends are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.eventlog.append import encode_items
from core.eventlog.record import Appended, Item, Verdict, encode_meta

MOST = 1_000
"""Beyond so many events COPY is cheaper than the round trips it takes."""
_APPEND = (
    "select base, versions from log.append_unconditional("
    "$1::text[], $2::int[], $3::text[], $4::int[], $5::int[], $6::text[], $7::smallint[], $8::text[], $9::text[])"
)


def unconditional(items: Sequence[Item]) -> bool:
    """Whether nothing can be refused: no version is expected, no command could be a repeated one, and few events."""
    events = 0
    for item in items:
        if item.expected_version is not None or item.command_id is not None:
            return False
        events += len(item.events)
    return events <= MOST


async def append_unconditional(conn: Any, items: Sequence[Item]) -> list[Verdict]:
    """Append ``items``, for which ``unconditional`` holds, in a transaction of their own; one verdict an item."""
    encoded = encode_items(items)
    names = sorted({item.stream for item in items})
    named = {name: number for number, name in enumerate(names)}
    counts = [0] * len(names)
    streams, nth, numbers, types, versions, payloads, metas = [], [], [], [], [], [], []
    for item, rows in zip(items, encoded, strict=True):
        stream, meta = item.stream, encode_meta(item.meta)
        number = named[stream]
        for name, version, data in rows:
            counts[number] += 1
            streams.append(stream)
            nth.append(counts[number])
            numbers.append(number + 1)
            types.append(name)
            versions.append(version)
            payloads.append(data)
            metas.append(meta)
    row = await conn.fetchrow(_APPEND, names, counts, streams, nth, numbers, types, versions, payloads, metas)
    pos: int = row["base"]
    reached: list[int] = [now - count for now, count in zip(row["versions"], counts, strict=True)]
    verdicts: list[Verdict] = []
    for item in items:
        number, size = named[item.stream], len(item.events)
        reached[number] += size
        verdicts.append(Appended(pos + 1, pos + size, reached[number]))
        pos += size
    return verdicts
