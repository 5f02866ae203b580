"""What a query's whole working set holds does not grow with time, although accounts come that were never seen before:
windows, joined records, keys remembered for sinks, whatever else there is."""

from __future__ import annotations

import gc
import itertools
from collections import deque
from collections.abc import Iterator, Sequence
from types import FunctionType, ModuleType
from typing import Any

import pytest

from ksqldb.engine.kafka.client import Fetched
from ksqldb.engine.kafka.query import RunningQuery, SinkOutput
from ksqldb.engine.kafka.sink import Sink
from ksqldb.engine.run.io import RawRecord
from ksqldb.engine.run.keys import REMEMBERED
from ksqldb.engine.run.local import LocalEngine
from ksqldb.engine.run.topology import Environment
from ksqldb.rulebook import load

HOUR = 3_600_000
START = 1_767_225_600_000
PER_HOUR = 4 * REMEMBERED
STREAM = "CREATE STREAM {0} (k VARCHAR KEY, amount DOUBLE) WITH (kafka_topic='{0}', value_format='JSON', partitions=1);"


def velocity() -> list[str]:
    book = load()
    return [*book.sources, *book.rule("high_velocity").statements()]


QUERIES = {
    "hopping windows of the velocity rule": (velocity(), "CTAS_HIGH_VELOCITY"),
    "sessions": (
        [
            STREAM.format("s"),
            "CREATE TABLE out AS SELECT k, SUM(amount) AS total FROM s"
            " WINDOW SESSION (30 SECONDS, RETENTION 10 MINUTES, GRACE PERIOD 10 SECONDS) GROUP BY k;",
        ],
        "CTAS_OUT",
    ),
    "final results": (
        [
            STREAM.format("s"),
            "CREATE TABLE out AS SELECT k, COUNT(*) AS n FROM s"
            " WINDOW TUMBLING (SIZE 1 MINUTE, GRACE PERIOD 10 SECONDS) GROUP BY k EMIT FINAL;",
        ],
        "CTAS_OUT",
    ),
    "two streams joined": (
        [
            STREAM.format("s"),
            STREAM.format("p"),
            "CREATE STREAM out AS SELECT s.k AS k, s.amount AS a, p.amount AS b FROM s"
            " LEFT JOIN p WITHIN 1 MINUTE GRACE PERIOD 10 SECONDS ON s.k = p.k;",
        ],
        "CSAS_OUT",
    ),
    "another key": ([STREAM.format("s"), "CREATE STREAM out AS SELECT * FROM s PARTITION BY UCASE(k);"], "CSAS_OUT"),
}


class Dropped(Sink):
    """A sink whose records are gone at once."""

    def __init__(self) -> None:
        self.records = 0

    def append(self, topic: str, partition: int, records: Sequence[Any], headers: Any = ()) -> None:
        self.records += len(records)


def running(statements: list[str], name: str) -> tuple[RunningQuery, Dropped]:
    engine = LocalEngine()
    for statement in statements:
        engine.execute(statement)
    (query,) = [query for query in engine.catalog.queries.values() if name in query.id]
    ticks = itertools.count(0, 1_000)
    environment = Environment(lambda *error: None, lambda: next(ticks), 1, query.properties)
    sink = Dropped()
    output = SinkOutput(query.plan, sink, 1, environment.report)
    work = RunningQuery(query.id, query.plan, environment, output, lambda: False, lambda: None, True)
    places = {(topic, 0): 0 for topic in work.readers}
    work.start_at(places, places)
    return work, sink


def hour_of(topic: str, hour: int) -> Iterator[Fetched]:
    """Payments of an hour, each account's four a second apart; no account comes in two hours."""
    for first in range(0, PER_HOUR, 500):
        records = []
        for number in range(first, first + 500):
            ts = START + hour * HOUR + number // 4 * HOUR * 4 // PER_HOUR + number % 4 * 1_000
            value = b'{"transaction_id":"t","AMOUNT":12.5,"event_time":%d}' % ts
            records.append(RawRecord(b"acc-%d-%d" % (hour, number // 4), value, ts, hour * PER_HOUR + number))
        end = records[-1].offset + 1
        yield Fetched(topic, 0, records, end, end)


def held(root: object) -> int:
    """How many elements the containers have that can be reached from an object, closures included."""
    seen: set[int] = set()
    waiting, found = [root], 0
    while waiting:
        here = waiting.pop()
        if id(here) in seen or isinstance(here, type | ModuleType):
            continue
        seen.add(id(here))
        if isinstance(here, dict | list | set | deque):
            found += len(here)
        waiting += (here.__closure__ or ()) if isinstance(here, FunctionType) else gc.get_referents(here)
    return found


@pytest.mark.parametrize("name", QUERIES)
def test_a_day_holds_no_more_than_its_first_hours(name: str) -> None:
    work, sink = running(*QUERIES[name])
    at_first, found = held(work), []
    for hour in range(24):
        for topic in work.readers:
            for fetched in hour_of(topic, hour):
                work.deliver(fetched)
        found.append(held(work))
    assert sink.records > 24 * PER_HOUR // 8
    assert max(found) > at_first
    assert max(found[12:]) <= 1.05 * max(found[2:12])
