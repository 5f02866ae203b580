"""State goes when nobody can see it any more: what a rule holds after a day is what it held after an hour."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator

from ksqldb.engine.kafka.snapshots import encode
from ksqldb.engine.run.io import RawRecord, SourceReader
from ksqldb.engine.run.local import LocalEngine
from ksqldb.engine.run.records import StreamRecord
from ksqldb.engine.run.topology import Entry, Environment, Topology
from ksqldb.rulebook import load

HOUR = 3_600_000
START = 1_767_225_600_000


def query_at_work(name: str, *statements: str) -> tuple[Topology, Entry, SourceReader]:
    engine = LocalEngine()
    for statement in statements:
        engine.execute(statement)
    (query,) = [query for query in engine.catalog.queries.values() if name in query.id]
    errors: list[object] = []
    ticks = itertools.count(0, 1_000)
    environment = Environment(lambda *error: errors.append(error), lambda: next(ticks))
    topology = Topology(query.plan, environment, keep_view=True)
    entry = topology.entries[0]
    return topology, entry, SourceReader(entry.step, entry.wanted, environment.report)


def payments(hours: int, per_hour: int, accounts: int) -> Iterator[tuple[int, list[RawRecord]]]:
    dice = random.Random(hours)
    for hour in range(hours):
        batch = []
        for number in range(per_hour):
            ts = START + hour * HOUR + number * HOUR // per_hour
            value = {"transaction_id": f"t{number}", "amount": 12.5, "event_time": ts}
            batch.append(RawRecord(b"acc-%d" % dice.randrange(accounts), json.dumps(value).encode(), ts, 0))
        yield hour, batch


def sizes(topology: Topology, entry: Entry, reader: SourceReader) -> list[int]:
    """Bytes of the state after each hour of a day."""
    found = []
    for _, batch in payments(24, 600, 40):
        records: list[StreamRecord] = reader.read_batch(batch, 0)
        for begin in range(0, len(records), 50):
            topology.push(entry, records[begin : begin + 50], 0)
            topology.take()
        found.append(len(encode(topology.snapshot())))
    return found


def test_the_velocity_rule_holds_no_more_after_a_day_than_after_hours() -> None:
    book = load()
    work = query_at_work("CTAS_HIGH_VELOCITY", *book.sources, *book.rule("high_velocity").statements())
    found = sizes(*work)
    assert found[0] > 1_000
    assert max(found[1:]) < 1.5 * min(found[1:])


def test_sessions_go_when_their_retention_is_over() -> None:
    work = query_at_work(
        "OUT",
        "CREATE STREAM s (k VARCHAR KEY, amount DOUBLE) WITH (kafka_topic='s', value_format='JSON', partitions=1);",
        "CREATE TABLE out AS SELECT k, SUM(amount) AS total FROM s"
        " WINDOW SESSION (30 SECONDS, RETENTION 10 MINUTES, GRACE PERIOD 10 SECONDS) GROUP BY k;",
    )
    found = sizes(*work)
    assert found[0] > 1_000
    assert max(found[1:]) < 1.5 * min(found[1:])


def test_joined_streams_forget_what_can_find_no_partner() -> None:
    work = query_at_work(
        "OUT",
        "CREATE STREAM s (k VARCHAR KEY, amount DOUBLE) WITH (kafka_topic='s', value_format='JSON', partitions=1);",
        "CREATE STREAM p (k VARCHAR KEY, amount DOUBLE) WITH (kafka_topic='p', value_format='JSON', partitions=1);",
        "CREATE STREAM out AS SELECT s.k AS k, s.amount AS a, p.amount AS b FROM s"
        " LEFT JOIN p WITHIN 1 MINUTE GRACE PERIOD 10 SECONDS ON s.k = p.k;",
    )
    found = sizes(*work)
    assert found[0] > 1_000
    assert max(found[1:]) < 1.5 * min(found[1:])
