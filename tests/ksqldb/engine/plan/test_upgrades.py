"""CREATE OR REPLACE of a query: what may change, and the server's words for what may not."""

from __future__ import annotations

import pytest

from ksqldb.engine.errors import KsqlError
from ksqldb.engine.run.local import LocalEngine

SOURCES = (
    "CREATE STREAM s (id VARCHAR KEY, a INT, b INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);",
    "CREATE TABLE t (id VARCHAR PRIMARY KEY, c INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON', PARTITIONS=1);",
)


def replace(before: str, after: str, kind: str = "STREAM") -> None:
    engine = LocalEngine()
    for statement in (*SOURCES, f"CREATE {kind} o AS {before};"):
        engine.execute(statement)
    engine.execute(f"CREATE OR REPLACE {kind} o AS {after};")


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        ("STREAM", "SELECT * FROM s", "SELECT * FROM s WHERE a > 0"),
        ("STREAM", "SELECT * FROM s WHERE a > 0", "SELECT * FROM s"),
        ("STREAM", "SELECT id, a FROM s", "SELECT id, a, b FROM s WHERE b < 1"),
        ("STREAM", "SELECT * FROM s PARTITION BY a", "SELECT * FROM s WHERE b > 0 PARTITION BY a"),
        ("TABLE", "SELECT * FROM t", "SELECT * FROM t WHERE c > 0"),
        ("TABLE", "SELECT a, COUNT(b) AS n FROM s GROUP BY a", "SELECT a, COUNT(b) AS n FROM s WHERE b > 0 GROUP BY a"),
        ("TABLE", "SELECT a, COUNT(*) AS n FROM s GROUP BY a HAVING COUNT(*) > 1",
         "SELECT a, COUNT(*) AS n FROM s GROUP BY a"),
        ("TABLE", "SELECT a, COUNT(*) AS n FROM s GROUP BY a HAVING COUNT(*) > 1",
         "SELECT a, COUNT(*) AS n FROM s GROUP BY a HAVING COUNT(*) > 2"),
    ],
)  # fmt: skip
def test_filters_and_projections_may_change(kind: str, before: str, after: str) -> None:
    replace(before, after, kind)


PLAN = "io.confluent.ksql.execution.plan"


@pytest.mark.parametrize(
    ("kind", "before", "after", "message"),
    [
        ("TABLE", "SELECT a, COUNT(*) AS n FROM s GROUP BY a", "SELECT a, COUNT(*) AS n, MAX(b) AS m FROM s GROUP BY a",
         "Query is not upgradeable. Plan step of type StreamAggregate must have matching columns not part of aggregate."
         " Values differ: [`A`, `ROWTIME`] vs. [`A`, `ROWTIME`, `B`]"),
        ("TABLE", "SELECT a, COUNT(*) AS n FROM s WHERE b > 0 GROUP BY a", "SELECT a, COUNT(*) AS n FROM s GROUP BY a",
         "Query is not upgradeable. Plan step of type StreamAggregate must have matching columns not part of aggregate."
         " Values differ: [`A`, `ROWTIME`, `B`] vs. [`A`, `ROWTIME`]"),
        ("TABLE", "SELECT a, COUNT(*) AS n FROM s GROUP BY a",
         "SELECT a, COUNT(*) AS n FROM s GROUP BY a HAVING COUNT(*) > 1",
         "Query is not upgradeable. Plan step of type StreamAggregate must have matching class. "
         f"Values differ: class {PLAN}.StreamAggregate vs. class {PLAN}.TableFilter"),
        ("TABLE", "SELECT a, MAX(b) AS n FROM s GROUP BY a", "SELECT a, MIN(b) AS n FROM s GROUP BY a",
         "Query is not upgradeable. Plan step of type StreamAggregate must have matching aggregate functions. "
         "Values differ: [MAX(B)] vs. [MIN(B)]"),
        ("TABLE", "SELECT a, COUNT(*) AS n FROM s WINDOW TUMBLING (SIZE 1 MINUTE) GROUP BY a",
         "SELECT a, COUNT(*) AS n FROM s WINDOW TUMBLING (SIZE 1 MINUTE) WHERE b > 0 GROUP BY a",
         "Upgrades not yet supported for StreamWindowedAggregate"),
        ("STREAM", "SELECT s.id, a, c FROM s JOIN t ON s.id = t.id",
         "SELECT s.id, a, c FROM s JOIN t ON s.id = t.id WHERE a > 0",
         "Upgrades not yet supported for StreamTableJoin"),
        ("STREAM", "SELECT id, a FROM s", "SELECT s.id AS id, a, c FROM s JOIN t ON s.id = t.id",
         "Query is not upgradeable. Cannot change a non-join source into a join source."),
    ],
)  # fmt: skip
def test_what_keeps_state_may_not(kind: str, before: str, after: str, message: str) -> None:
    with pytest.raises(KsqlError) as refused:
        replace(before, after, kind)
    assert message in str(refused.value)
