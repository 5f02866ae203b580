"""Bytes as text and numbers: ENCODE, TO_BYTES, FROM_BYTES and the ..._FROM_BYTES functions."""

from __future__ import annotations

import base64
import binascii
import re
import struct
from collections.abc import Callable

from ksqldb.engine.errors import FunctionError
from ksqldb.engine.functions.registry import Function, scalar

# ---------------------------------------------------------------------------------------------- ENCODE

ENCODE = scalar("encode", "STRING", "Rewrites a text from one encoding (hex, utf8, ascii, base64) in another.")


@ENCODE.overload("VARCHAR str, VARCHAR inputEncoding, VARCHAR outputEncoding", "VARCHAR")
def encode(text: str, source: str, target: str) -> str:
    """Rewrites a text from one encoding in another.

    str: The text; NULL gives NULL.
    inputEncoding: The encoding it is in; NULL gives NULL.
    outputEncoding: The encoding to write; NULL gives NULL.
    """
    read, write = _READ.get(source.lower()), _WRITE.get(target.lower())
    if read is None or write is None or source.lower() == target.lower():
        raise FunctionError("Supported input and output encodings are: hex, utf8, ascii and base64")
    return write(read(text))


def _unhex(text: str) -> bytes:
    """Hex digits, also as ``0x..`` (an odd number of digits gets a leading 0) and ``X'..'``."""
    if text.startswith("0x"):
        digits = "0" * (len(text) % 2) + text[2:]
    else:
        quoted = re.fullmatch(r"[xX]'(.*)'", text)
        digits = quoted[1] if quoted else text
    try:
        return binascii.unhexlify(digits)
    except ValueError as error:
        raise FunctionError(f"not hexadecimal: {error}") from None


def _unbase64(text: str) -> bytes:
    """Base64 as commons-codec reads it: other characters are skipped, padding may be missing."""
    kept = re.sub(r"[^A-Za-z0-9+/]", "", text.replace("-", "+").replace("_", "/").split("=")[0])
    if len(kept) % 4 == 1:
        kept = kept[:-1]
    return base64.b64decode(kept + "=" * (-len(kept) % 4))


_READ: dict[str, Callable[[str], bytes]] = {
    "hex": _unhex,
    "utf8": lambda text: text.encode("utf-8", "replace"),
    "ascii": lambda text: text.encode("ascii", "replace"),
    "base64": _unbase64,
}
_WRITE: dict[str, Callable[[bytes], str]] = {
    "hex": bytes.hex,
    "utf8": lambda data: data.decode("utf-8", "replace"),
    "ascii": lambda data: data.decode("ascii", "replace"),
    "base64": lambda data: base64.b64encode(data).decode("ascii"),
}

# ---------------------------------------------------------------------------------------------- TO_BYTES, FROM_BYTES

TO_BYTES = scalar("to_bytes", "STRING", "The bytes of a text in an encoding (hex, utf8, ascii, base64).")
FROM_BYTES = scalar("from_bytes", "STRING", "Bytes as text in an encoding (hex, utf8, ascii, base64).")


def _known(encoding: str) -> str:
    if encoding.lower() not in _READ:
        raise FunctionError(
            f"Unknown encoding type '{encoding}'. Supported formats are 'hex', 'utf8', 'ascii', and 'base64'."
        )
    return encoding.lower()


def _strict(text: str, encoding: str) -> bytes:
    try:
        if encoding == "hex":
            return binascii.unhexlify(text)
        return _READ[encoding](text)
    except ValueError as error:
        raise FunctionError(f"cannot read '{text}' as {encoding}: {error}") from None


@TO_BYTES.overload("VARCHAR value, VARCHAR encoding", "BYTES")
def to_bytes(text: str, encoding: str) -> bytes:
    """The bytes of a text.

    value: The text; NULL gives NULL.
    encoding: How it stands for bytes; NULL gives NULL.
    """
    return _strict(text, _known(encoding))


@FROM_BYTES.overload("BYTES value, VARCHAR encoding", "VARCHAR")
def from_bytes(data: bytes, encoding: str) -> str:
    """Bytes as text.

    value: The bytes; NULL gives NULL.
    encoding: How to write them; NULL gives NULL.
    """
    known = _known(encoding)
    if known == "base64":  # Java's MIME encoder: lines of 76 characters
        text = _WRITE[known](data)
        return "\r\n".join(text[i : i + 76] for i in range(0, len(text), 76))
    return data.hex().upper() if known == "hex" else _WRITE[known](data)


# ---------------------------------------------------------------------------------------------- numbers from bytes


def _declare(name: str, kind: str, code: str, returns: str) -> Function:
    function = scalar(name, "CONVERSIONS", f"The {kind} that bytes stand for.", author="")
    layouts = {"BIG_ENDIAN": struct.Struct(f">{code}"), "LITTLE_ENDIAN": struct.Struct(f"<{code}")}

    def read(data: bytes, order: str = "BIG_ENDIAN") -> int | float:
        layout = layouts.get(order.upper())
        if layout is None:
            raise FunctionError(f"Byte order must be BIG_ENDIAN or LITTLE_ENDIAN, got '{order}'.")
        if len(data) != layout.size:
            raise FunctionError(f"Number of bytes must be equal to {layout.size}, but found {len(data)}")
        number: int | float = layout.unpack(data)[0]
        return number

    def plain(data: bytes) -> int | float:
        return read(data)

    plain.__doc__ = f"The {kind} of bytes, the most significant one first.\n\nvalue: The bytes."
    read.__doc__ = (
        f"The {kind} of bytes in a given order.\n\nvalue: The bytes.\nbyteOrder: BIG_ENDIAN or LITTLE_ENDIAN."
    )
    function.overload("BYTES value", returns)(plain)
    function.overload("BYTES value, VARCHAR byteOrder", returns)(read)
    return function


INT_FROM_BYTES = _declare("int_from_bytes", "INT", "i", "INT")
BIGINT_FROM_BYTES = _declare("bigint_from_bytes", "BIGINT", "q", "BIGINT")
DOUBLE_FROM_BYTES = _declare("double_from_bytes", "DOUBLE", "d", "DOUBLE")
