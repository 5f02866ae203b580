"""What only the server's compiler refuses, with its columns of Java text, as recorded."""

from __future__ import annotations

import pytest

from ksqldb.engine.errors import StatementError
from ksqldb.engine.run.local import LocalEngine

SOURCE = (
    "CREATE STREAM s (id VARCHAR KEY, i INT, s VARCHAR, b BOOLEAN, ar ARRAY<INT>, l BIGINT) "
    "WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);"
)
SEEN = (
    "schema:`ID` STRING KEY, `I` INTEGER, `S` STRING, `B` BOOLEAN, `AR` ARRAY<INTEGER>, `L` BIGINT, `ROWTIME` BIGINT, "
    "`ROWPARTITION` INTEGER, `ROWOFFSET` BIGINT, `ID` STRING"
)


def refused(sql: str) -> StatementError:
    engine = LocalEngine()
    engine.execute(SOURCE)
    with pytest.raises(StatementError) as found:
        engine.execute(sql)
    return found.value


@pytest.mark.parametrize(
    ("expression", "shown", "reason"),
    [
        ("CAST(b AS DATE)", "CAST(B AS DATE)", "Cast of BOOLEAN to DATE is not supported"),
        ("ar['x']", "AR['x']", 'Line 1, Column 161: Cannot cast "java.lang.String" to "int"'),
        ("i IN ('a')", "(I IN ('a'))", 'invalid input syntax for type INTEGER: "a".'),
        ("i BETWEEN 'a' AND 'b'", "(I BETWEEN 'a' AND 'b')",
         'Line 1, Column 158: Operator ">=" not allowed on reference operands'),
        ("NOT i", "(NOT I)", "Line 1, Column 33: Not a boolean expression"),
        ("-s", "-S", 'Line 1, Column 2: Object of type "java.lang.String" cannot be converted to a numeric type'),
        ("b AND i", "(B AND I)", "Line 1, Column 81: Not a boolean expression"),
        ("b OR NOT (i > 1 AND s)", "(B OR (NOT ((I > 1) AND S)))", None),
        ("'a' || s", "concat('a', S)", "Cannot get name for `concat` 0 times"),
    ],
)  # fmt: skip
def test_the_expression_and_the_columns_are_told(expression: str, shown: str, reason: str | None) -> None:
    error = refused(f"CREATE STREAM o AS SELECT id, {expression} AS x FROM s;")
    message = str(error).partition("\nStatement: ")[0]
    if reason is not None:
        assert message == f"Invalid Select: {reason}. expression: {shown}, {SEEN}"
    else:
        assert message.startswith("Invalid Select: Line 1, Column ")
        assert message.endswith(f": Not a boolean expression. expression: {shown}, {SEEN}")


def test_like_lists_what_it_could_have_been() -> None:
    message = str(refused("CREATE STREAM o AS SELECT id, s LIKE 5 AS x FROM s;"))
    begin = 'Line 1, Column 23: No applicable constructor/method found for actual parameters "java.lang.String, int"'
    assert begin in message
    assert "LikeEvaluator.matches(java.lang.String, java.lang.String)" in message


def test_the_stage_is_that_of_the_clause() -> None:
    assert str(refused("CREATE STREAM o AS SELECT * FROM s WHERE NOT i;")).startswith("Invalid Predicate: Line 1, ")
    keyed = refused("CREATE STREAM o AS SELECT -s AS k, i FROM s PARTITION BY -s;")
    assert str(keyed).startswith("Invalid SelectKey: Line 1, Column 2: Object of type ")


def test_behind_an_aggregate_the_columns_are_its_own() -> None:
    error = refused("CREATE TABLE o AS SELECT s, NOT COUNT(*) AS x FROM s WHERE i > 0 GROUP BY s;")
    assert "schema:`S` STRING KEY, `S` STRING, `ROWTIME` BIGINT, `I` INTEGER, `KSQL_AGG_VARIABLE_0` BIGINT" in str(
        error
    )


def test_a_push_query_cannot_have_a_table_function() -> None:
    engine = LocalEngine()
    engine.execute(SOURCE)
    with pytest.raises(StatementError) as found:
        engine.select("SELECT id, EXPLODE(ar) AS x FROM s EMIT CHANGES;")
    assert str(found.value).startswith("Invalid Select: Can't find any functions with the name 'EXPLODE'. expression: ")
    assert "`ID` STRING, `KSQL_SYNTH_0` INTEGER" in str(found.value)
