"""The engine on a few JSON records, for the tests of its operators."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from ksqldb.engine.formats.windowed import split_session_window, split_time_window
from ksqldb.engine.run.io import RawRecord
from ksqldb.engine.run.local import LocalEngine

Output = tuple[Any, ...]  # key, value, timestamp (and window start, end)


class Feed:
    """``Feed(ddl...)``; then ``put`` records and ``out`` what the sink of the last query holds."""

    def __init__(self, *statements: str, **properties: str) -> None:
        self.engine = LocalEngine(properties)
        for statement in statements:
            self.engine.execute(statement)
        self._ran = False

    def put(self, topic: str, *records: tuple[str | None, Any, int]) -> Feed:
        for key, value, ts in records:
            raw = None if value is None else json.dumps(value).encode()
            self.engine.put(topic, RawRecord(None if key is None else key.encode(), raw, ts, 0))
        return self

    def out(self, topic: str | None = None) -> list[Output]:
        """Keys as texts, values as JSON."""
        return [(_text(r.key), _value(r.value), r.timestamp) for r in self.records(topic)]

    def windows(self, size_ms: int | None) -> list[Output]:
        """As ``out`` with each window's start and end; ``size_ms`` None: sessions."""
        return list(self._windowed(self.records(None), size_ms))

    def records(self, topic: str | None) -> list[RawRecord]:
        if not self._ran:
            self.engine.run()
            self._ran = True
        query = list(self.engine.catalog.queries.values())[-1]
        return self.engine.topic(topic or query.sink.topic)

    @staticmethod
    def _windowed(records: Iterable[RawRecord], size_ms: int | None) -> Iterable[Output]:
        for r in records:
            assert r.key is not None
            if size_ms is None:
                key, start, end = split_session_window(r.key)
            else:
                key, start = split_time_window(r.key)
                end = start + size_ms
            yield (_text(key), _value(r.value), r.timestamp, start, end)


def _text(key: bytes | None) -> str | None:
    return None if key is None else key.decode()


def _value(value: bytes | None) -> Any:
    return None if value is None else json.loads(value)
