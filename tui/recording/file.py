"""The file of a recording: gzip around length-prefixed MessagePack, readable up to wherever it was cut off.

Each record is ``[epoch ms, name, key, answer]``; the first one is the header. Nothing in it is code.
"""

from __future__ import annotations

import gzip
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

VERSION = 1
_LENGTH = struct.Struct(">I")
_MOST = 64 << 20
"""Bytes of one record at most: a longer one is a file of something else."""


class RecordingError(Exception):
    """The file cannot be written or read as a recording; the text says why."""


class Header(msgspec.Struct, frozen=True):
    """When and where it was recorded."""

    version: int
    started: int
    environment: str
    color: str = ""


class Record(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An answer. ``failed``: ``answer`` is the sentence of what was unavailable."""

    at: int
    name: str
    key: bytes
    answer: bytes
    failed: bool = False


class Writer:
    """Appends records; only its user can read the file. Raises ``RecordingError``."""

    def __init__(self, path: Path, header: Header) -> None:
        self._path = path
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise RecordingError(f"{path} is there already; a recording never overwrites a file") from None
        except OSError as error:
            raise RecordingError(f"{path} cannot be written: {error.strerror}") from None
        self._raw = os.fdopen(handle, "wb")
        self._zipped = gzip.GzipFile(fileobj=self._raw, mode="wb", compresslevel=5)
        self._put(msgspec.msgpack.encode(header))
        self.flush()

    def write(self, record: Record) -> None:
        self._put(msgspec.msgpack.encode(record))

    def _put(self, data: bytes) -> None:
        try:
            self._zipped.write(_LENGTH.pack(len(data)) + data)
        except OSError as error:
            raise RecordingError(f"{self._path} cannot be written: {error.strerror}") from None

    def flush(self) -> None:
        """Everything written so far can be read, even if the process is killed now."""
        try:
            self._zipped.flush(zlib.Z_SYNC_FLUSH)
            self._raw.flush()
        except OSError as error:
            raise RecordingError(f"{self._path} cannot be written: {error.strerror}") from None

    def close(self) -> None:
        self._zipped.close()
        self._raw.close()


def read(path: Path) -> tuple[Header, Iterator[Record]]:
    """The header, and the records in order up to the end or the place where the file was cut off."""
    records = _pieces(path)
    try:
        header = msgspec.msgpack.decode(next(records), type=Header)
    except (StopIteration, msgspec.DecodeError, msgspec.ValidationError):
        raise RecordingError(f"{path} is no recording of the control center") from None
    if header.version != VERSION:
        raise RecordingError(f"{path} is of version {header.version}; this program reads version {VERSION}")
    return header, _records(path, records)


def _records(path: Path, pieces: Iterator[bytes]) -> Iterator[Record]:
    decoder = msgspec.msgpack.Decoder(Record)
    try:
        for piece in pieces:
            yield decoder.decode(piece)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise RecordingError(f"{path} is damaged: {error}") from None


def _pieces(path: Path) -> Iterator[bytes]:
    try:
        with gzip.open(path, "rb") as zipped:
            while len(head := _take(zipped, _LENGTH.size)) == _LENGTH.size:
                (length,) = _LENGTH.unpack(head)
                piece = _take(zipped, length) if length <= _MOST else b""
                if len(piece) < length:
                    return
                yield piece
    except (gzip.BadGzipFile, zlib.error):
        raise RecordingError(f"{path} is no recording of the control center") from None
    except OSError as error:
        raise RecordingError(f"{path} cannot be read: {error.strerror or error}") from None


def _take(zipped: gzip.GzipFile, size: int) -> bytes:
    """Up to ``size`` bytes; fewer where the file ends, also in the middle of what was compressed."""
    taken = b""
    try:
        while len(taken) < size and (part := zipped.read(size - len(taken))):
            taken += part
    except EOFError:
        pass  # killed while it wrote: what came before counts
    return taken
