"""Archived partitions: files of the log's canonical text, which `events` and `log verify` read in the table's place.

A file is a line of JSON (the positions it holds), then frames of 1,000 events: four bytes of length, then zstd. Whole
files are named with their SHA-256 in ``log.archive``; what their events must be is in the seals.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cramjam
import msgspec

from core.eventlog.canonical import EVENT, split
from core.eventlog.reading import Page, Selection

FRAME = 1_000


class ArchiveError(Exception):
    """An archive file is missing or damaged; the text names it."""


class Archived(Exception):
    """What was asked for lies in the archive, or needs it; the text says from where on the database has all."""

    def __init__(self, kept_from: int) -> None:
        super().__init__(
            f"the events before position {kept_from:,} are archived: `streamguard log restore` takes them back"
        )


async def need_all(conn: Any) -> None:
    """Raise ``Archived`` where the database does not hold the log from its beginning."""
    kept_from = await conn.fetchval("select kept_from from log.head")
    if kept_from > 1:
        raise Archived(kept_from)


class _Header(msgspec.Struct, frozen=True):
    first: int
    last: int
    format: str = "stream-guard archive 1"


@dataclass
class ArchiveFile:
    """One partition; ``path`` need not exist until it is read."""

    path: Path
    first: int
    last: int
    sha256: bytes
    _frames: list[tuple[int, int]] = field(default_factory=list)

    def text(self, first: int, last: int) -> bytes:
        """The canonical text of positions ``first`` to ``last``, both within the file. Raises ``ArchiveError``."""
        self._index()
        separator = EVENT.encode()
        parts = []
        for number in range((first - self.first) // FRAME, (last - self.first) // FRAME + 1):
            start = self.first + number * FRAME
            size = min(FRAME, self.last - start + 1)
            whole = self._frame(number)
            if first <= start and start + size - 1 <= last:
                parts.append(whole)
                continue
            lines = split(whole, size)
            parts.append(separator.join(lines[max(0, first - start) : last - start + 1]))
        return separator.join(parts)

    def intact(self) -> bool:
        """Whether the file is bit by bit what was written. Raises ``ArchiveError`` when it cannot be read."""
        try:
            with self.path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").digest() == self.sha256
        except OSError as error:
            raise ArchiveError(f"{self.path}: {error.strerror}") from error

    def _index(self) -> None:
        if self._frames:
            return
        try:
            with self.path.open("rb") as file:
                header = msgspec.json.decode(file.readline(), type=_Header)
                if (header.first, header.last) != (self.first, self.last):
                    raise ArchiveError(f"{self.path} holds positions {header.first} to {header.last}")
                while size := int.from_bytes(file.read(4), "big"):
                    self._frames.append((file.tell(), size))
                    file.seek(size, os.SEEK_CUR)
        except OSError as error:
            raise ArchiveError(f"{self.path}: {error.strerror}") from error
        except msgspec.MsgspecError as error:
            raise ArchiveError(f"{self.path} is not an archive of the log: {error}") from error

    def _frame(self, number: int) -> bytes:
        try:
            at, size = self._frames[number]
            with self.path.open("rb") as file:
                file.seek(at)
                return bytes(cramjam.zstd.decompress(file.read(size)))
        except (IndexError, OSError, cramjam.DecompressionError) as error:
            start = self.first + number * FRAME
            raise ArchiveError(f"{self.path} is damaged where position {start:,} and those after it were") from error


@dataclass(frozen=True)
class Archive:
    """The files that hold what came before the table, in order."""

    files: Sequence[ArchiveFile]

    def text(self, first: int, last: int) -> bytes:
        """The canonical text of positions that lie in one file, or in several that follow one another."""
        parts = [
            file.text(max(first, file.first), min(last, file.last))
            for file in self.files
            if file.first <= last and file.last >= first
        ]
        return EVENT.encode().join(parts)

    def page(self, from_pos: int, limit: int, selection: Selection, before: int) -> Page:
        """At most ``limit`` of the events selected from ``from_pos`` on, and before position ``before``."""
        stop = before - 1 if selection.upto is None else min(before - 1, selection.upto)
        found: list[bytes] = []
        last = 0
        while from_pos <= stop and len(found) < limit:
            until = min(from_pos + FRAME - (from_pos - 1) % FRAME - 1, stop)
            size = until - from_pos + 1
            for line in split(self.text(from_pos, until), size):
                if len(found) < limit and selected(line, selection):
                    found.append(line)
                    last = int(line[: line.index(b"\x1f")])
            from_pos = until + 1
        return Page(len(found), last, EVENT.encode().join(found).decode())


def selected(line: bytes, selection: Selection) -> bool:
    """Whether an event's canonical text is of the streams and types wanted."""
    if selection.prefix is None and selection.types is None:
        return True
    (event,) = Page(1, 0, line.decode()).events()
    return (selection.prefix is None or event.stream.startswith(selection.prefix)) and (
        selection.types is None or event.type in selection.types
    )


async def open_archive(conn: Any, folder: Path) -> Archive:
    """The archive as the database knows it, with its files in ``folder``."""
    rows = await conn.fetch("select first_pos, last_pos, file, sha256 from log.archive order by first_pos")
    return Archive([ArchiveFile(folder / r["file"], r["first_pos"], r["last_pos"], r["sha256"]) for r in rows])


async def write(path: Path, first: int, last: int, frames: AsyncIterable[bytes]) -> ArchiveFile:
    """Write a file whole or not at all, durably; ``frames`` are the canonical texts of 1,000 events each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".part")
    digest = hashlib.sha256()
    with draft.open("wb") as file:

        def put(data: bytes) -> None:
            digest.update(data)
            file.write(data)

        put(msgspec.json.encode(_Header(first, last)) + b"\n")
        async for text in frames:
            packed = bytes(cramjam.zstd.compress(text, 6))
            put(len(packed).to_bytes(4, "big") + packed)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return ArchiveFile(path, first, last, digest.digest())
