"""LPAD and RPAD."""

from __future__ import annotations

from typing import AnyStr

from ksqldb.engine.functions.registry import scalar

LPAD = scalar("LPad", "STRING", "Pads a text, or bytes, on the left, or cuts it, to a given length.", author="")
RPAD = scalar("RPad", "STRING", "Pads a text, or bytes, on the right, or cuts it, to a given length.", author="")


def _pad(value: AnyStr, length: int, padding: AnyStr, left: bool) -> AnyStr | None:
    if length < 0 or not padding:
        return None
    missing = max(length - len(value), 0)
    filler = (padding * (missing // len(padding) + 1))[:missing]
    return (filler + value if left else value + filler)[:length]


@LPAD.overload("BYTES input, INT targetLen, BYTES padding", "BYTES")
@LPAD.overload("VARCHAR input, INT targetLen, VARCHAR padding", "VARCHAR")
def lpad(value: AnyStr, length: int, padding: AnyStr) -> AnyStr | None:
    """Pads on the left until a length is reached, or cuts; a negative length or no padding gives NULL.

    input: What to pad.
    targetLen: The length of the result.
    padding: What to pad with.
    """
    return _pad(value, length, padding, True)


@RPAD.overload("BYTES input, INT targetLen, BYTES padding", "BYTES")
@RPAD.overload("VARCHAR input, INT targetLen, VARCHAR padding", "VARCHAR")
def rpad(value: AnyStr, length: int, padding: AnyStr) -> AnyStr | None:
    """Pads on the right until a length is reached, or cuts; a negative length or no padding gives NULL.

    input: What to pad.
    targetLen: The length of the result.
    padding: What to pad with.
    """
    return _pad(value, length, padding, False)
