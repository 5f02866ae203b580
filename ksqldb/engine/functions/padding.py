"""LPAD and RPAD."""

from __future__ import annotations

from typing import Any

from ksqldb.engine.functions.registry import scalar

LPAD = scalar("LPad", "STRING", "Pads a text, or bytes, on the left, or cuts it, to a given length.", author="")
RPAD = scalar("RPad", "STRING", "Pads a text, or bytes, on the right, or cuts it, to a given length.", author="")


def _pad(value: Any, length: int, padding: Any, left: bool) -> Any:
    if length < 0 or not padding:
        return None
    missing = max(length - len(value), 0)
    filler = (padding * (missing // len(padding) + 1))[:missing]
    return (filler + value if left else value + filler)[:length]


@LPAD.overload("VARCHAR input, INT targetLen, VARCHAR padding", "VARCHAR")
def lpad(value: str, length: int, padding: str) -> str | None:
    """Pads a text on the left until it has a length, or cuts it; a negative length or no padding gives NULL.

    input: The text to pad.
    targetLen: The length of the result.
    padding: What to pad with.
    """
    return _pad(value, length, padding, True)  # type: ignore[no-any-return]


@LPAD.overload("BYTES input, INT targetLen, BYTES padding", "BYTES")
def lpad_bytes(value: bytes, length: int, padding: bytes) -> bytes | None:
    """Pads bytes on the left until there are enough, or cuts them; a negative length or no padding gives NULL.

    input: The bytes to pad.
    targetLen: The length of the result.
    padding: What to pad with.
    """
    return _pad(value, length, padding, True)  # type: ignore[no-any-return]


@RPAD.overload("VARCHAR input, INT targetLen, VARCHAR padding", "VARCHAR")
def rpad(value: str, length: int, padding: str) -> str | None:
    """Pads a text on the right until it has a length, or cuts it; a negative length or no padding gives NULL.

    input: The text to pad.
    targetLen: The length of the result.
    padding: What to pad with.
    """
    return _pad(value, length, padding, False)  # type: ignore[no-any-return]


@RPAD.overload("BYTES input, INT targetLen, BYTES padding", "BYTES")
def rpad_bytes(value: bytes, length: int, padding: bytes) -> bytes | None:
    """Pads bytes on the right until there are enough, or cuts them; a negative length or no padding gives NULL.

    input: The bytes to pad.
    targetLen: The length of the result.
    padding: What to pad with.
    """
    return _pad(value, length, padding, False)  # type: ignore[no-any-return]
