"""The log's canonical text in order, from the archive and the table, fetched ahead of whoever works on it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Sequence
from itertools import islice
from typing import Any

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

    async def fetch(conn: Any, start: int, stop: int) -> bytes:
        parts = []
        if start < first and archive is not None:
            parts.append(await asyncio.to_thread(archive.text, start, min(stop, first - 1)))
        if stop >= first:
            text = await conn.fetchval("select convert_to(log.canonical($1, $2), 'UTF8')", max(start, first), stop)
            parts.append(text or b"")
        return b"\x1e".join(part for part in parts if part)

    waiting = iter(ranges)
    ahead: deque[tuple[Any, Range, asyncio.Task[bytes]]] = deque()
    for conn, piece in zip(connections, waiting, strict=False):
        ahead.append((conn, piece, asyncio.create_task(fetch(conn, *piece))))
    try:
        while ahead:
            conn, (start, stop), task = ahead.popleft()
            text = await task
            for following in islice(waiting, 1):
                ahead.append((conn, following, asyncio.create_task(fetch(conn, *following))))
                await asyncio.sleep(0)  # the query goes out before this text is worked on
            yield start, stop, text
    finally:
        tasks = [task for _, _, task in ahead]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
