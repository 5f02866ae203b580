"""What statements do to the catalog, and what is refused, with ksqlDB's words."""

from __future__ import annotations

import re

import pytest

from ksqldb.engine.errors import KsqlError
from ksqldb.engine.run.local import LocalEngine

STREAM = "CREATE STREAM s (id VARCHAR KEY, a INT, b DOUBLE) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=2);"
TABLE = "CREATE TABLE t (id VARCHAR PRIMARY KEY, c INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON', PARTITIONS=2);"
ODD = "CREATE STREAM three (id VARCHAR KEY, c INT) WITH (KAFKA_TOPIC='three', VALUE_FORMAT='JSON', PARTITIONS=3);"
NUMBERS = "CREATE TABLE numbers (id INT PRIMARY KEY, c INT) WITH (KAFKA_TOPIC='n', VALUE_FORMAT='JSON', PARTITIONS=2);"


def engine(*statements: str) -> LocalEngine:
    made = LocalEngine()
    for statement in statements:
        made.execute(statement)
    return made


def schema(sql: str) -> str:
    made = engine(STREAM, TABLE, ODD, NUMBERS, sql)
    (query,) = made.catalog.queries.values()
    return str(made.catalog.metastore.sources[query.sink.name].schema)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("CREATE STREAM o AS SELECT * FROM s;", "`ID` STRING KEY, `A` INTEGER, `B` DOUBLE"),
        ("CREATE STREAM o AS SELECT id, a AS x, b * 2 FROM s;", "`ID` STRING KEY, `X` INTEGER, `KSQL_COL_0` DOUBLE"),
        ("CREATE STREAM o AS SELECT a, b FROM s PARTITION BY a;", "`A` INTEGER KEY, `B` DOUBLE"),
        ("CREATE TABLE o AS SELECT a, COUNT(*) FROM s GROUP BY a;", "`A` INTEGER KEY, `KSQL_COL_0` BIGINT"),
        (
            "CREATE TABLE o WITH (KEY_FORMAT='JSON') AS SELECT a, b, SUM(b) AS n FROM s GROUP BY a, b;",
            "`A` INTEGER KEY, `B` DOUBLE KEY, `N` DOUBLE",
        ),
        (
            "CREATE STREAM o AS SELECT * FROM s JOIN t ON s.id = t.id;",
            "`S_ID` STRING KEY, `S_A` INTEGER, `S_B` DOUBLE, `T_ID` STRING, `T_C` INTEGER",
        ),
        ("CREATE STREAM o AS SELECT id, AS_VALUE(id) AS copy FROM s;", "`ID` STRING KEY, `COPY` STRING"),
    ],
)
def test_schemas_of_sinks(sql: str, expected: str) -> None:
    assert schema(sql) == expected


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("CREATE STREAM o AS SELECT id, x FROM s;", "SELECT column 'X' cannot be resolved."),
        ("CREATE STREAM o AS SELECT id, a FROM nope;", "NOPE does not exist."),
        ("CREATE STREAM o AS SELECT id, a FROM s WHERE x > 1;", "WHERE column 'X' cannot be resolved."),
        ("CREATE STREAM o AS SELECT a FROM s;", "The query used to build `O` must include the key column ID"),
        ("CREATE STREAM o AS SELECT id, COUNT(*) FROM s GROUP BY id;", "Invalid result type"),
        ("CREATE TABLE o AS SELECT id, a FROM s;", "Invalid result type"),
        ("CREATE TABLE o AS SELECT id, a, COUNT(*) FROM s GROUP BY id;", "Non-aggregate SELECT expression"),
        ("CREATE TABLE o AS SELECT COUNT(*) AS n FROM s;", "GROUP BY"),
        (
            "CREATE STREAM o AS SELECT id, a FROM s HAVING COUNT(*) > 1;",
            "Non-aggregate SELECT expression(s) not part of GROUP BY: ID, A",
        ),
        ("CREATE STREAM o AS SELECT id, id FROM s;", "Duplicate key columns found in schema: `ID` STRING KEY"),
        ("CREATE STREAM o AS SELECT id, id AS x FROM s;", "more than once, aliased as: ID and X."),
        (
            "CREATE TABLE o AS SELECT id, a FROM s WINDOW TUMBLING (SIZE 1 MINUTE);",
            "WINDOW clause requires a GROUP BY clause.",
        ),
        ("CREATE STREAM o AS SELECT id, a, a FROM s;", "Duplicate value columns found in schema: `A` INTEGER"),
        ("CREATE STREAM s AS SELECT * FROM s;", "Cannot add stream 'S': A stream with the same name already exists"),
        ("CREATE STREAM o AS SELECT * FROM s JOIN s2 ON s.id = s2.id;", "S2 does not exist."),
        ("CREATE TABLE o AS SELECT a, b, COUNT(*) FROM s GROUP BY a, b;", "Key format does not support schema."),
        (
            "CREATE STREAM o AS SELECT * FROM s JOIN three WITHIN 1 HOUR ON s.id = three.id;",
            "Can't join `S` with `THREE` since the number of partitions don't match.",
        ),
        (
            "CREATE STREAM o AS SELECT * FROM s JOIN numbers ON s.id = numbers.id;",
            "Invalid join. Key types differ: STRING vs INTEGER",
        ),
        (
            "INSERT INTO t SELECT id, a AS c FROM s;",
            "INSERT INTO can only be used to insert into a stream. T is a table.",
        ),
        ("INSERT INTO s SELECT id, c FROM three;", "Incompatible schema between results and sink."),
        ("DROP STREAM nope;", "Stream NOPE does not exist."),
        ("DROP TABLE s;", "Incompatible data source type is stream, but statement was DROP table"),
    ],
)
def test_what_is_refused(sql: str, message: str) -> None:
    made = engine(STREAM, TABLE, ODD, NUMBERS)
    before = dict(made.catalog.metastore.sources), dict(made.catalog.queries)
    with pytest.raises(KsqlError, match=re.escape(message)):
        made.execute(sql)
    assert (made.catalog.metastore.sources, made.catalog.queries) == before


def test_a_source_that_queries_use_cannot_be_dropped() -> None:
    made = engine(STREAM, "CREATE STREAM o AS SELECT * FROM s;")
    with pytest.raises(KsqlError, match="Cannot drop S"):
        made.execute("DROP STREAM s;")
    made.execute("DROP STREAM o;")
    made.execute("DROP STREAM s;")
    assert not made.catalog.queries
    assert "S" not in made.catalog.metastore.sources


def test_replaced_queries_keep_their_id_and_state_only_where_that_is_sound() -> None:
    made = engine(STREAM, "CREATE STREAM o AS SELECT id, a FROM s;")
    (before,) = made.catalog.queries
    made.execute("CREATE OR REPLACE STREAM o AS SELECT id, a FROM s WHERE a > 3;")
    (after,) = made.catalog.queries
    assert before == after
    with pytest.raises(KsqlError, match="Cannot upgrade data source"):
        made.execute("CREATE OR REPLACE STREAM o AS SELECT id, b FROM s;")


def test_if_not_exists_warns_instead() -> None:
    made = engine(STREAM)
    (effect,) = made.execute(STREAM.replace("STREAM s", "STREAM IF NOT EXISTS s"))
    assert "already exists" in getattr(effect, "message", "")


def test_under_the_new_planner_a_key_is_what_was_selected_of_it() -> None:
    made = LocalEngine({"ksql.new.query.planner.enabled": "true"})
    made.execute("CREATE STREAM s (a INT KEY, b INT KEY, c INT) WITH (KAFKA_TOPIC='s', FORMAT='JSON');")
    made.execute("CREATE STREAM swapped AS SELECT b, a, c FROM s;")
    made.execute("CREATE STREAM keyless AS SELECT c FROM s;")
    sources = made.catalog.metastore.sources
    assert str(sources["SWAPPED"].schema) == "`B` INTEGER KEY, `A` INTEGER KEY, `C` INTEGER"
    assert str(sources["KEYLESS"].schema) == "`C` INTEGER"


HEADERS = "hs ARRAY<STRUCT<key STRING, value BYTES>> HEADERS"


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (f"{HEADERS}, {HEADERS.replace('hs', 'more')}", "Schema already contains a HEADERS column."),
        (f"{HEADERS}, one BYTES HEADER('one')", "Schema already contains a HEADERS column."),
        ("one BYTES HEADER('one'), two BYTES HEADER('one')", "Schema already contains a HEADER('one') column."),
    ],
)
def test_headers_are_read_once(columns: str, message: str) -> None:
    with pytest.raises(KsqlError, match=re.escape(message)):
        engine(f"CREATE STREAM h (k INT KEY, {columns}) WITH (KAFKA_TOPIC='h', VALUE_FORMAT='JSON');")


def test_one_header_may_stand_before_all() -> None:
    made = engine(f"CREATE STREAM h (one BYTES HEADER('one'), {HEADERS}) WITH (KAFKA_TOPIC='h', VALUE_FORMAT='JSON');")
    assert "HEADERS" in str(made.catalog.metastore.sources["H"].schema)


@pytest.mark.parametrize("kind", ["BIGINT", "TIMESTAMP", "INT"])
def test_a_timestamp_format_is_for_texts(kind: str) -> None:
    with pytest.raises(KsqlError, match="can only be used when the timestamp column in of type STRING"):
        engine(
            f"CREATE STREAM x (stamp {kind}) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='JSON', TIMESTAMP='stamp',"
            " TIMESTAMP_FORMAT='yyyy');"
        )


@pytest.mark.parametrize(
    ("property_", "sql", "message"),
    [
        (
            "ksql.suppress.enabled",
            "CREATE TABLE o AS SELECT id, COUNT(*) AS n FROM s WINDOW TUMBLING (SIZE 1 SECOND) GROUP BY id EMIT FINAL;",
            "Suppression is currently disabled. You can enable it by setting ksql.suppress.enabled to true",
        ),
        (
            "ksql.headers.columns.enabled",
            f"CREATE STREAM h (k INT KEY, {HEADERS}) WITH (KAFKA_TOPIC='h', VALUE_FORMAT='JSON');",
            "Cannot create Stream because schema with headers columns is disabled.",
        ),
        (
            "ksql.lambdas.enabled",
            "CREATE STREAM o AS SELECT id, TRANSFORM(ARRAY[a], x => x + 1) AS more FROM s;",
            "Lambdas are not enabled at this time.",
        ),
        (
            "ksql.insert.into.values.enabled",
            "INSERT INTO s (id, a) VALUES ('x', 1);",
            "The server has disabled INSERT INTO ... VALUES functionality.",
        ),
    ],
)
def test_what_a_server_switches_off_is_refused(property_: str, sql: str, message: str) -> None:
    made = LocalEngine({property_: "false"})
    made.execute(STREAM)
    with pytest.raises(KsqlError, match=re.escape(message)):
        made.execute(sql)
    engine(STREAM, sql)
