"""Appending a batch inside a transaction: verdicts by a pure function, rows by COPY, the log's lock taken last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from core.eventlog.record import Appended, Conflict, Duplicate, Item, Meta, Verdict, encode_meta
from schema import events

_COLUMNS = ("pos", "stream", "version", "type", "schema_ver", "data", "meta")

# stream, version, type, schema version, payload, metadata
_Row = tuple[str, int, str, int, str, str]
_Encoded = tuple[str, int, str]


class Plan(NamedTuple):
    """What a batch will do. Positions in ``verdicts`` count from 1 until ``at`` moves them to where the log stands."""

    verdicts: list[Verdict]
    rows: list[_Row]
    versions: dict[str, int]
    commands: list[tuple[UUID, int, int]]

    def at(self, base: int) -> list[Verdict]:
        moved: list[Verdict] = []
        for verdict in self.verdicts:
            if isinstance(verdict, Appended):
                moved.append(Appended(verdict.first_pos + base, verdict.last_pos + base, verdict.version))
            elif isinstance(verdict, _Repeated):
                moved.append(Duplicate(verdict.first_pos + base, verdict.last_pos + base))
            else:
                moved.append(verdict)
        return moved


class _Repeated(Duplicate, frozen=True):
    """A command repeated within one batch; its positions are not yet known."""


def encode_items(items: Sequence[Item]) -> list[list[_Encoded]]:
    """The payloads, serialised before any lock is taken. Raises ``ValueError`` on an item without an event."""
    encoded = []
    for item in items:
        if not item.events:
            raise ValueError(f"an append to {item.stream!r} holds no event")
        rows = []
        for event in item.events:
            name, version, data = events.encode(event)
            rows.append((name, version, data.decode()))
        encoded.append(rows)
    return encoded


def plan(
    items: Sequence[Item],
    encoded: Sequence[Sequence[_Encoded]],
    heads: Mapping[str, int],
    done: Mapping[UUID, tuple[int, int]],
) -> Plan:
    """Judge the items in their order, given the streams' versions and the positions of commands obeyed before.

    A later item sees what an earlier one of the batch did. Conflicts and duplicates are verdicts, not errors.
    """
    verdicts: list[Verdict] = []
    rows: list[_Row] = []
    versions: dict[str, int] = {}
    commands: dict[UUID, tuple[int, int]] = {}
    for item, payloads in zip(items, encoded, strict=True):
        if item.command_id is not None:
            if (before := done.get(item.command_id)) is not None:
                verdicts.append(Duplicate(*before))
                continue
            if (now := commands.get(item.command_id)) is not None:
                verdicts.append(_Repeated(*now))
                continue
        stream = item.stream
        version = versions.get(stream)
        if version is None:
            version = heads[stream]
        if item.expected_version is not None and item.expected_version != version:
            verdicts.append(Conflict(version))
            continue
        meta = encode_meta(_as_commanded(item))
        first = len(rows) + 1
        for name, schema_version, data in payloads:
            version += 1
            rows.append((stream, version, name, schema_version, data, meta))
        versions[stream] = version
        verdicts.append(Appended(first, len(rows), version))
        if item.command_id is not None:
            commands[item.command_id] = (first, len(rows))
    return Plan(verdicts, rows, versions, [(command, first, last) for command, (first, last) in commands.items()])


def _as_commanded(item: Item) -> Meta:
    """The metadata of an item, which names its command."""
    if item.command_id is None or item.meta.command_id is not None:
        return item.meta
    return msgspec.structs.replace(item.meta, command_id=item.command_id)


async def append_bulk(conn: Any, items: Sequence[Item]) -> list[Verdict]:
    """Append ``items`` inside the caller's open transaction on ``conn``; one verdict an item, in their order.

    From here to the commit the log is locked for other writers: make this the last work of the transaction, once.
    Events become visible at the commit; a rollback leaves no gap. Raises ``asyncpg.UniqueViolationError`` when another
    transaction obeyed one of the commands, on another stream, in this very moment: a retry finds it.
    """
    if not items:
        return []
    encoded = encode_items(items)
    names = list({item.stream for item in items})
    commands = [item.command_id for item in items if item.command_id is not None]
    heads = dict(await conn.fetch("select stream, version from log.lock_streams($1)", names))
    done: dict[UUID, tuple[int, int]] = {}
    if commands:
        found = await conn.fetch("select * from log.command where command_id = any($1)", commands)
        done = {row["command_id"]: (row["first_pos"], row["last_pos"]) for row in found}
    planned = plan(items, encoded, heads, done)
    if not planned.rows:
        return planned.verdicts
    base: int = await conn.fetchval(
        "select log.advance($1, $2, $3)",
        list(planned.versions),
        list(planned.versions.values()),
        len(planned.rows),
    )
    await conn.copy_records_to_table(
        "event",
        schema_name="log",
        columns=_COLUMNS,
        records=[(pos, *row) for pos, row in enumerate(planned.rows, base + 1)],
    )
    if planned.commands:
        await conn.executemany(
            "insert into log.command (command_id, first_pos, last_pos) values ($1, $2, $3)",
            [(command, first + base, last + base) for command, first, last in planned.commands],
        )
    return planned.at(base)
