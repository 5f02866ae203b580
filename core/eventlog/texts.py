"""The log's canonical text in order, from the archive and the table, fetched ahead of whoever works on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from functools import partial
from itertools import cycle
from typing import Any

import asyncpg

from core.eventlog.ahead import in_order
from core.eventlog.archive import Archive

CHUNK = 2_000
Range = tuple[int, int]
"""First and last position."""


def chunks(first: int, last: int, size: int = CHUNK) -> list[Range]:
    """The range cut into pieces of ``size`` positions."""
    return [(start, min(start + size - 1, last)) for start in range(first, last + 1, size)]


async def texts(
    connections: Sequence[Any], ranges: Iterable[Range], archive: Archive | None = None, first: int = 1
) -> AsyncGenerator[tuple[int, int, bytes], None]:
    """Each range in turn with its text; ``first`` is the first position of the table, what lies before is archived.

    With several connections as many ranges are fetched at once: turning JSON into text is what takes the time, and a
    server does that on one core a connection.
    """

    async def fetch(conn: Any, start: int, stop: int) -> tuple[int, int, bytes]:
        parts = []
        if start < first and archive is not None:
            parts.append(await asyncio.to_thread(archive.text, start, min(stop, first - 1)))
        if stop >= first:
            parts.append(await _of_table(conn, max(start, first), stop))
        return start, stop, b"\x1e".join(part for part in parts if part)

    # In order, a connection has given its text when its turn comes again.
    pieces = zip(cycle(connections), ranges, strict=False)
    calls = (partial(fetch, conn, *piece) for conn, piece in pieces)
    async with aclosing(in_order(calls, len(connections))) as found:
        async for text in found:
            yield text


async def _of_table(conn: Any, start: int, stop: int) -> bytes:
    """Outside a transaction an event that has no text (its time is none of any clock) is left out, no other is."""
    try:
        text: bytes | None = await conn.fetchval("select convert_to(log.canonical($1, $2), 'UTF8')", start, stop)
    except asyncpg.DataError:
        if conn.is_in_transaction():
            raise
        if start == stop:
            return b""
        middle = (start + stop) // 2
        parts = await _of_table(conn, start, middle), await _of_table(conn, middle + 1, stop)
        return b"\x1e".join(part for part in parts if part)
    return text or b""
