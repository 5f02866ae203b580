"""PRINT: a topic's records as lines of text, with formats guessed from their bytes."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from ksqldb.engine import ast
from ksqldb.engine.analyse.catalog import Catalog
from ksqldb.engine.errors import KsqlError, StatementError
from ksqldb.engine.kafka.client import EARLIEST, LATEST, Fetched
from ksqldb.engine.kafka.handles import Handle, RowQueue
from ksqldb.engine.kafka.lanes import Place
from ksqldb.engine.kafka.runtime import Runtime, reset_of
from ksqldb.engine.run.results import Column, QueryHandle, Row
from ksqldb.engine.types import STRING


def guess(data: bytes | None) -> str:
    """JSON, KAFKA_STRING, KAFKA_BIGINT, KAFKA_INT or unknown bytes."""
    if data is None:
        return "¯\\_(ツ)_/¯ - no data processed"
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return {4: "KAFKA_INT", 8: "KAFKA_BIGINT or KAFKA_DOUBLE"}.get(len(data), "KAFKA_BYTES")
    if text[:1] in ("{", "["):
        try:
            msgspec.json.decode(data)
            return "JSON"
        except msgspec.DecodeError:
            pass
    if any(ord(c) < 32 and c not in "\t\r\n" for c in text) and len(data) in (4, 8):
        return {4: "KAFKA_INT", 8: "KAFKA_BIGINT or KAFKA_DOUBLE"}[len(data)]
    return "KAFKA_STRING"


def shown(data: bytes | None) -> str:
    if data is None:
        return "<null>"
    kind = guess(data)
    if kind.startswith(("KAFKA_INT", "KAFKA_BIGINT")):
        return str(int.from_bytes(data, "big", signed=True))
    return data.hex(" ") if kind == "KAFKA_BYTES" else data.decode()


def line_of(key: bytes | None, value: bytes | None, timestamp: int, partition: int) -> str:
    time = datetime.fromtimestamp(timestamp / 1000, UTC)
    stamp = time.strftime("%Y/%m/%d %H:%M:%S.") + f"{timestamp % 1000:03d} Z"
    return f"rowtime: {stamp}, key: {shown(key)}, value: {shown(value)}, partition: {partition}"


class _Printer:
    """Reads a topic into a row queue, every ``interval``-th record, at most ``limit``."""

    def __init__(self, name: str, queue: RowQueue, statement: ast.PrintTopic, tells_formats: bool) -> None:
        self.name = name
        self.queue = queue
        self.interval = max(statement.interval, 1)
        self.limit = statement.limit
        self.seen = 0
        self.given = 0
        self.tells_formats = tells_formats

    @property
    def full(self) -> bool:
        return self.queue.is_full()

    async def ready(self) -> None:
        await self.queue.room.wait()

    def deliver(self, fetched: Fetched) -> None:
        for record in fetched.records:
            self.seen += 1
            if (self.seen - 1) % self.interval or self.queue.ended:
                continue
            if self.tells_formats:
                self.tells_formats = False
                self.queue.rows.append(Row((f"Key format: {guess(record.key)}",)))
                self.queue.rows.append(Row((f"Value format: {guess(record.value)}",)))
            line = line_of(record.key, record.value, record.timestamp, fetched.partition)
            self.queue.rows.append(Row((line,)))
            self.given += 1
            if self.limit is not None and self.given >= self.limit:
                self.queue.limit_reached = True
                self.queue.end()
        if self.queue.is_full():
            self.queue.room.clear()
        self.queue.news.set()

    def gap(self, place: Place, wanted: int, found: int) -> None:
        self.queue.rows.append(Row((f"-- offsets {wanted} to {found - 1} of partition {place[1]} are gone --",)))

    def fail(self, error: Exception) -> None:
        self.queue.end(error)


async def open_print(
    statement: ast.PrintTopic, catalog: Catalog, runtime: Runtime, properties: Mapping[str, object], tells_formats: bool
) -> QueryHandle:
    """``tells_formats``: the first two lines are the formats of the first record's key and value."""
    topic = statement.topic
    if topic not in catalog.topics:
        similar = [name for name in catalog.topics if name.lower() == topic.lower()]
        hint = "".join(f"\nDid you mean:\n\tprint {name};" for name in similar)
        error = KsqlError(f"Topic does not exist: {topic}{hint}")
        error.error_code = StatementError.error_code
        raise error
    query_id = f"print_{random.getrandbits(63)}"
    queue = RowQueue()
    printer = _Printer(query_id, queue, statement, tells_formats)
    when = EARLIEST if statement.from_beginning or reset_of(properties) == EARLIEST else LATEST
    partitions = list(range(catalog.topics[topic]))
    offsets = await runtime.offsets.offsets(topic, partitions, when)
    runtime.lanes.add(printer, {(topic, p): offset for p, offset in offsets.items()})

    async def end(_: bool) -> None:
        runtime.lanes.drop(printer)

    return Handle(query_id, "print", [Column("line", STRING)], queue, end)
