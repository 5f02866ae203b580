"""Rows in the three response formats, byte for byte as a real server writes them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import pytest

from ksqldb.engine.engine import Column, Row
from ksqldb.engine.errors import ServerError
from ksqldb.engine.run.results import QueryKind
from ksqldb.engine.server.http import DELIMITED, JSON, V1_JSON, negotiate
from ksqldb.engine.server.rows import DelimitedWriter, JsonWriter, RowTexts, StreamedRowWriter, schema_fields
from ksqldb.engine.types import (
    BIGINT,
    BOOLEAN,
    BYTES,
    DATE,
    DOUBLE,
    INTEGER,
    STRING,
    TIME,
    TIMESTAMP,
    ArrayType,
    DecimalType,
    Field,
    MapType,
    SqlType,
    StructType,
)


@dataclass
class Query:
    kind: QueryKind
    columns: list[Column]
    query_id: str = "transient_T_1"


KEYED = [Column("K", STRING, is_key=True), Column("N", DecimalType(10, 2))]


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (BOOLEAN, True, "true"),
        (INTEGER, -5, "-5"),
        (BIGINT, 9007199254740993, "9007199254740993"),
        (DOUBLE, 1.5, "1.5"),
        (DOUBLE, 2.0, "2.0"),
        (DOUBLE, 1e300, "1.0E300"),
        (DOUBLE, 1e-7, "1.0E-7"),
        (DOUBLE, 12345678901.0, "1.2345678901E10"),
        (DOUBLE, -23.55052, "-23.55052"),
        (DOUBLE, 0.0, "0.0"),
        (DOUBLE, float("nan"), '"NaN"'),
        (DOUBLE, float("-inf"), '"-Infinity"'),
        (DecimalType(10, 2), Decimal("12.30"), "12.30"),
        (DecimalType(20, 10), Decimal("0E-10"), "0.0000000000"),
        (STRING, 'hé "q"\u2028\n', '"hé \\"q\\"\u2028\\n"'),
        (BYTES, b"\x01\x02\x03\xff", '"AQID/w=="'),
        (DATE, 19676, '"2023-11-15"'),
        (TIME, 3723000, '"01:02:03"'),
        (TIME, 0, '"00:00"'),
        (TIMESTAMP, 1700000000123, '"2023-11-14T22:13:20.123"'),
        (ArrayType(INTEGER), [1, None], "[1,null]"),
        (ArrayType(DOUBLE), [1e10, None], "[1.0E10,null]"),
        (MapType(STRING, DATE), {"a": 0, "b": None}, '{"a":"1970-01-01","b":null}'),
        (
            StructType((Field("A", INTEGER), Field("b", MapType(STRING, StructType((Field("Y", DOUBLE),)))))),
            {"A": 1, "b": {"q": {"Y": 1e-9}}},
            '{"A":1,"b":{"q":{"Y":1.0E-9}}}',
        ),
        (TIMESTAMP, None, "null"),
    ],
)
def test_values_look_as_on_a_real_server(kind: SqlType, value: object, text: str) -> None:
    assert RowTexts([Column("C", kind)]).lines([Row((value,))]).decode() == f"[{text}]\n"


ROWS = [Row(("a", Decimal("12.30"))), Row(("b", None), tombstone=True), Row((None, Decimal("0.00")))]


def test_delimited() -> None:
    writer = DelimitedWriter(Query("push", KEYED))
    head = '{"queryId":"transient_T_1","columnNames":["K","N"],"columnTypes":["STRING","DECIMAL(10, 2)"]}\n'
    assert writer.head().decode() == head
    assert writer.rows(ROWS) == b'["a",12.30]\n[null,0.00]\n'  # a tombstone does not show here
    assert writer.rows(ROWS[1:2]) == b""
    assert writer.end(limit_reached=True) == b""


def test_json() -> None:
    writer = JsonWriter(Query("push", KEYED))
    body = writer.head() + writer.rows(ROWS) + writer.rows(ROWS[1:2]) + writer.end(limit_reached=False)
    assert body.decode() == (
        '[{"queryId":"transient_T_1","columnNames":["K","N"],"columnTypes":["STRING","DECIMAL(10, 2)"]}'
        ',["a",12.30],[null,0.00]]'
    )


@pytest.mark.parametrize(("limit", "last"), [(True, "Limit Reached"), (False, "Query Completed")])
def test_v1_json_of_a_push_query(limit: bool, last: str) -> None:
    writer = StreamedRowWriter(Query("push", KEYED))
    body = writer.head() + writer.rows(ROWS) + writer.end(limit)
    assert body.decode() == (
        '[{"header":{"queryId":"transient_T_1","schema":"`K` STRING, `N` DECIMAL(10, 2)"}},\n'
        '{"row":{"columns":["a",12.30]}},\n'
        '{"row":{"columns":["b",null],"tombstone":true}},\n'
        '{"row":{"columns":[null,0.00]}},\n'
        f'{{"finalMessage":"{last}"}}]'
    )


def test_v1_json_of_a_pull_query_marks_keys_and_just_ends() -> None:
    writer = StreamedRowWriter(Query("pull_table", KEYED))
    assert (
        writer.head() + writer.rows(ROWS[:1]) + writer.rows(ROWS[2:]) + writer.end(limit_reached=False)
    ).decode() == (
        '[{"header":{"queryId":"transient_T_1","schema":"`K` STRING KEY, `N` DECIMAL(10, 2)"}},\n'
        '{"row":{"columns":["a",12.30]}},\n{"row":{"columns":[null,0.00]}}]'
    )


def test_an_error_in_the_middle() -> None:
    problem = ServerError("org.x.Gone: topic")
    entity = b'{"@type":"generic_error","error_code":50000,"message":"org.x.Gone: topic"}'
    query = Query("push", KEYED)
    assert DelimitedWriter(query).error(problem) == entity + b"\n"
    assert JsonWriter(query).error(problem) == b"," + entity + b"]"
    assert StreamedRowWriter(query).error(problem) == b'{"errorMessage":' + entity + b"},\n]"


def test_the_schema_of_a_web_socket() -> None:
    columns = [Column("A", ArrayType(DecimalType(4, 1))), Column("S", StructType((Field("x", INTEGER),)))]
    number = {"type": "DECIMAL", "parameters": {"precision": 4, "scale": 1}, "fields": None, "memberSchema": None}
    integer = {"type": "INTEGER", "fields": None, "memberSchema": None}
    assert schema_fields(columns) == [
        {"name": "A", "schema": {"type": "ARRAY", "fields": None, "memberSchema": number}},
        {"name": "S", "schema": {"type": "STRUCT", "fields": [{"name": "x", "schema": integer}], "memberSchema": None}},
    ]


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, DELIMITED),
        ("*/*", DELIMITED),
        ("application/json", JSON),
        ("application/vnd.ksql.v1+json", V1_JSON),
        ("text/html", None),
        ("text/html, application/json;q=0.5", JSON),
        ("application/json;q=0.2, application/vnd.ksql.v1+json;q=0.9", V1_JSON),
        ("application/json;q=0", None),
        ("application/*", DELIMITED),
        ("nonsense", None),
    ],
)
def test_what_an_accept_header_gets(accept: str | None, chosen: str | None) -> None:
    assert negotiate(accept, (DELIMITED, JSON, V1_JSON)) == chosen
