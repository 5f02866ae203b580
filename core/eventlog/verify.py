"""Verification: everything that is not as it was sealed, each named by its position or its seal."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from core.eventlog.archive import Archive, ArchiveError
from core.eventlog.canonical import split
from core.eventlog.keys import valid
from core.eventlog.seal import GENESIS, Covered, Digest, Head, marks, message
from core.eventlog.texts import chunks, texts


class Finding(msgspec.Struct, frozen=True):
    """Something that is not as it was sealed: at a position of the log, or at a seal where no position can be told."""

    what: str
    position: int | None = None
    seal: int | None = None


async def verify(
    conn: Any,
    from_pos: int = 1,
    to_pos: int | None = None,
    witness: Iterable[Head] = (),
    progress: Callable[[int, int], None] = lambda pos, head: None,
    *,
    keys: Collection[str] = (),
    archive: Archive | None = None,
    helpers: Sequence[Any] = (),
) -> list[Finding]:
    """Recompute every seal that touches the range, and links and signatures of all.

    ``keys`` (public, hexadecimal) may sign, and those that the witness names; with none of either any key may. Events
    after the last seal can only be checked for gaps. ``helpers`` are further connections that read along.
    """
    head, table_from = await conn.fetchrow("select pos, kept_from from log.head")
    stop = head if to_pos is None else min(to_pos, head)
    seals = await conn.fetch(
        "select no, from_pos, to_pos, root, sha256(marks) as marks, prev, chain, at, format, key, signature"
        " from log.seal order by no"
    )
    known = {one.no: one for one in witness}
    findings = _links(seals, known) + _signatures(seals, known, keys) + _files(archive)
    due = [row for row in seals if row["to_pos"] >= from_pos and row["from_pos"] <= stop]
    try:
        for row in await suspects([conn, *helpers], due, archive, table_from, lambda at: progress(min(at, stop), stop)):
            findings += await _contents(conn, row, archive, table_from)
    except ArchiveError as error:
        return [*findings, Finding(str(error), position=from_pos)]
    sealed = seals[-1]["to_pos"] if seals else 0
    return findings + await _gaps(conn, max(sealed + 1, from_pos, table_from), stop)


async def suspects(
    connections: Sequence[Any],
    seals: Sequence[Any],
    archive: Archive | None,
    table_from: int,
    reached: Callable[[int], None] = lambda position: None,
) -> list[Any]:
    """The seals whose ranges do not hash to their roots, or do not hold an event a position."""
    ranges = [piece for row in seals for piece in chunks(row["from_pos"], row["to_pos"])]
    roots = {row["to_pos"]: row for row in seals}
    found = []
    digest, missing = Digest(), 0
    async for start, stop, text in texts(connections, ranges, archive, table_from):
        digest.add(text)
        size = stop - start + 1
        missing += size - len(split(text, size))
        if (row := roots.get(stop)) is not None:
            if digest.root != row["root"] or missing:
                found.append(row)
            digest, missing = Digest(), 0
            reached(stop)
    return found


def _links(seals: Sequence[Any], witness: Mapping[int, Head]) -> list[Finding]:
    findings = []
    no, position, prev = 0, 0, GENESIS
    for row in seals:
        if row["no"] != no + 1 or row["from_pos"] != position + 1 or row["prev"] != prev:
            findings.append(Finding(f"seal {row['no']} does not follow seal {no}", seal=row["no"]))
        covered = Covered(*(row[name] for name in ("prev", "from_pos", "to_pos", "root", "marks", "at", "format")))
        if row["chain"] != covered.chain:
            findings.append(Finding(f"seal {row['no']} was changed", seal=row["no"]))
        known = witness.get(row["no"])
        if known is not None and known.chain != row["chain"].hex():
            findings.append(Finding(f"seal {row['no']} is not the one the witness has", seal=row["no"]))
        no, position, prev = row["no"], row["to_pos"], row["chain"]
    missing = sorted(number for number in witness if number > no)
    findings += [Finding(f"seal {number}, which the witness has, is gone", seal=number) for number in missing]
    return findings


def _signatures(seals: Sequence[Any], witness: Mapping[int, Head], keys: Collection[str]) -> list[Finding]:
    """Seals of the time before signatures are those that the witness has without, or that come before all signed ones
    where nobody names a key."""
    allowed = {*keys, *(one.key for one in witness.values() if one.key is not None)}
    findings = []
    signed = False
    for row in seals:
        no, known = row["no"], witness.get(row["no"])
        if row["key"] is None or row["signature"] is None:
            if signed or (allowed and (known is None or known.key is not None)):
                findings.append(Finding(f"seal {no} is not signed", seal=no))
            continue
        signed = True
        if not valid(row["key"], row["signature"], message(no, row["from_pos"], row["to_pos"], row["chain"])):
            findings.append(Finding(f"the signature of seal {no} does not fit it", seal=no))
        elif allowed and row["key"] not in allowed:
            findings.append(Finding(f"seal {no} is signed with a key that is not known here: {row['key']}", seal=no))
    return findings


def _files(archive: Archive | None) -> list[Finding]:
    findings = []
    for file in archive.files if archive is not None else ():
        try:
            if not file.intact():
                findings.append(Finding(f"the archive file {file.path} was changed", position=file.first))
        except ArchiveError as error:
            findings.append(Finding(str(error), position=file.first))
    return findings


async def _contents(conn: Any, row: Any, archive: Archive | None, table_from: int) -> list[Finding]:
    """Which events of a seal's range are not as they were."""
    first, last = row["from_pos"], row["to_pos"]
    present: dict[int, list[bytes]] = {}
    async for start, stop, text in texts([conn], chunks(first, last), archive, table_from):
        for line in split(text, stop - start + 1):
            present.setdefault(_position(line), []).append(marks([line]))
    sealed = await conn.fetchval("select marks from log.seal where no = $1", row["no"])
    findings = []
    for position in range(first, last + 1):
        found = present.get(position, [])
        mark = sealed[4 * (position - first) : 4 * (position - first) + 4]
        if not found:
            findings.append(Finding(f"the event at position {position} is gone", position=position))
        elif found != [mark]:
            findings.append(Finding(f"the event at position {position} was changed", position=position))
    return findings or [Finding(f"positions {first} to {last} differ from seal {row['no']}", seal=row["no"])]


def _position(line: bytes) -> int:
    digits = line.partition(b"\x1f")[0]
    return int(digits) if digits.isdigit() else 0


async def _gaps(conn: Any, first: int, last: int) -> list[Finding]:
    """Events that no seal covers: positions must be dense up to the head, and nothing may lie beyond it."""
    missing = await conn.fetch(
        "select n from generate_series($1::bigint, $2::bigint) n where not exists (select from log.event where pos = n)"
        " order by n limit 100",
        first,
        last,
    )
    beyond = await conn.fetch(
        "select e.pos from log.event e, log.head h where e.pos > h.pos or e.pos < h.kept_from order by e.pos limit 100"
    )
    return [
        *(Finding(f"the event at position {row['n']} is gone", position=row["n"]) for row in missing),
        *(Finding(f"an event lies outside the log at position {row['pos']}", position=row["pos"]) for row in beyond),
    ]
