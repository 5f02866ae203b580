"""Seals: a hash chain over the log, so that an edit by someone who may edit everything is found and named.

``root`` is the SHA-256 of a range's canonical text, ``chain`` = SHA-256(previous chain, range, root). A witness (a file
outside the database) holds chain heads: without it, whoever rewrites the log could reseal it.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from core.eventlog import advisory

RANGE = 10_000
GENESIS = bytes(32)


class Head(msgspec.Struct, frozen=True):
    """What a witness keeps of a seal; ``chain`` is hexadecimal."""

    no: int
    from_pos: int
    to_pos: int
    chain: str


class Finding(msgspec.Struct, frozen=True):
    """Something that is not as it was sealed: at a position of the log, or at a seal where no position can be told."""

    what: str
    position: int | None = None
    seal: int | None = None


def _digests(text: str) -> tuple[bytes, bytes, list[int]]:
    """Root, marks and positions of a range's canonical text."""
    data = text.encode()
    lines = data.split(b"\x1e") if data else []
    marks = b"".join([zlib.crc32(line).to_bytes(4, "big") for line in lines])
    return hashlib.sha256(data).digest(), marks, [int(line[: line.index(b"\x1f")]) for line in lines]


def _chain(prev: bytes, first: int, last: int, root: bytes) -> bytes:
    return hashlib.sha256(prev + first.to_bytes(8, "big") + last.to_bytes(8, "big") + root).digest()


async def seal(conn: Any, limit: int = RANGE) -> Head | None:
    """Seal the next range, at most ``limit`` events; ``None`` when all are sealed. Any number of sealers may run."""
    async with conn.transaction():
        await conn.execute("select pg_advisory_xact_lock($1)", advisory.SEAL)
        last = await conn.fetchrow("select no, to_pos, chain from log.seal order by no desc limit 1")
        no, first, prev = (last["no"] + 1, last["to_pos"] + 1, last["chain"]) if last else (1, 1, GENESIS)
        head = await conn.fetchval("select pos from log.head")
        if head < first:
            return None
        upto = min(head, first + limit - 1)
        root, marks, _ = _digests(await conn.fetchval("select log.canonical($1, $2)", first, upto))
        chain = _chain(prev, first, upto, root)
        await conn.execute(
            "insert into log.seal (no, from_pos, to_pos, root, marks, prev, chain) values ($1, $2, $3, $4, $5, $6, $7)",
            no,
            first,
            upto,
            root,
            marks,
            prev,
            chain,
        )
        return Head(no, first, upto, chain.hex())


async def verify(
    conn: Any,
    from_pos: int = 1,
    to_pos: int | None = None,
    witness: Iterable[Head] = (),
    progress: Callable[[int, int], None] = lambda pos, head: None,
) -> list[Finding]:
    """Recompute every seal that touches the range, and the links of all; returns what is not as it was sealed.

    Events after the last seal can only be checked for gaps.
    """
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        head = await conn.fetchval("select pos from log.head")
        stop = head if to_pos is None else min(to_pos, head)
        seals = await conn.fetch("select no, from_pos, to_pos, root, prev, chain from log.seal order by no")
        findings = _links(seals, {known.no: known for known in witness})
        sealed = 0
        for row in seals:
            sealed = row["to_pos"]
            if row["to_pos"] < from_pos or row["from_pos"] > stop:
                continue
            findings += await _contents(conn, row)
            progress(min(row["to_pos"], stop), stop)
        findings += await _gaps(conn, max(sealed + 1, from_pos), stop)
    return findings


def _links(seals: Iterable[Any], witness: Mapping[int, Head]) -> list[Finding]:
    findings = []
    no, position, prev = 0, 0, GENESIS
    for row in seals:
        if row["no"] != no + 1 or row["from_pos"] != position + 1 or row["prev"] != prev:
            findings.append(Finding(f"seal {row['no']} does not follow seal {no}", seal=row["no"]))
        if row["chain"] != _chain(row["prev"], row["from_pos"], row["to_pos"], row["root"]):
            findings.append(Finding(f"seal {row['no']} was changed", seal=row["no"]))
        known = witness.get(row["no"])
        if known is not None and known.chain != row["chain"].hex():
            findings.append(Finding(f"seal {row['no']} is not the one the witness has", seal=row["no"]))
        no, position, prev = row["no"], row["to_pos"], row["chain"]
    missing = sorted(number for number in witness if number > no)
    findings += [Finding(f"seal {number}, which the witness has, is gone", seal=number) for number in missing]
    return findings


async def _contents(conn: Any, row: Any) -> list[Finding]:
    first, last = row["from_pos"], row["to_pos"]
    root, marks, positions = _digests(await conn.fetchval("select log.canonical($1, $2)", first, last) or "")
    if root == row["root"]:
        return []
    sealed = await conn.fetchval("select marks from log.seal where no = $1", row["no"])
    findings = []
    present: dict[int, list[bytes]] = {}
    for at, position in enumerate(positions):
        present.setdefault(position, []).append(marks[4 * at : 4 * at + 4])
    for position in range(first, last + 1):
        found = present.get(position, [])
        mark = sealed[4 * (position - first) : 4 * (position - first) + 4]
        if not found:
            findings.append(Finding(f"the event at position {position} is gone", position=position))
        elif found != [mark]:
            findings.append(Finding(f"the event at position {position} was changed", position=position))
    return findings or [Finding(f"positions {first} to {last} differ from seal {row['no']}", seal=row["no"])]


async def _gaps(conn: Any, first: int, last: int) -> list[Finding]:
    """Events that no seal covers: positions must be dense up to the head, and nothing may lie beyond it."""
    missing = await conn.fetch(
        "select n from generate_series($1::bigint, $2::bigint) n where not exists (select from log.event where pos = n)"
        " limit 100",
        first,
        last,
    )
    beyond = await conn.fetch(
        "select e.pos from log.event e, log.head h where e.pos > h.pos or e.pos < 1 order by e.pos limit 100"
    )
    return [
        *(Finding(f"the event at position {row['n']} is gone", position=row["n"]) for row in missing),
        *(Finding(f"an event lies outside the log at position {row['pos']}", position=row["pos"]) for row in beyond),
    ]
