"""Kafka's primitive types on the wire, reading and writing (protocol guide, "Protocol primitive types").

Both classes carry a `flexible` flag: with it strings, bytes and arrays have compact lengths and every structure ends
with a tag buffer (KIP-482), so one handler serves the old and the flexible versions of its API.
"""

import struct
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")

_I8 = struct.Struct(">b")
_I16 = struct.Struct(">h")
_I32 = struct.Struct(">i")
_I64 = struct.Struct(">q")


class Malformed(Exception):
    """The bytes are not a request of the version they claim; the connection is of no use any more."""


class Reader:
    """Reads one request; every method raises `Malformed` where the bytes end early or a length is impossible."""

    __slots__ = ("_data", "_pos", "flexible")

    def __init__(self, data: bytes, flexible: bool = False) -> None:
        self._data = data
        self._pos = 0
        self.flexible = flexible

    def _take(self, size: int) -> int:
        start = self._pos
        if size < 0 or start + size > len(self._data):
            raise Malformed(f"{size} bytes wanted at {start} of {len(self._data)}")
        self._pos = start + size
        return start

    def i8(self) -> int:
        return int(_I8.unpack_from(self._data, self._take(1))[0])

    def i16(self) -> int:
        return int(_I16.unpack_from(self._data, self._take(2))[0])

    def i32(self) -> int:
        return int(_I32.unpack_from(self._data, self._take(4))[0])

    def i64(self) -> int:
        return int(_I64.unpack_from(self._data, self._take(8))[0])

    def boolean(self) -> bool:
        return self.i8() != 0

    def uvarint(self) -> int:
        value = shift = 0
        while shift < 35:
            byte = self._data[self._take(1)]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
        raise Malformed("a variable-length integer longer than five bytes")

    def _length(self, wide: bool) -> int:
        """Length of what follows; -1 is null."""
        if self.flexible:
            return self.uvarint() - 1
        return self.i32() if wide else self.i16()

    def string_or_none(self) -> str | None:
        size = self._length(wide=False)
        if size == -1:
            return None
        start = self._take(size)
        try:
            return str(self._data[start : start + size], "utf-8")
        except UnicodeDecodeError as error:
            raise Malformed(f"a string that is not UTF-8: {error}") from None

    def string(self) -> str:
        value = self.string_or_none()
        if value is None:
            raise Malformed("null for a string that must be there")
        return value

    def blob_or_none(self) -> memoryview | None:
        size = self._length(wide=True)
        if size == -1:
            return None
        start = self._take(size)
        return memoryview(self._data)[start : start + size]

    def blob(self) -> bytes:
        value = self.blob_or_none()
        return b"" if value is None else bytes(value)

    def array_or_none(self, item: Callable[[], T]) -> list[T] | None:
        count = self._length(wide=True)
        if count == -1:
            return None
        if count < 0 or count > len(self._data):  # every item takes a byte at least
            raise Malformed(f"an array of {count} items in {len(self._data)} bytes")
        return [item() for _ in range(count)]

    def array(self, item: Callable[[], T]) -> list[T]:
        return self.array_or_none(item) or []

    def tags(self) -> None:
        """Skip the tag buffer that ends a structure of a flexible version."""
        if self.flexible:
            for _ in range(self.uvarint()):
                self.uvarint()
                self._take(self.uvarint())


class Writer:
    """Builds one response in `data`."""

    __slots__ = ("data", "flexible")

    def __init__(self, flexible: bool = False) -> None:
        self.data = bytearray()
        self.flexible = flexible

    def i8(self, value: int) -> None:
        self.data += _I8.pack(value)

    def i16(self, value: int) -> None:
        self.data += _I16.pack(value)

    def i32(self, value: int) -> None:
        self.data += _I32.pack(value)

    def i64(self, value: int) -> None:
        self.data += _I64.pack(value)

    def boolean(self, value: bool) -> None:
        self.data.append(1 if value else 0)

    def uvarint(self, value: int) -> None:
        while value >= 0x80:
            self.data.append((value & 0x7F) | 0x80)
            value >>= 7
        self.data.append(value)

    def _length(self, size: int, wide: bool) -> None:
        if self.flexible:
            self.uvarint(size + 1)
        elif wide:
            self.i32(size)
        else:
            self.i16(size)

    def string(self, value: str | None) -> None:
        if value is None:
            self._length(-1, wide=False)
            return
        encoded = value.encode()
        self._length(len(encoded), wide=False)
        self.data += encoded

    def blob(self, value: bytes | None) -> None:
        self._length(-1 if value is None else len(value), wide=True)
        if value:
            self.data += value

    def array(self, items: Iterable[T], item: Callable[[T], None]) -> None:
        """Each item by `item`, which writes its own tag buffer where the items are structures."""
        values = list(items)
        self._length(len(values), wide=True)
        for value in values:
            item(value)

    def null_array(self) -> None:
        self._length(-1, wide=True)

    def tags(self) -> None:
        """The empty tag buffer that ends a structure of a flexible version."""
        if self.flexible:
            self.data.append(0)
