"""Moving the log's oldest partition into a file, and back. Both are whole or not at all, and on the record."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import asyncpg

from core.eventlog.act import of_operator
from core.eventlog.append import append_bulk
from core.eventlog.archive import FRAME, Archive, ArchiveFile, open_archive, write
from core.eventlog.canonical import parse
from core.eventlog.texts import chunks, texts
from core.eventlog.verify import suspects
from schema.events import LogArchived, LogRestored

_ATTEMPTS = 20
_COLUMNS = ("pos", "stream", "version", "type", "schema_ver", "at", "data", "meta")


class NotArchivable(Exception):
    """The oldest partition has to stay; the text says why and what to do."""


async def archive_oldest(conn: Any, folder: Path, keep: int, operator: str) -> ArchiveFile | None:
    """Archive the oldest partition unless that leaves fewer than ``keep`` events; ``None`` when none can go.

    The file is written, read back and held against the seals before the table is dropped. Readers are not made to
    wait: the table is let go in a moment when nobody reads it. Raises ``NotArchivable``.
    """
    head, first, size = await conn.fetchrow("select pos, kept_from, partition_size from log.head")
    last = first + size - 1
    if head - keep < last:
        return None
    await _refuse_what_is_needed(conn, first, last)
    before = await open_archive(conn, folder)
    made = await write(folder / f"events-{(first - 1) // size:06d}.log", first, last, _frames(conn, first, last))
    seals = await conn.fetch(
        "select no, from_pos, to_pos, root from log.seal where to_pos >= $1 and from_pos <= $2 order by no", first, last
    )
    if await suspects([conn], seals, Archive([*before.files, made]), last + 1) or not made.intact():
        made.path.unlink()
        raise NotArchivable(f"positions {first} to {last} are not as they were sealed: see `streamguard log verify`")
    for _ in range(_ATTEMPTS):
        try:
            async with conn.transaction():
                await conn.execute("set local lock_timeout = '50ms'")
                await conn.execute(
                    "select log.detach_partition($1, $2, $3, $4)", first, last, made.path.name, made.sha256
                )
                event = LogArchived(from_position=first, to_position=last, file=made.path.name, operator=operator)
                await append_bulk(conn, [of_operator(operator, [event])])
            return made
        except asyncpg.LockNotAvailableError:
            continue
    raise NotArchivable("the log is being read without a pause; try again when fewer long queries run")


async def _refuse_what_is_needed(conn: Any, first: int, last: int) -> None:
    sealed = await conn.fetchval("select coalesce(max(to_pos), 0) from log.seal")
    if sealed < last:
        raise NotArchivable(f"the log is sealed to position {sealed} only: `streamguard log seal` first")
    behind = await conn.fetch("select name from ops.projection where pos < $1 order by name", last)
    if behind:
        raise NotArchivable(f"projection {behind[0]['name']} has not read positions {first} to {last} yet")
    waiting = await conn.fetchval(
        "select count(*) from read.alert where first_pos <= $1 and status not in ('confirmed', 'dismissed')", last
    )
    if waiting:
        raise NotArchivable(f"{waiting} alerts of positions {first} to {last} are not judged: close their cases first")


async def _frames(conn: Any, first: int, last: int) -> AsyncGenerator[bytes, None]:
    async for _, _, text in texts([conn], chunks(first, last, FRAME)):
        yield text


async def restore_newest(conn: Any, folder: Path, operator: str) -> ArchiveFile | None:
    """Take the newest archived partition back into the log; its file stays. ``None`` when nothing is archived."""
    archive = await open_archive(conn, folder)
    if not archive.files:
        return None
    file = archive.files[-1]
    async with conn.transaction():
        await conn.execute("select log.make_partition($1)", file.first)
        table = await conn.fetchval("select log.partition_name($1)", file.first)
        for start, stop in chunks(file.first, file.last, FRAME):
            events = parse(file.text(start, stop).decode(), stop - start + 1)
            await conn.copy_records_to_table(
                table,
                schema_name="log",
                columns=_COLUMNS,
                records=[
                    (e.pos, e.stream, e.version, e.type, e.schema_version, e.at, e.data, e.metadata) for e in events
                ],
            )
        await conn.execute("select log.attach_partition($1, $2)", file.first, file.last)
        event = LogRestored(from_position=file.first, to_position=file.last, file=file.path.name, operator=operator)
        await append_bulk(conn, [of_operator(operator, [event])])
    return file
