"""Bytes of a query's response -> columns and rows, for the three formats a server speaks. No I/O.

A reader is fed chunks as they come (they end anywhere) and gives back what was completed by them. The fast path hands
all complete lines of a chunk to msgspec at once; only a chunk that holds something else than rows is looked at line by
line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

import msgspec

from ksqldb.client._errors import KsqlClientError, KsqlServerError, clean, from_object
from ksqldb.client._types import Column, parse_schema, row_decoder

Row = tuple[Any, ...]


class Tombstone(tuple[Any, ...]):
    """A row that left the table: only its key columns are set. Only v1+json shows them."""

    __slots__ = ()


class Format(Enum):
    """What to ask for by ``Accept``; DELIMITED is the fastest, V1_JSON alone shows tombstones and marks the end."""

    DELIMITED = "application/vnd.ksqlapi.delimited.v1"
    V1_JSON = "application/vnd.ksql.v1+json"
    JSON = "application/json"


@dataclass(slots=True)
class Part:
    """What a chunk completed. ``end`` is the server's last word in v1+json, ``tokens`` those for consistency."""

    query_id: str | None = None
    columns: list[Column] | None = None
    rows: list[Row] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)
    error: KsqlClientError | None = None
    end: str | None = None


class Reader(Protocol):
    def feed(self, chunk: bytes) -> Part: ...


def reader(form: Format) -> Reader:
    """A reader for one response in ``form``."""
    if form is Format.DELIMITED:
        return DelimitedReader()
    return StreamedRowReader() if form is Format.V1_JSON else ArrayReader()


_ANY = msgspec.json.Decoder()
_NO_ROWS: msgspec.json.Decoder[Row] = msgspec.json.Decoder(tuple[()])


def _decode(text: bytes) -> Any:
    try:
        return _ANY.decode(text)
    except msgspec.DecodeError as problem:
        shown = clean(text[:200].decode(errors="replace"))
        raise KsqlServerError(50000, f"the answer is not JSON ({problem}): {shown}") from None


class DelimitedReader:
    """New-line delimited: a metadata object, then one array a row; other objects are tokens or the error at the end."""

    def __init__(self) -> None:
        self._rest = b""
        self._rows = _NO_ROWS

    def feed(self, chunk: bytes) -> Part:
        part = Part()
        lines, newline, self._rest = (self._rest + chunk).rpartition(b"\n")
        if newline:
            try:
                part.rows = self._rows.decode_lines(lines)
            except msgspec.MsgspecError:
                for line in lines.split(b"\n"):
                    if line:
                        self.element(line, part)
        return part

    def element(self, line: bytes, part: Part) -> None:
        if line.startswith(b"["):
            try:
                part.rows.append(self._rows.decode(line))
            except msgspec.MsgspecError:
                part.rows.append(tuple(_decode(line)))
            return
        value = _decode(line)
        if "columnNames" in value:
            part.query_id = value.get("queryId")
            pairs = zip(value["columnNames"], value["columnTypes"], strict=True)
            part.columns = [Column(name, kind) for name, kind in pairs]
            self._rows = row_decoder(part.columns)
        elif "error_code" in value:
            part.error = from_object(value)
        else:
            part.tokens.update((k, v) for k, v in value.items() if isinstance(v, str))


class StreamedRowReader:
    """``application/vnd.ksql.v1+json``: an array of one element a line, read line by line because after a mid-stream
    error the whole is not valid JSON."""

    def __init__(self) -> None:
        self._rest = b""
        self._begun = self._headed = False
        self._lines: msgspec.json.Decoder[Any] = msgspec.json.Decoder(_streamed_row(tuple[()]))

    def feed(self, chunk: bytes) -> Part:
        part = Part()
        text = self._rest + chunk
        if not self._begun and text:
            self._begun, text = True, text.removeprefix(b"[")
        # The last element of an array has "]" behind it and no new line: it is complete as soon as the "]" is there.
        lines, _, self._rest = text.rpartition(b"\n")
        if self._rest.endswith(b"]") and (ended := self._closing(self._rest)) is not None:
            lines, self._rest = lines + b"\n" + ended, b""
        lines = lines.replace(b",\n", b"\n").strip(b",\n")
        if not self._headed and lines:  # the header says how to read what follows
            self._headed = True
            first, _, lines = lines.partition(b"\n")
            self._take(self._one(first), part)
        for line in self._decode_all(lines):
            self._take(line, part)
        return part

    def _closing(self, rest: bytes) -> bytes | None:
        body = rest[:-1]
        try:
            _ANY.decode(body or b"null")
        except msgspec.DecodeError:
            return None
        return body

    def _decode_all(self, lines: bytes) -> list[Any]:
        try:
            return self._lines.decode_lines(lines)
        except msgspec.MsgspecError:
            kept = (line.strip().rstrip(b",") for line in lines.split(b"\n"))
            return [self._one(line) for line in kept if line and line != b"]"]

    def _one(self, line: bytes) -> Any:
        try:
            return self._lines.decode(line)
        except msgspec.MsgspecError:
            return msgspec.convert(_decode(line), _streamed_row(tuple[Any, ...]))

    def _take(self, line: Any, part: Part) -> None:
        if line.row is not None:
            part.rows.append(Tombstone(line.row.columns) if line.row.tombstone else line.row.columns)
        elif line.header is not None:
            part.query_id = line.header.get("queryId")
            part.columns = parse_schema(line.header.get("schema", ""))
            kind = row_decoder(part.columns).type
            self._lines = msgspec.json.Decoder(_streamed_row(kind))
        elif line.errorMessage is not None:
            part.error = from_object(line.errorMessage)
        elif line.finalMessage is not None:
            part.end = line.finalMessage
        for name in ("consistencyToken", "continuationToken"):
            if (token := getattr(line, name)) is not None:
                part.tokens[name] = token if isinstance(token, str) else msgspec.json.encode(token).decode()


def _streamed_row(kind: Any) -> Any:
    """The msgspec type of one element whose columns are a ``kind``; rows of a tombstone may lack non-key columns."""
    row = msgspec.defstruct("Row", [("columns", kind), ("tombstone", bool, False)])
    others = ("errorMessage", "finalMessage", "consistencyToken", "continuationToken")
    fields: list[tuple[str, Any, Any]] = [("row", row | None, None), ("header", dict[str, Any] | None, None)]
    return msgspec.defstruct("Line", fields + [(name, Any, None) for name in others])


_MARK = re.compile(rb'["\[\]{}]')
_STRING_END = re.compile(rb'(?:[^"\\]|\\.)*"', re.S)


class ArrayReader:
    """``application/json``: one array ``[meta,row,row,...]`` written piece by piece without new lines."""

    def __init__(self) -> None:
        self._rest = b""
        self._begun = False
        self._elements = DelimitedReader()

    def feed(self, chunk: bytes) -> Part:
        part = Part()
        text = self._rest + chunk
        at = 0
        if not self._begun and text:
            self._begun, at = True, 1
        while (element := self._next(text, at)) is not None:
            start, at = element
            self._elements.element(text[start:at], part)
        self._rest = text[at:]
        return part

    @staticmethod
    def _next(text: bytes, at: int) -> tuple[int, int] | None:
        """Where the next complete element of the outer array begins and ends."""
        depth, start = 0, at
        while found := _MARK.search(text, at):
            at = found.end()
            sign = found[0]
            if sign == b'"':
                end = _STRING_END.match(text, at)
                if not end:
                    return None
                at = end.end()
            elif sign in b"[{":
                if depth == 0:
                    start = found.start()
                depth += 1
            else:
                depth -= 1
                if depth < 0:
                    return None  # the outer array's own end
                if depth == 0:
                    return start, at
        return None
