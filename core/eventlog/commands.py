"""`streamguard events`: read and follow the log. It returns an exit code."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg
import msgspec

from core.eventlog.log import EventLog
from core.eventlog.record import Recorded
from core.output import harmless, print_json

DONE = 0
_PAGE = 1_000


async def events(
    dsn: str,
    *,
    follow: bool = False,
    stream: str | None = None,
    types: Sequence[str] = (),
    from_pos: int | None = None,
    limit: int | None = None,
    as_json: bool = False,
) -> int:
    """Print events from a position on, at most ``limit``; with ``follow`` also those to come, until interrupted.

    ``stream`` is a stream's name, or the beginning of names with a ``*`` at the end. Without ``from_pos``: the whole
    log, or with ``follow`` only what is new.
    """
    wanted = types or None
    prefix = None if stream is None else stream.removesuffix("*")
    exact = None if stream is None or stream.endswith("*") else stream
    async with asyncpg.create_pool(dsn, min_size=1, max_size=3) as pool:
        log = EventLog(pool)
        try:
            head = await log.head()
            start = from_pos if from_pos is not None else head + 1 if follow else 1
            left = limit
            async for batch in log.subscribe(start, prefix, wanted, upto=None if follow else head):
                for recorded in batch:
                    if exact is not None and recorded.stream != exact:
                        continue
                    if left == 0:
                        return DONE
                    _print(recorded, as_json)
                    left = None if left is None else left - 1
        finally:
            await log.close()
    return DONE


def _print(recorded: Recorded, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "position": recorded.pos,
                "stream": recorded.stream,
                "version": recorded.version,
                "type": recorded.type,
                "schema_version": recorded.schema_version,
                "at": recorded.at.isoformat(),
                "data": msgspec.json.decode(recorded.data),
                "meta": msgspec.json.decode(recorded.metadata),
            }
        )
        return
    print(
        f"{recorded.pos:>10}  {recorded.at:%Y-%m-%d %H:%M:%S}  {harmless(recorded.type):<18}"
        f"  {harmless(recorded.stream)}@{recorded.version}  {harmless(recorded.meta.actor)}  {harmless(recorded.data)}",
        flush=True,
    )
