"""Filters, projections, new keys and table functions."""

from __future__ import annotations

from tests.ksqldb.engine.feed import Feed

INPUT = (
    "CREATE STREAM s (id VARCHAR KEY, v INT, tags ARRAY<VARCHAR>, ts BIGINT)"
    " WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON'{});"
)
PLAIN = INPUT.format("")


def test_a_filter_keeps_what_is_true_and_drops_null() -> None:
    feed = Feed(PLAIN, "CREATE STREAM o AS SELECT id, v FROM s WHERE v > 1;")
    feed.put("s", ("a", {"v": 1}, 1), ("b", {"v": 2}, 2), ("c", {"v": None}, 3), ("d", None, 4))
    assert feed.out() == [("b", {"V": 2}, 2)]


def test_an_error_in_one_row_is_logged_and_gives_null() -> None:
    feed = Feed(PLAIN, "CREATE STREAM o AS SELECT id, 10 / v AS w FROM s;")
    feed.put("s", ("a", {"v": 0}, 1), ("b", {"v": 5}, 2))
    assert feed.out() == [("a", {"W": None}, 1), ("b", {"W": 2}, 2)]
    (error,) = feed.engine.errors
    assert "zero" in error.message


def test_a_record_that_cannot_be_read_is_logged_and_skipped() -> None:
    feed = Feed(PLAIN, "CREATE STREAM o AS SELECT id, v FROM s;")
    feed.put("s", ("a", {"v": {"not": "a number"}}, 1), ("b", {"v": 5}, 2))
    assert feed.out() == [("b", {"V": 5}, 2)]
    assert len(feed.engine.errors) == 1


def test_partition_by_gives_a_new_key_and_keeps_the_old_one_as_a_value() -> None:
    feed = Feed(PLAIN, "CREATE STREAM o AS SELECT id, CAST(v AS VARCHAR) AS k FROM s PARTITION BY CAST(v AS VARCHAR);")
    feed.put("s", ("a", {"v": 7}, 1))
    assert feed.out() == [("7", {"ID": "a"}, 1)]


def test_explode_gives_a_row_per_element() -> None:
    feed = Feed(PLAIN, "CREATE STREAM o AS SELECT id, EXPLODE(tags) AS tag FROM s;")
    feed.put("s", ("a", {"tags": ["x", "y"]}, 1), ("b", {"tags": []}, 2), ("c", {"tags": None}, 3))
    assert feed.out() == [("a", {"TAG": "x"}, 1), ("a", {"TAG": "y"}, 1)]


def test_a_timestamp_column_gives_the_records_their_time() -> None:
    feed = Feed(INPUT.format(", TIMESTAMP='ts'"), "CREATE STREAM o AS SELECT id, ROWTIME AS t FROM s;")
    feed.put("s", ("a", {"ts": 123}, 1), ("b", {"ts": -5}, 2), ("c", {"ts": None}, 3))
    assert feed.out()[0] == ("a", {"T": 123}, 123)
    assert len(feed.out()) == 1
    assert len(feed.engine.errors) == 2


def test_insert_into_adds_a_second_query_to_a_stream() -> None:
    feed = Feed(
        PLAIN,
        "CREATE STREAM o AS SELECT id, v FROM s WHERE v < 3;",
        "INSERT INTO o SELECT id, v * 10 AS v FROM s WHERE v >= 3;",
    )
    feed.put("s", ("a", {"v": 1}, 1), ("b", {"v": 4}, 2))
    assert feed.out("O") == [("a", {"V": 1}, 1), ("b", {"V": 40}, 2)]


def test_queries_read_what_others_write() -> None:
    feed = Feed(
        PLAIN,
        "CREATE STREAM mid AS SELECT id, v + 1 AS v FROM s;",
        "CREATE STREAM o AS SELECT id, v * 2 AS w FROM mid;",
    )
    feed.put("s", ("a", {"v": 1}, 1))
    assert feed.out() == [("a", {"W": 4}, 1)]
