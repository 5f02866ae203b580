"""Windows that Kafka Streams refuses are refused in its words, with what a real server answers: 500."""

from __future__ import annotations

import pytest

from ksqldb.engine.errors import KsqlError, ServerError
from ksqldb.engine.run.local import LocalEngine

SOURCE = "CREATE STREAM s (id INT KEY, v INT) WITH (kafka_topic='s', value_format='JSON', partitions=1);"


@pytest.mark.parametrize(
    ("window", "message"),
    [
        ("TUMBLING (SIZE 0 SECONDS)", "Window size (sizeMs) must be larger than zero."),
        ("SESSION (0 SECONDS)", "Gap time cannot be zero or negative."),
        ("HOPPING (SIZE 1 SECOND, ADVANCE BY 2 SECONDS)", "less than window duration which is 1000 ms, but given"),
        ("HOPPING (SIZE 1 SECOND, ADVANCE BY 0 SECONDS)", "advancement interval is: 0 ms"),
        ("TUMBLING (SIZE 1 MINUTE, RETENTION 1 HOUR)", "Got size=[60000], grace=[86340000], retention=[3600000]"),
        (
            "SESSION (1 MINUTE, RETENTION 1 MINUTE, GRACE PERIOD 1 SECOND)",
            "no smaller than the session inactivity gap plus the grace period. Got gap=[60000], grace=[1000]",
        ),
    ],
)
def test_refused(window: str, message: str) -> None:
    engine = LocalEngine()
    engine.execute(SOURCE)
    with pytest.raises(ServerError) as refused:
        engine.execute(f"CREATE TABLE t AS SELECT id, COUNT(*) AS n FROM s WINDOW {window} GROUP BY id;")
    assert message in str(refused.value)


@pytest.mark.parametrize(
    "window",
    [
        "TUMBLING (SIZE 1 MINUTE, RETENTION 70 SECONDS, GRACE PERIOD 10 SECONDS)",
        "HOPPING (SIZE 1 MINUTE, ADVANCE BY 1 MINUTE)",
        "SESSION (1 MINUTE, RETENTION 1 DAY)",
    ],
)
def test_just_long_enough(window: str) -> None:
    engine = LocalEngine()
    engine.execute(SOURCE)
    engine.execute(f"CREATE TABLE t AS SELECT id, COUNT(*) AS n FROM s WINDOW {window} GROUP BY id;")
    assert len(engine.catalog.queries) == 1


def test_without_grace_a_final_result_needs_no_day() -> None:
    engine = LocalEngine()
    engine.execute(SOURCE)
    kept = "WINDOW TUMBLING (SIZE 1 MINUTE, RETENTION 1 MINUTE)"
    engine.execute(f"CREATE TABLE t AS SELECT id, COUNT(*) AS n FROM s {kept} GROUP BY id EMIT FINAL;")
    assert len(engine.catalog.queries) == 1


@pytest.mark.parametrize(
    ("kind", "condition", "message"),
    [
        ("FULL OUTER", "a.v = b.id", "full-outer join not supported for foreign-key table-table join"),
        ("RIGHT OUTER", "a.v = b.id", "RIGHT OUTER JOIN on a foreign key is not supported"),
    ],
)
def test_joins_by_a_foreign_key_that_there_are_not(kind: str, condition: str, message: str) -> None:
    engine = LocalEngine()
    for name in "ab":
        engine.execute(
            f"CREATE TABLE {name} (id INT PRIMARY KEY, v INT)"
            f" WITH (kafka_topic='{name}', value_format='JSON', partitions=1);"
        )
    with pytest.raises(KsqlError) as refused:
        engine.execute(f"CREATE TABLE t AS SELECT a.id, b.v FROM a {kind} JOIN b ON {condition};")
    assert message in str(refused.value)
