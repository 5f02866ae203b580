"""Keys of windowed tables: the key's own bytes with the window's bounds behind them, 8 bytes big-endian each."""

from __future__ import annotations

import struct

from ksqldb.engine.errors import DecodeError

_BOUND = struct.Struct(">q")


def add_time_window(key: bytes | None, start: int) -> bytes:
    """Tumbling and hopping windows: only the start (ms) is written."""
    return (key or b"") + _BOUND.pack(start)


def add_session_window(key: bytes | None, start: int, end: int) -> bytes:
    """Sessions: the end, then the start (ms)."""
    return (key or b"") + _BOUND.pack(end) + _BOUND.pack(start)


def split_time_window(data: bytes) -> tuple[bytes, int]:
    """The key's bytes and the window's start; DecodeError when there is no room for one."""
    if len(data) < 8:
        raise DecodeError(f"a windowed key needs at least 8 bytes, got {len(data)}")
    return data[:-8], _BOUND.unpack_from(data, len(data) - 8)[0]


def split_session_window(data: bytes) -> tuple[bytes, int, int]:
    """The key's bytes and the session's start and end; DecodeError when there is no room for them."""
    if len(data) < 16:
        raise DecodeError(f"a key of a session needs at least 16 bytes, got {len(data)}")
    end = _BOUND.unpack_from(data, len(data) - 16)[0]
    return data[:-16], _BOUND.unpack_from(data, len(data) - 8)[0], end
