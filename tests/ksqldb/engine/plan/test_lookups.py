"""Which keys and windows a pull query's WHERE asks for."""

from __future__ import annotations

import pytest

from ksqldb.engine import ast
from ksqldb.engine.errors import KsqlError
from ksqldb.engine.parse import parse
from ksqldb.engine.plan.pull import TablePull, plan_pull
from ksqldb.engine.run.local import LocalEngine

STREAM = "CREATE STREAM s (id VARCHAR KEY, k INT, v INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');"
ONE = "CREATE TABLE one AS SELECT id, COUNT(*) AS n FROM s GROUP BY id;"
TWO = "CREATE TABLE two WITH (KEY_FORMAT='JSON') AS SELECT id, k, COUNT(*) AS n FROM s GROUP BY id, k;"
WINDOWS = "CREATE TABLE w AS SELECT id, COUNT(*) AS n FROM s WINDOW TUMBLING (SIZE 10 SECONDS) GROUP BY id;"


def pull(sql: str) -> TablePull:
    engine = LocalEngine()
    for statement in (STREAM, ONE, TWO, WINDOWS):
        engine.execute(statement)
    query = parse(sql)[0].statement
    assert isinstance(query, ast.Query)
    planned = plan_pull(query, engine.catalog)
    assert isinstance(planned, TablePull)
    return planned


@pytest.mark.parametrize(
    ("sql", "keys"),
    [
        ("SELECT * FROM one WHERE id = 'a';", {("a",)}),
        ("SELECT * FROM one WHERE 'a' = id;", {("a",)}),
        ("SELECT * FROM one WHERE id IN ('a', 'b');", {("a",), ("b",)}),
        ("SELECT * FROM one WHERE id = 'a' AND n > 3;", {("a",)}),
        ("SELECT * FROM one WHERE id = 'a' OR id = 'b';", {("a",), ("b",)}),
        ("SELECT * FROM two WHERE id = 'a' AND k = 1;", {("a", 1)}),
        ("SELECT * FROM w WHERE id = 'a' AND WINDOWSTART > 5;", {("a",)}),
    ],
)
def test_keys_are_looked_up(sql: str, keys: set[tuple[object, ...]]) -> None:
    lookup = pull(sql).lookup
    assert lookup is not None
    assert set(lookup.keys) == keys


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM one;",
        "SELECT * FROM one WHERE n = 3;",
        "SELECT * FROM one WHERE id > 'a';",
        "SELECT * FROM one WHERE id = 'a' OR n = 3;",
        "SELECT * FROM two WHERE id = 'a';",
    ],
)
def test_other_predicates_read_every_row(sql: str) -> None:
    assert pull(sql).lookup is None


def test_bounds_of_windows_are_columns_of_the_key() -> None:
    assert str(pull("SELECT id, WINDOWSTART FROM w WHERE id = 'a';").columns) == (
        "`ID` STRING KEY, `WINDOWSTART` BIGINT KEY"
    )


def test_like_needs_a_text() -> None:
    with pytest.raises(KsqlError, match=r"Like condition must be VARCHAR\. The column type is BIGINT"):
        pull("SELECT * FROM one WHERE n LIKE '1%';")
