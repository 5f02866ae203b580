"""SELECT statements: pulls from tables and streams, and pushes."""

from __future__ import annotations

import re

import pytest

from ksqldb.engine.errors import KsqlError
from tests.ksqldb.engine.feed import Feed

INPUT = "CREATE STREAM s (id VARCHAR KEY, v INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');"
COUNTS = "CREATE TABLE t AS SELECT id, COUNT(*) AS n FROM s GROUP BY id;"
WINDOWS = "CREATE TABLE w AS SELECT id, COUNT(*) AS n FROM s WINDOW TUMBLING (SIZE 10 SECONDS) GROUP BY id;"


def rows(feed: Feed, sql: str) -> list[tuple[object, ...]]:
    return [row.values for row in feed.engine.select(sql).rows]


@pytest.fixture
def feed() -> Feed:
    made = Feed(INPUT, COUNTS, WINDOWS)
    for number, key in enumerate("abcab"):
        made.put("s", (key, {"v": number}, number * 4_000))
    made.engine.run()
    return made


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("", [("a", 2), ("b", 2), ("c", 1)]),
        ("WHERE id = 'b'", [("b", 2)]),
        ("WHERE id = 'nobody'", []),
        ("WHERE id IN ('c', 'a')", [("a", 2), ("c", 1)]),
        ("WHERE id > 'a' AND id <= 'c'", [("b", 2), ("c", 1)]),
        ("WHERE n = 1", [("c", 1)]),
        ("WHERE id LIKE '%b%' OR n < 2", [("b", 2), ("c", 1)]),
        ("LIMIT 1", [("a", 2)]),
        ("LIMIT 0", []),
    ],
)
def test_pulls_from_a_table(feed: Feed, where: str, expected: list[tuple[object, ...]]) -> None:
    assert sorted(rows(feed, f"SELECT * FROM t {where};")) == expected


@pytest.mark.parametrize(
    ("where", "starts"),
    [
        ("WHERE id = 'a'", [0, 10_000]),
        ("WHERE id = 'a' AND WINDOWSTART = 10000", [10_000]),
        ("WHERE id = 'a' AND WINDOWSTART > 0", [10_000]),
        ("WHERE id = 'a' AND WINDOWEND <= 10000", [0]),
        ("WHERE id = 'a' AND WINDOWSTART >= '1970-01-01T00:00:10'", [10_000]),
        ("WHERE id = 'a' AND WINDOWSTART > 10000", []),
    ],
)
def test_pulls_from_windows(feed: Feed, where: str, starts: list[int]) -> None:
    assert [row[1] for row in rows(feed, f"SELECT * FROM w {where};")] == starts


def test_a_pull_from_a_stream_reads_what_its_topic_holds(feed: Feed) -> None:
    assert rows(feed, "SELECT id, v FROM s WHERE v > 2;") == [("a", 3), ("b", 4)]


def test_a_push_query_ends_at_its_limit(feed: Feed) -> None:
    selected = feed.engine.select("SELECT id, v FROM s EMIT CHANGES LIMIT 2;")
    assert ([row.values for row in selected.rows], selected.limit_reached) == ([("a", 0), ("b", 1)], True)


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT id, COUNT(*) FROM t GROUP BY id;", "Pull queries don't support GROUP BY clauses."),
        ("SELECT * FROM t PARTITION BY n;", "Pull queries don't support PARTITION BY clauses."),
        ("SELECT * FROM t WHERE WINDOWSTART = 1;", "WHERE column 'WINDOWSTART' cannot be resolved."),
        ("SELECT * FROM nothing;", "NOTHING does not exist."),
        ("SELECT nope FROM t;", "SELECT column 'NOPE' cannot be resolved."),
    ],
)
def test_what_pulls_refuse(feed: Feed, sql: str, message: str) -> None:
    with pytest.raises(KsqlError, match=re.escape(message)):
        feed.engine.select(sql)


def test_a_declared_table_cannot_be_pulled_from() -> None:
    feed = Feed("CREATE TABLE u (id VARCHAR PRIMARY KEY, v INT) WITH (KAFKA_TOPIC='u', VALUE_FORMAT='JSON');")
    with pytest.raises(KsqlError, match="The `U` table isn't queryable"):
        feed.engine.select("SELECT * FROM u;")
