"""Seals: a signed hash chain over the log, so that an edit by someone who may edit everything is found and named.

``root`` is the SHA-256 of a range's canonical text, ``chain`` = SHA-256(previous chain, range, root, SHA-256(marks),
time), and the sealer's Ed25519 key signs number, range and chain. A witness (a file outside the database) holds chain
heads with key and signature: without it, whoever rewrites the log could seal it again with a key of their own.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from core.eventlog import advisory
from core.eventlog.canonical import split
from core.eventlog.keys import Signer
from core.eventlog.record import microseconds
from core.eventlog.texts import chunks, texts

RANGE = 10_000
FORMAT = 2
GENESIS = bytes(32)


class Head(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a witness keeps of a seal; ``chain``, ``key`` (public) and ``signature`` are hexadecimal."""

    no: int
    from_pos: int
    to_pos: int
    chain: str
    key: str | None = None
    signature: str | None = None


class Digest:
    """The root of texts taken in one after another."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._empty = True

    def add(self, text: bytes) -> None:
        if not self._empty:
            self._hash.update(b"\x1e")
        self._empty = False
        self._hash.update(text)

    @property
    def root(self) -> bytes:
        return self._hash.digest()


def marks(lines: Sequence[bytes]) -> bytes:
    """Four bytes an event, to name the one that was changed."""
    return struct.pack(f">{len(lines)}I", *map(zlib.crc32, lines))


class Covered(NamedTuple):
    """What the chain of a seal covers; ``marks`` is the SHA-256 of them. Seals of format 1 end with the root."""

    prev: bytes
    first: int
    last: int
    root: bytes
    marks: bytes
    at: datetime
    format: int = FORMAT

    @property
    def chain(self) -> bytes:
        text = self.prev + struct.pack(">qq", self.first, self.last) + self.root
        if self.format > 1:
            text += self.marks + struct.pack(">q", microseconds(self.at))
        return hashlib.sha256(text).digest()


def message(no: int, first: int, last: int, chain: bytes) -> bytes:
    """What is signed of a seal."""
    return b"stream-guard seal\0" + struct.pack(">qqq", no, first, last) + chain


async def seal(conn: Any, limit: int = RANGE, signer: Signer | None = None, helpers: Sequence[Any] = ()) -> Head | None:
    """Seal the next range, at most ``limit`` events; ``None`` when all are sealed. Any number of sealers may run.

    ``helpers`` are further connections that read along. Raises ``LookupError`` when an event to be sealed is missing.
    """
    async with conn.transaction():
        await conn.execute("select pg_advisory_xact_lock($1)", advisory.SEAL)
        last = await conn.fetchrow("select no, to_pos, chain from log.seal order by no desc limit 1")
        no, first, prev = (last["no"] + 1, last["to_pos"] + 1, last["chain"]) if last else (1, 1, GENESIS)
        head, at = await conn.fetchrow("select pos, clock_timestamp() from log.head")
        if head < first:
            return None
        upto = min(head, first + limit - 1)
        digest, marked = Digest(), bytearray()
        async for start, stop, text in texts([conn, *helpers], chunks(first, upto)):
            digest.add(text)
            marked += marks(split(text, stop - start + 1))
        if len(marked) != 4 * (upto - first + 1):
            raise LookupError(f"positions {first} to {upto} cannot be sealed: events are missing; see `log verify`")
        chain = Covered(prev, first, upto, digest.root, hashlib.sha256(marked).digest(), at).chain
        signature = None if signer is None else signer.sign(message(no, first, upto, chain))
        await conn.execute(
            "insert into log.seal (no, from_pos, to_pos, root, marks, prev, chain, at, format, key, signature)"
            " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            no,
            first,
            upto,
            digest.root,
            bytes(marked),
            prev,
            chain,
            at,
            FORMAT,
            None if signer is None else signer.key,
            signature,
        )
    if signer is None or signature is None:
        return Head(no, first, upto, chain.hex())
    return Head(no, first, upto, chain.hex(), signer.key, signature.hex())
