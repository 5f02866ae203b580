"""The wire format of protocol buffers: tagged fields of four kinds (proto3)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from ksqldb.engine.errors import DecodeError

VARINT: Final = 0
FIXED64: Final = 1
BYTES: Final = 2
FIXED32: Final = 5

_DOUBLE = struct.Struct("<d")


def varint(value: int) -> bytes:
    """A whole number in groups of seven bits; negative ones as their 64-bit complement."""
    value &= 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def signed(value: int, bits: int) -> int:
    """The signed number that the low ``bits`` of a varint stand for."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def tag(number: int, kind: int) -> bytes:
    return varint(number << 3 | kind)


def field(number: int, payload: bytes) -> bytes:
    """A field of bytes: text, nested message, packed numbers."""
    return tag(number, BYTES) + varint(len(payload)) + payload


def double(value: float) -> bytes:
    return _DOUBLE.pack(value)


def double_of(data: bytes) -> float:
    value: float = _DOUBLE.unpack(data)[0]
    return value


def unpack(data: bytes, kind: int) -> Iterator[int | bytes]:
    """The numbers of a packed field."""
    at = 0
    while at < len(data):
        if kind == VARINT:
            value, at = read_varint(data, at)
            yield value
        elif at + 8 > len(data):
            raise DecodeError("not PROTOBUF: a packed field ends early")
        else:
            yield data[at : at + 8]
            at += 8


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """The number at ``at`` (unsigned) and the index behind it; DecodeError when the bytes end early."""
    value = shift = 0
    while at < len(data) and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise DecodeError("not PROTOBUF: a number ends early")


def read_fields(data: bytes) -> Iterator[tuple[int, int, int | bytes]]:
    """``(field number, kind, value)`` of every field: a number for VARINT, the raw bytes for the other kinds."""
    at = 0
    while at < len(data):
        key, at = read_varint(data, at)
        number, kind = key >> 3, key & 7
        if number == 0:
            raise DecodeError("not PROTOBUF: a field has no number")
        if kind == VARINT:
            value, at = read_varint(data, at)
            yield number, kind, value
            continue
        if kind == BYTES:
            size, at = read_varint(data, at)
        elif kind in (FIXED64, FIXED32):
            size = 8 if kind == FIXED64 else 4
        else:
            raise DecodeError(f"not PROTOBUF: a field of kind {kind}")
        if at + size > len(data):
            raise DecodeError("not PROTOBUF: a field ends early")
        yield number, kind, data[at : at + size]
        at += size
