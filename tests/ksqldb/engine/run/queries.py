"""One query over a list of records, made once and run for many of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ksqldb.engine.formats.windowed import split_session_window, split_time_window
from ksqldb.engine.run.io import RawRecord
from ksqldb.engine.run.local import LocalEngine

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Input:
    topic: str
    key: str | None
    ts: int
    value: Fields | None


@dataclass(frozen=True, slots=True)
class Output:
    """``start`` and ``end`` are a window's, where the sink has them in its keys."""

    key: str
    value: Fields | None
    ts: int
    start: int | None = None
    end: int | None = None


class Query:
    """The last statement's sink is the topic OUT."""

    def __init__(
        self,
        *statements: str,
        windows: Literal["time", "session"] | None = None,
        properties: Mapping[str, str] | None = None,
    ) -> None:
        self.engine = LocalEngine(properties)
        self.windows = windows
        for statement in statements:
            self.engine.execute(statement)

    def run(self, inputs: Sequence[Input]) -> list[Output]:
        """What the records give, fed one at a time in this order."""
        self.engine.records.clear()
        self.engine.errors.clear()
        for record in inputs:
            key = None if record.key is None else record.key.encode()
            value = None if record.value is None else json.dumps(record.value).encode()
            self.engine.put(record.topic, RawRecord(key, value, record.ts, 0))
        self.engine.run()
        return [self._output(record) for record in self.engine.topic("OUT")]

    def _output(self, record: RawRecord) -> Output:
        key, start, end = record.key or b"", None, None
        if self.windows == "time":
            key, start = split_time_window(key)
        elif self.windows == "session":
            key, start, end = split_session_window(key)
        value = None if record.value is None else json.loads(record.value)
        return Output(key.decode(), value, record.timestamp, start, end)


def table_of(outputs: Sequence[Output]) -> dict[tuple[str, int | None, int | None], Fields]:
    """What a table's changelog leaves."""
    rows: dict[tuple[str, int | None, int | None], Fields] = {}
    for out in outputs:
        place = (out.key, out.start, out.end)
        if out.value is None:
            rows.pop(place, None)
        else:
            rows[place] = out.value
    return rows
