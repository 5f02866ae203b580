"""Aggregates, with and without windows."""

from __future__ import annotations

import pytest

from tests.ksqldb.engine.feed import Feed
from tests.ksqldb.engine.run.queries import Input, Query

INPUT = "CREATE STREAM s (id VARCHAR KEY, v INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');"


def v(value: int) -> dict[str, int]:
    return {"V": value}


def n(value: int) -> dict[str, int]:
    return {"N": value}


def test_count_tells_every_change() -> None:
    feed = Feed(INPUT, "CREATE TABLE t AS SELECT id, COUNT(*) AS n FROM s GROUP BY id;")
    feed.put("s", ("a", v(1), 1), ("b", v(1), 5), ("a", v(2), 3))
    assert feed.out() == [("a", n(1), 1), ("b", n(1), 5), ("a", n(2), 3)]


def test_null_keys_and_null_values_do_not_count() -> None:
    feed = Feed(INPUT, "CREATE TABLE t AS SELECT id, COUNT(*) AS n FROM s GROUP BY id;")
    feed.put("s", (None, v(1), 1), ("a", None, 2), ("a", v(1), 3))
    assert feed.out() == [("a", n(1), 3)]


def test_group_by_expressions_makes_a_key_of_several_columns() -> None:
    feed = Feed(
        INPUT.replace("VALUE_FORMAT", "KEY_FORMAT='JSON', VALUE_FORMAT").replace("KAFKA_TOPIC", "KAFKA_TOPIC"),
        "CREATE TABLE t AS SELECT id, v % 2 AS odd, COUNT(*) AS n FROM s GROUP BY id, v % 2;",
    )
    feed.put("s", ('"a"', v(1), 1), ('"a"', v(2), 2), ('"a"', v(3), 3))
    assert [(key, value) for key, value, _ in feed.out()] == [
        ('{"ID":"a","ODD":1}', n(1)),
        ('{"ID":"a","ODD":0}', n(1)),
        ('{"ID":"a","ODD":1}', n(2)),
    ]


@pytest.mark.parametrize(("version", "undone_first"), [(None, False), ("3.5", False), ("3.4", True), ("2.8", True)])
def test_a_change_within_a_group_is_one_change_since_kafka_streams_3_5(version: str | None, undone_first: bool) -> None:
    properties = {} if version is None else {"ksql.streams.upgrade.from": version}
    table = "CREATE TABLE t (id VARCHAR PRIMARY KEY, g VARCHAR, v INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON');"
    query = Query(
        table, "CREATE TABLE out AS SELECT g, SUM(v) AS n FROM t GROUP BY g EMIT CHANGES;", properties=properties
    )
    rows = [("1", "x", 5), ("2", "x", 1), ("1", "x", 7), ("1", "y", 7)]
    outputs = query.run([Input("t", key, ts, {"G": g, "V": v}) for ts, (key, g, v) in enumerate(rows)])
    undo = [("x", 1)] if undone_first else []
    assert [(out.key, (out.value or {})["N"]) for out in outputs] == [
        ("x", 5), ("x", 6), *undo, ("x", 8), ("x", 1), ("y", 7),
    ]  # fmt: skip


def test_having_hides_rows_and_takes_back_what_it_showed() -> None:
    feed = Feed(
        INPUT,
        "CREATE TABLE latest AS SELECT id, LATEST_BY_OFFSET(v) AS n FROM s GROUP BY id HAVING LATEST_BY_OFFSET(v) > 5;",
    )
    feed.put("s", ("a", v(1), 1), ("a", v(9), 2), ("a", v(2), 3), ("a", v(3), 4), ("a", v(7), 5))
    assert feed.out() == [("a", n(9), 2), ("a", None, 3), ("a", n(7), 5)]


def test_tumbling_windows_hold_their_start_and_not_their_end() -> None:
    feed = Feed(
        INPUT, "CREATE TABLE t AS SELECT id, COUNT(*) AS n FROM s WINDOW TUMBLING (SIZE 10 SECONDS) GROUP BY id;"
    )
    feed.put("s", ("a", v(1), 0), ("a", v(1), 9_999), ("a", v(1), 10_000))
    assert feed.windows(10_000) == [
        ("a", n(1), 0, 0, 10_000),
        ("a", n(2), 9_999, 0, 10_000),
        ("a", n(1), 10_000, 10_000, 20_000),
    ]


def test_a_record_counts_in_every_hopping_window_that_holds_it() -> None:
    feed = Feed(
        INPUT,
        "CREATE TABLE t AS SELECT id, COUNT(*) AS n FROM s"
        " WINDOW HOPPING (SIZE 30 SECONDS, ADVANCE BY 10 SECONDS) GROUP BY id;",
    )
    feed.put("s", ("a", v(1), 5_000), ("a", v(1), 25_000))
    assert [(value["N"], start) for _, value, _, start, _ in feed.windows(30_000)] == [
        (1, 0),
        (2, 0),
        (1, 10_000),
        (1, 20_000),
    ]


def test_late_records_are_dropped_after_the_grace_period() -> None:
    feed = Feed(
        INPUT,
        "CREATE TABLE t AS SELECT id, COUNT(*) AS n FROM s"
        " WINDOW TUMBLING (SIZE 10 SECONDS, GRACE PERIOD 5 SECONDS) GROUP BY id;",
    )
    feed.put("s", ("a", v(1), 1_000), ("b", v(1), 14_999), ("a", v(1), 2_000), ("b", v(1), 15_000), ("a", v(1), 3_000))
    assert [(key, value["N"], ts) for key, value, ts, _, _ in feed.windows(10_000)] == [
        ("a", 1, 1_000),
        ("b", 1, 14_999),
        ("a", 2, 2_000),  # its window ends at 10 s; stream time is 14.999 s
        ("b", 2, 15_000),
    ]


def test_the_time_of_a_changed_window_never_goes_back() -> None:
    feed = Feed(
        INPUT, "CREATE TABLE t AS SELECT id, COUNT(*) AS n FROM s WINDOW TUMBLING (SIZE 10 SECONDS) GROUP BY id;"
    )
    feed.put("s", ("a", v(1), 5_000), ("a", v(1), 1_000))
    assert [ts for _, _, ts, _, _ in feed.windows(10_000)] == [5_000, 5_000]


def test_sessions_that_meet_become_one() -> None:
    feed = Feed(INPUT, "CREATE TABLE t AS SELECT id, COUNT(*) AS n FROM s WINDOW SESSION (10 SECONDS) GROUP BY id;")
    feed.put("s", ("a", v(1), 0), ("a", v(1), 18_000), ("a", v(1), 9_000))
    assert feed.windows(None) == [
        ("a", n(1), 0, 0, 0),
        ("a", n(1), 18_000, 18_000, 18_000),
        ("a", None, 0, 0, 0),
        ("a", None, 18_000, 18_000, 18_000),
        ("a", n(3), 18_000, 0, 18_000),
    ]


def test_a_session_that_is_no_longer_kept_is_met_by_none() -> None:
    feed = Feed(
        INPUT,
        "CREATE TABLE t AS SELECT id, COUNT(*) AS n FROM s"
        " WINDOW SESSION (10 SECONDS, RETENTION 20 SECONDS, GRACE PERIOD 10 SECONDS) GROUP BY id;",
    )
    feed.put("s", ("a", v(1), 3_000), ("a", v(1), 4_100), ("b", v(1), 5_000), ("z", v(1), 22_000))
    feed.put("s", ("z", v(1), 24_500), ("a", v(1), 10_500), ("b", v(1), 10_500))
    assert feed.windows(None)[-3:] == [
        ("a", n(1), 10_500, 10_500, 10_500),
        ("b", None, 5_000, 5_000, 5_000),
        ("b", n(2), 10_500, 5_000, 10_500),
    ]


def test_emit_final_tells_a_window_once_when_it_has_closed() -> None:
    feed = Feed(
        INPUT,
        "CREATE TABLE t AS SELECT id, COUNT(*) AS n FROM s WINDOW TUMBLING (SIZE 10 SECONDS) GROUP BY id EMIT FINAL;",
        **{"ksql.streams.__emit.interval.ms.kstreams.windowed.aggregation__": "0"},
    )
    feed.put("s", ("a", v(1), 1_000), ("a", v(1), 2_000), ("b", v(1), 3_000), ("z", v(1), 10_000))
    assert feed.windows(10_000) == [("a", n(2), 2_000, 0, 10_000), ("b", n(1), 3_000, 0, 10_000)]


def test_a_tables_aggregate_takes_back_the_row_that_changed() -> None:
    feed = Feed(
        "CREATE TABLE u (id VARCHAR PRIMARY KEY, region VARCHAR, v INT) WITH (KAFKA_TOPIC='u', VALUE_FORMAT='JSON');",
        "CREATE TABLE t AS SELECT region, SUM(v) AS n, COUNT(*) AS c FROM u GROUP BY region;",
    )
    feed.put("u", ("1", {"region": "x", "v": 5}, 1), ("2", {"region": "x", "v": 7}, 2))
    feed.put("u", ("1", {"region": "y", "v": 6}, 3), ("2", None, 4))
    assert [(key, value["N"], value["C"]) for key, value, _ in feed.out()] == [
        ("x", 5, 1),
        ("x", 12, 2),
        ("x", 7, 1),
        ("y", 6, 1),
        ("x", 0, 0),
    ]
