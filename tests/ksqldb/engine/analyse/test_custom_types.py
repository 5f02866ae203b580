"""Types of CREATE TYPE mean what they stand for wherever a type may be written."""

from __future__ import annotations

import pytest

from ksqldb.engine.errors import KsqlError
from ksqldb.engine.run.local import LocalEngine
from tests.ksqldb.engine.run.queries import Input, Query

TYPE = "CREATE TYPE address AS STRUCT<city VARCHAR, streets ARRAY<VARCHAR>>;"
STREAM = (
    "CREATE STREAM s (k VARCHAR KEY, home address, others MAP<VARCHAR, address>)"
    " WITH (kafka_topic='s', value_format='JSON', partitions=1);"
)
HOME = {"CITY": "Recife", "STREETS": ["Aurora"]}


def test_in_columns_and_casts() -> None:
    query = Query(
        TYPE,
        STREAM,
        "CREATE STREAM out AS SELECT k, CAST(home AS address) AS home, others['x']->city AS city,"
        " CAST(STRUCT(city := 'Olinda') AS address)->streets AS streets FROM s"
        " WHERE CAST(home AS address)->city = 'Recife';",
    )
    (row,) = query.run([Input("s", "a", 1, {"home": HOME, "others": {"x": {"city": "Natal"}}})])
    assert row.value == {"HOME": HOME, "CITY": "Natal", "STREETS": None}


def test_in_inserted_values() -> None:
    engine = LocalEngine()
    engine.execute(TYPE + STREAM)
    engine.execute("INSERT INTO s (k, home) VALUES ('a', CAST(STRUCT(city := 'Olinda') AS address));")
    assert [record.value for record in engine.topic("s")] == [
        b'{"HOME":{"CITY":"Olinda","STREETS":null},"OTHERS":null}'
    ]


def test_a_type_that_there_is_not() -> None:
    engine = LocalEngine()
    engine.execute(TYPE + STREAM + "DROP TYPE address;")
    with pytest.raises(KsqlError, match="Cannot resolve unknown type: ADDRESS"):
        engine.execute("CREATE STREAM out AS SELECT k, CAST(home AS address) AS home FROM s;")
