"""Joins of streams and tables."""

from __future__ import annotations

from typing import Any

from tests.ksqldb.engine.feed import Feed

LEFT = "CREATE STREAM l (id VARCHAR KEY, a INT) WITH (KAFKA_TOPIC='l', VALUE_FORMAT='JSON');"
RIGHT = "CREATE STREAM r (id VARCHAR KEY, b INT) WITH (KAFKA_TOPIC='r', VALUE_FORMAT='JSON');"
TABLE = "CREATE TABLE t (id VARCHAR PRIMARY KEY, b INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON');"
TABLE_L = "CREATE TABLE l (id VARCHAR PRIMARY KEY, a INT) WITH (KAFKA_TOPIC='l', VALUE_FORMAT='JSON');"


def ab(a: int | None, b: int | None) -> dict[str, int | None]:
    return {"A": a, "B": b}


def pairs(feed: Feed) -> list[tuple[str, Any, int]]:
    return [(str(key), value if value is None else (value["A"], value["B"]), ts) for key, value, ts in feed.out()]


def test_streams_join_within_the_window_and_the_later_time_wins() -> None:
    feed = Feed(LEFT, RIGHT, "CREATE STREAM o AS SELECT l.id, a, b FROM l JOIN r WITHIN 10 SECONDS ON l.id = r.id;")
    feed.put("l", ("k", {"a": 1}, 0)).put("r", ("k", {"b": 2}, 10_000), ("k", {"b": 3}, 10_001), ("x", {"b": 4}, 0))
    feed.put("l", ("k", {"a": 5}, 9_000))
    assert pairs(feed) == [("k", (1, 2), 10_000), ("k", (5, 2), 10_000), ("k", (5, 3), 10_001)]


def test_a_left_join_of_streams_tells_the_unmatched_when_its_window_has_closed() -> None:
    feed = Feed(
        LEFT,
        RIGHT,
        "CREATE STREAM o AS SELECT l.id, a, b FROM l LEFT JOIN r WITHIN 10 SECONDS GRACE PERIOD 0 SECONDS"
        " ON l.id = r.id;",
    )
    feed.put("l", ("k", {"a": 1}, 0), ("m", {"a": 2}, 1)).put("r", ("m", {"b": 3}, 2))
    feed.put("l", ("z", {"a": 9}, 10_002))
    assert pairs(feed) == [("m", (2, 3), 2), ("k", (1, None), 0)]


def test_a_stream_finds_the_tables_row_of_its_time_of_arrival() -> None:
    feed = Feed(LEFT, TABLE, "CREATE STREAM o AS SELECT l.id, a, b FROM l LEFT JOIN t ON l.id = t.id;")
    feed.put("l", ("k", {"a": 1}, 5)).put("t", ("k", {"b": 7}, 100)).put("l", ("k", {"a": 2}, 6))
    feed.put("t", ("k", None, 101)).put("l", ("k", {"a": 3}, 7))
    assert pairs(feed) == [("k", (1, None), 5), ("k", (2, 7), 6), ("k", (3, None), 7)]


def test_tables_join_on_every_change_of_either_side() -> None:
    feed = Feed(TABLE_L, TABLE, "CREATE TABLE o AS SELECT l.id, a, b FROM l JOIN t ON l.id = t.id;")
    feed.put("l", ("k", {"a": 1}, 1)).put("t", ("k", {"b": 2}, 3)).put("l", ("k", {"a": 5}, 2)).put("t", ("k", None, 4))
    assert pairs(feed) == [("k", (1, 2), 3), ("k", (5, 2), 3), ("k", None, 4)]


def test_an_outer_join_of_tables() -> None:
    feed = Feed(TABLE_L, TABLE, "CREATE TABLE o AS SELECT ROWKEY AS id, a, b FROM l FULL OUTER JOIN t ON l.id = t.id;")
    feed.put("l", ("k", {"a": 1}, 1)).put("t", ("k", {"b": 2}, 2)).put("l", ("k", None, 3)).put("t", ("k", None, 4))
    assert pairs(feed) == [("k", (1, None), 1), ("k", (1, 2), 2), ("k", (None, 2), 3), ("k", None, 4)]


def test_a_foreign_key_follows_the_row_it_points_to() -> None:
    feed = Feed(
        "CREATE TABLE l (id VARCHAR PRIMARY KEY, a INT, f VARCHAR) WITH (KAFKA_TOPIC='l', VALUE_FORMAT='JSON');",
        TABLE,
        "CREATE TABLE o AS SELECT l.id, a, b FROM l JOIN t ON l.f = t.id;",
    )
    feed.put("t", ("x", {"b": 1}, 1), ("y", {"b": 2}, 2))
    feed.put("l", ("1", {"a": 5, "f": "x"}, 3), ("1", {"a": 5, "f": "y"}, 4))
    feed.put("t", ("y", {"b": 9}, 5), ("x", {"b": 8}, 6)).put("l", ("1", None, 7))
    assert pairs(feed) == [("1", (5, 1), 3), ("1", (5, 2), 4), ("1", (5, 9), 5), ("1", None, 7)]


def test_a_chain_of_joins() -> None:
    feed = Feed(
        LEFT,
        TABLE,
        "CREATE TABLE u (id VARCHAR PRIMARY KEY, c INT) WITH (KAFKA_TOPIC='u', VALUE_FORMAT='JSON');",
        "CREATE STREAM o AS SELECT l.id, a, b, c FROM l JOIN t ON l.id = t.id LEFT JOIN u ON u.id = l.id;",
    )
    feed.put("t", ("k", {"b": 1}, 1)).put("l", ("k", {"a": 1}, 2), ("m", {"a": 1}, 3))
    feed.put("u", ("k", {"c": 3}, 4)).put("l", ("k", {"a": 2}, 5))
    assert [value for _, value, _ in feed.out()] == [{"A": 1, "B": 1, "C": None}, {"A": 2, "B": 1, "C": 3}]
