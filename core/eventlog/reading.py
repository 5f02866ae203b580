"""Pages of the log in its canonical text: one row a page, for a row an event costs twice what the events do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any, NamedTuple

from core.eventlog.ahead import in_order
from core.eventlog.canonical import EVENT, parse
from core.eventlog.record import Recorded

_AHEAD = 2
_PAGE = (
    "select count(*), max(pos), string_agg(line, E'\\x1e'), (select kept_from from log.head) from ("
    "select pos, log.line(pos, stream, version, type, schema_ver, at, data, meta) as line"
    " from log.event where {} order by {}) page"
)


class Page(NamedTuple):
    """``size`` events, the last of them at position ``last`` (0 when there is none).

    ``kept_from`` is the first position that the table has; what comes before it is archived.
    """

    size: int
    last: int
    text: str
    kept_from: int = 1

    def events(self) -> list[Recorded]:
        return parse(self.text, self.size)

    def followed_by(self, other: Page) -> Page:
        """One page of two."""
        text = EVENT.join(part for part in (self.text, other.text) if part)
        return Page(self.size + other.size, other.last or self.last, text, other.kept_from)


class Selection(NamedTuple):
    """Which events: of streams whose names begin with ``prefix``, of the ``types`` named, up to position ``upto``."""

    prefix: str | None = None
    types: Sequence[str] | None = None
    upto: int | None = None


async def read_page(conn: Any, from_pos: int, limit: int, selection: Selection) -> Page:
    """At most ``limit`` events from ``from_pos`` on; ``conn`` is a connection or a pool."""
    arguments: list[Any] = [from_pos, limit]
    where = "pos >= $1"
    for condition, value in (
        ("pos <= ${}", selection.upto),
        ("starts_with(stream, ${})", selection.prefix),
        ("type = any(${})", None if selection.types is None else list(selection.types)),
    ):
        if value is not None:
            arguments.append(value)
            where += " and " + condition.format(len(arguments))
    return _page(await conn.fetchrow(_PAGE.format(where, "pos limit $2"), *arguments))


async def read_stream(conn: Any, stream: str, from_version: int) -> Page:
    """The events of one stream from ``from_version`` on."""
    query = _PAGE.format("stream = $1 and version >= $2", "version, pos")
    return _page(await conn.fetchrow(query, stream, from_version))


def _page(row: Any) -> Page:
    return Page(row[0], row[1] or 0, row[2] or "", row[3])


Read = Callable[[int, int, Selection], Awaitable[Page]]


async def pages(read: Read, position: int, limit: int, selection: Selection, stop: int) -> AsyncGenerator[Page, None]:
    """The pages of at most ``limit`` events from ``position`` to ``stop``; while one is in hand the next are fetched.

    Positions are gapless, so where nothing is filtered it is known where each page begins, and two are fetched at once.
    """
    if selection.prefix is None and selection.types is None:
        starts = range(position, stop + 1, limit)
        calls = (partial(read, start, limit, Selection(upto=min(start + limit - 1, stop))) for start in starts)
        found = in_order(calls, _AHEAD)
    else:
        found = _filtered(read, position, limit, selection._replace(upto=stop), stop)
    async with aclosing(found):
        async for page in found:
            yield page


async def _filtered(
    read: Read, position: int, limit: int, selection: Selection, stop: int
) -> AsyncGenerator[Page, None]:
    """Each page tells where the next begins."""

    async def fetch(start: int) -> Page:
        return await read(start, limit, selection)

    ahead: asyncio.Task[Page] | None = asyncio.create_task(fetch(position))
    try:
        while ahead is not None:
            page = await ahead
            ahead = None
            if page.last < stop and page.size == limit:
                ahead = asyncio.create_task(fetch(page.last + 1))
                await asyncio.sleep(0)  # its query goes out before this page is worked on
            yield page
    finally:
        if ahead is not None:
            ahead.cancel()
            await asyncio.gather(ahead, return_exceptions=True)
