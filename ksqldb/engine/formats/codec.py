"""What every format offers: rows to bytes and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

from ksqldb.engine.types import SqlType

Columns: TypeAlias = Sequence[tuple[str, SqlType]]
Row: TypeAlias = tuple[Any, ...]


class Codec(Protocol):
    """One side (key or value) of a topic's records.

    A row is a tuple with one value per column, in order; None stands for null bytes: a tombstone, or a record without
    a key. Columns a decoder was told are not wanted come as None.
    """

    def decode(self, data: bytes | None) -> Row | None:
        """DecodeError when the bytes do not fit the columns."""

    def encode(self, row: Row | None) -> bytes | None:
        """FunctionError when a value does not fit its column's type."""
