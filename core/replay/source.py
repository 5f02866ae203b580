"""The rows of a CSV (plain or gzip) in the order of their event time."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple, cast

from core.replay.mapping import FileMapping, MappingError, Reader, RowError, clean
from schema.label import Label
from schema.transaction import Transaction

SHOWN_ERRORS = 5


class Survey(NamedTuple):
    """What a first pass found: rows that are payments, the span of event time, whether it is in order."""

    payments: int
    rejected: int
    errors: tuple[str, ...]
    first: int
    last: int
    in_order: bool


class Source:
    """A file with its mapping; ``delay`` as in ``Reader``. Raises ``MappingError`` when they do not fit."""

    def __init__(self, path: Path, mapping: FileMapping, delay: int | None) -> None:
        self._path = path
        self._mapping = mapping
        self._delay = delay

    def survey(self) -> Survey:
        """Read the file once; takes about 5 us a row."""
        payments = rejected = 0
        errors: list[str] = []
        first, last, previous, in_order = 1 << 62, -1, -1, True
        for number, item in self._rows():
            if isinstance(item, RowError):
                rejected += 1
                if len(errors) < SHOWN_ERRORS:
                    errors.append(f"line {number}: {item}")
                continue
            time = item[0].event_time
            payments += 1
            first, last = min(first, time), max(last, time)
            in_order = in_order and time >= previous
            previous = time
        if payments == 0:
            raise MappingError(f"{self._path} holds no payment" + (f"; {errors[0]}" if errors else ""))
        return Survey(payments, rejected, tuple(errors), first, last, in_order)

    def payments(self, in_order: bool) -> Iterator[tuple[Transaction, Label | None]]:
        """Payments with their labels in order of event time; a file out of order is sorted in memory."""
        found = (item for _, item in self._rows() if not isinstance(item, RowError))
        if in_order:
            return found
        return iter(sorted(found, key=lambda item: item[0].event_time))

    def _rows(self) -> Iterator[tuple[int, tuple[Transaction, Label | None] | RowError]]:
        try:
            with opened(self._path, self._mapping.encoding) as file:
                lines = csv.reader(file, delimiter=self._mapping.delimiter)
                header = next(lines, None)
                if header is None:
                    raise MappingError(f"{self._path} is empty")
                reader = Reader(self._mapping, clean(header), self._delay)
                for number, row in enumerate(lines, 2):
                    if not row:
                        continue
                    try:
                        yield number, reader.read(row, number)
                    except RowError as error:
                        yield number, error
        except (OSError, EOFError) as error:
            raise MappingError(f"{self._path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
        except LookupError:
            raise MappingError(f"there is no encoding {self._mapping.encoding!r}") from None
        except (UnicodeDecodeError, csv.Error) as error:
            raise MappingError(
                f"{self._path} is no CSV in {self._mapping.encoding}: {error}; the mapping may name another encoding"
            ) from None


def opened(path: Path, encoding: str, errors: str = "strict") -> IO[str]:
    """The text of a file, plain or gzip by its first bytes."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    if packed:
        return cast(IO[str], gzip.open(path, "rt", encoding=encoding, errors=errors, newline=""))
    return path.open(encoding=encoding, errors=errors, newline="")
