"""The event log, projections and seals: read from PostgreSQL; long work by the headless twin."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from tui.adapters.database import Database, epoch_ms, epoch_ms_or_none
from tui.adapters.twin import Finished, Twin
from tui.ports import Done, Refused, Unavailable, Verdict
from tui.screens.eventlog.port import Entry, OnNote, Seals, Selection, Standing, Tail

LIST_CHARS = 1_000
WHOLE_CHARS = 200_000
LOOK_BACK = 200_000
"""Positions that a selection looks back over: a rare type must not scan a log of millions."""
NEAR = 5_000
"""Positions on either side in which a correlation is looked for."""
RELATED = 60

_COLUMNS = (
    "pos, stream, version, type, schema_ver, at, left(data::text, {chars}) as data, left(meta::text, {chars}) as meta,"
    " coalesce(meta ->> 'actor', '') as actor, coalesce(meta ->> 'command_id', '') as command,"
    " coalesce(meta ->> 'correlation_id', '') as correlation, coalesce(meta ->> 'causation_id', '') as causation"
)
_LIST, _WHOLE = _COLUMNS.format(chars=LIST_CHARS), _COLUMNS.format(chars=WHOLE_CHARS)


def entry_of(row: Any) -> Entry:
    """A row of ``log.event``."""
    return Entry(
        position=row["pos"],
        stream=row["stream"],
        version=row["version"],
        type=row["type"],
        schema_version=row["schema_ver"],
        at=epoch_ms(row["at"]),
        actor=row["actor"],
        data=row["data"],
        meta=row["meta"],
        command=row["command"],
        correlation=row["correlation"],
        causation=row["causation"],
    )


def streams_of(entry: Entry) -> list[str]:
    """Its stream and those of the same subject: an alert's case, a case's alert, the account that it names."""
    kind, _, subject = entry.stream.partition("-")
    streams = [entry.stream]
    if kind in ("alert", "case"):
        streams.append(f"{'case' if kind == 'alert' else 'alert'}-{subject}")
    try:
        data = msgspec.json.decode(entry.data)
    except msgspec.DecodeError:
        return streams
    account = data.get("account_id") if isinstance(data, dict) else None
    if isinstance(account, str) and f"account-{account}" not in streams:
        streams.append(f"account-{account}")
    return streams


class LogEvents:
    def __init__(self, database: Database, twin: Twin, operator: str) -> None:
        self._database = database
        self._twin = twin
        self._operator = operator
        self._witness = Path()

    def open(self, witness: Path) -> None:
        """Where chain heads are kept outside the database."""
        self._witness = witness

    async def _head(self) -> int:
        row = await self._database.fetch_row("select pos from log.head")
        return 0 if row is None else int(row["pos"])

    async def _select(
        self, after: int, upto: int, selection: Selection, limit: int, *, newest: bool = False
    ) -> list[Entry]:
        types = list(selection.types) or None
        rows = await self._database.fetch(
            f"select {_LIST} from log.event where pos > $1 and pos <= $2 and ($3 = '' or starts_with(stream, $3))"
            f" and ($4::text[] is null or type = any($4)) order by pos {'desc' if newest else ''} limit $5",
            after,
            upto,
            selection.prefix,
            types,
            limit,
        )
        entries = [entry_of(row) for row in rows]
        return entries[::-1] if newest else entries

    async def newest(self, selection: Selection, limit: int) -> Tail:
        head = await self._head()
        entries = await self._select(max(0, head - LOOK_BACK), head, selection, limit, newest=True)
        return Tail(tuple(entries), head, head)

    async def after(self, position: int, selection: Selection, limit: int) -> Tail:
        head = await self._head()
        if head <= position:
            return Tail((), position, head)
        entries = await self._select(position, head, selection, limit)
        return Tail(tuple(entries), entries[-1].position if len(entries) == limit else head, head)

    async def entry(self, position: int) -> Entry | None:
        row = await self._database.fetch_row(f"select {_WHOLE} from log.event where pos = $1", position)
        return None if row is None else entry_of(row)

    async def related(self, entry: Entry) -> Sequence[Entry]:
        near = await self._database.fetch(
            f"(select {_LIST} from log.event where stream = any($1) and pos <= $2 order by pos desc limit $3)"
            f" union all (select {_LIST} from log.event where stream = any($1) and pos > $2 order by pos limit $3)",
            streams_of(entry),
            entry.position,
            RELATED // 2,
        )
        told: list[Any] = []
        mine = f"event-{entry.position}"  # how what this event caused names it
        cause = entry.causation.removeprefix("event-")
        if cause != entry.causation and cause.isdecimal():
            told += await self._database.fetch(f"select {_LIST} from log.event where pos = $1", int(cause))
        told += await self._database.fetch(
            f"select {_LIST} from log.event where pos between $1 and $2 and (meta ->> 'correlation_id' = any($3)"
            " or meta ->> 'causation_id' = any($3) or meta ->> 'command_id' = any($3)) order by pos limit $4",
            entry.position - NEAR,
            entry.position + NEAR,
            [name for name in (entry.correlation, entry.causation, entry.command, mine) if name],
            RELATED,
        )
        found = {row["pos"]: entry_of(row) for row in (*near, *told)}
        return [found[position] for position in sorted(found)]

    async def standings(self) -> Sequence[Standing]:
        from core.projections.standing import standings

        return [
            Standing(
                name=s.name,
                generation=s.generation,
                live=s.live,
                status=s.status,
                position=s.pos,
                lag_events=s.lag_events,
                lag_ms=round(s.lag_s * 1000),
                failed_position=s.failed_pos,
                failed_reason=s.failed_reason or "",
            )
            for s in await standings(self._database)
        ]

    async def seals(self) -> Seals:
        row = await self._database.fetch_row(
            "select h.pos as head, coalesce(s.no, 0) as no, coalesce(s.to_pos, 0) as to_pos, s.at from log.head h"
            " left join lateral (select no, to_pos, at from log.seal order by no desc limit 1) s on true"
        )
        assert row is not None  # log.head always has its row
        witnessed = await asyncio.to_thread(_count_lines, self._witness)
        return Seals(row["no"], row["to_pos"], epoch_ms_or_none(row["at"]), row["head"], witnessed)

    # ------------------------------------------------------------------------------------------ long work

    async def rebuild(self, projection: str, on_note: OnNote) -> Verdict:
        done = await self._twin.run(["projections", "rebuild", projection, "--operator", self._operator], on_note)
        return _verdict(done, done.rows[-1] if done.rows else f"{projection} is rebuilt")

    async def prove(self, projection: str, on_note: OnNote) -> Verdict:
        done = await self._twin.run(["projections", "prove", projection], on_note)
        return _verdict(done, done.rows[-1] if done.rows else "", "; ".join(done.rows))

    async def retry(self, projection: str) -> Verdict:
        done = await self._twin.run(["projections", "retry", projection, "--operator", self._operator])
        return _verdict(done, done.rows[-1] if done.rows else "")

    async def skip(self, projection: str, reason: str) -> Verdict:
        words = ["projections", "skip", projection, f"--reason={reason}", "--operator", self._operator]
        done = await self._twin.run(words)
        return _verdict(done, done.rows[-1] if done.rows else "")

    async def verify(self, on_note: OnNote) -> Verdict:
        done = await self._twin.run(["log", "verify", "--operator", self._operator], on_note)
        return _verdict(done, done.rows[-1] if done.rows else "", "; ".join(row.strip() for row in done.rows))


def _verdict(done: Finished, text: str, refusal: str = "") -> Verdict:
    if done.code == 0:
        return Done(text)
    return Refused(refusal or done.note or f"it ended with code {done.code}")


def _count_lines(path: Path) -> int:
    try:
        return path.read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise Unavailable(f"{path}: {error.strerror}") from error
