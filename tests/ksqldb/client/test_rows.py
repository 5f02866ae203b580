"""The three response formats, cut into chunks anywhere."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ksqldb.client import Column, Format, KsqlServerError, KsqlUnavailable, Tombstone
from ksqldb.client._rows import reader

STRUCT = "STRUCT<`A` ARRAY<DOUBLE>, `b` INTEGER>"
NAMES = f'"columnNames":["K","AMOUNT","S"],"columnTypes":["STRING","DECIMAL(10, 2)","{STRUCT}"]'
ROWS = ['["a",12.30,{"A":[1.0,null],"b":2}]', '["é ,[\\"]}\\n",null,null]', '[null,-0.05,{"A":[],"b":null}]']
DECODED: list[Any] = [
    ("a", Decimal("12.30"), {"A": [1.0, None], "b": 2}),
    ('é ,["]}\n', None, None),
    (None, Decimal("-0.05"), {"A": [], "b": None}),
]
COLUMNS = [
    Column("K", "STRING"),
    Column("AMOUNT", "DECIMAL(10, 2)"),
    Column("S", STRUCT),
]
SCHEMA = f"`K` STRING, `AMOUNT` DECIMAL(10, 2), `S` {STRUCT}"
HEADER = f'{{"header":{{"queryId":"q1","schema":"{SCHEMA}"}}}}'
FINAL = '{"finalMessage":"Query Completed"}'
ONE_COLUMN = b'{"queryId":"q","columnNames":["N"],"columnTypes":["INTEGER"]}\n'
BODIES = {
    Format.DELIMITED: "\n".join(['{"queryId":"q1",' + NAMES + "}", *ROWS, ""]),
    Format.JSON: "[" + ",".join(['{"queryId":"q1",' + NAMES + "}", *ROWS]) + "]",
    Format.V1_JSON: "[" + ",\n".join([HEADER, *(f'{{"row":{{"columns":{row}}}}}' for row in ROWS), FINAL]) + "]",
}


def read(form: Format, body: bytes, cuts: list[int]) -> tuple[list[Any], list[Column], str | None]:
    parts = reader(form)
    rows: list[Any] = []
    columns: list[Column] = []
    end: str | None = None
    edges = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    for start, stop in pairwise(edges):
        part = parts.feed(body[start:stop])
        rows.extend(part.rows)
        columns = part.columns or columns
        end = part.end or end
        assert part.error is None
    return rows, columns, end


@pytest.mark.parametrize("form", list(Format))
@given(cuts=st.lists(st.integers(0, 420), max_size=40))
def test_rows_are_the_same_wherever_the_chunks_end(form: Format, cuts: list[int]) -> None:
    rows, columns, end = read(form, BODIES[form].encode(), cuts)
    assert rows == DECODED
    assert columns == COLUMNS
    assert end == ("Query Completed" if form is Format.V1_JSON else None)
    assert [str(row[1]) for row in rows if row[1] is not None] == ["12.30", "-0.05"]  # the scale is kept


def test_a_pull_over_a_table_in_v1_json_has_no_final_message_and_marks_keys() -> None:
    body = b'[{"header":{"queryId":"q","schema":"`ID` STRING KEY, `N` BIGINT"}},\n{"row":{"columns":["a",1]}}]'
    rows, columns, end = read(Format.V1_JSON, body, [])
    assert (rows, end) == ([("a", 1)], None)
    assert columns == [Column("ID", "STRING", key=True), Column("N", "BIGINT")]


def test_an_empty_pull_still_has_columns() -> None:
    rows, columns, _ = read(Format.V1_JSON, b'[{"header":{"queryId":"q","schema":"`ID` STRING KEY"}}]', [])
    assert (rows, columns) == ([], [Column("ID", "STRING", key=True)])


def test_tombstones_are_told_apart() -> None:
    body = (
        b'[{"header":{"queryId":"q","schema":"`ID` STRING, `N` INTEGER"}},\n'
        b'{"row":{"columns":["a",1]}},\n{"row":{"columns":["a",null],"tombstone":true}},\n'
    )
    rows, _, _ = read(Format.V1_JSON, body, [])
    assert rows == [("a", 1), ("a", None)]
    assert [isinstance(row, Tombstone) for row in rows] == [False, True]


ERROR = b'{"@type":"generic_error","error_code":50000,"message":"org.x.MissingSourceTopicException: gone"}'


@pytest.mark.parametrize(
    ("form", "tail"),
    [
        (Format.DELIMITED, ERROR + b"\n"),
        (Format.JSON, b"," + ERROR + b"]"),
        (Format.V1_JSON, b'{"errorMessage":' + ERROR + b"},\n]"),
    ],
)
def test_an_error_in_the_middle_of_a_stream(form: Format, tail: bytes) -> None:
    parts = reader(form)
    body = BODIES[form].encode()
    ends = {Format.DELIMITED: "", Format.JSON: "]", Format.V1_JSON: FINAL + "]"}
    cut = len(body) - len(ends[form])
    first = parts.feed(body[:cut])
    part = parts.feed(tail)
    assert first.rows == DECODED
    assert isinstance(part.error, KsqlServerError)
    assert (part.error.error_code, part.error.message) == (50000, "org.x.MissingSourceTopicException: gone")


def test_tokens_are_kept_and_do_not_disturb_rows() -> None:
    parts = reader(Format.DELIMITED)
    part = parts.feed(ONE_COLUMN + b'[1]\n{"consistencyToken":"t1"}\n[2]\n')
    assert part.rows == [(1,), (2,)]
    assert part.tokens == {"consistencyToken": "t1"}


def test_a_row_that_does_not_fit_its_types_is_still_shown() -> None:
    parts = reader(Format.DELIMITED)
    part = parts.feed(ONE_COLUMN + b'["NaN"]\n[2]\n')
    assert part.rows == [("NaN",), (2,)]


def test_what_is_not_json_is_an_error_that_quotes_it() -> None:
    with pytest.raises(KsqlServerError, match=r"not JSON.*<html>"):
        reader(Format.DELIMITED).feed(b"<html>\n")


def test_not_ready_is_unavailable() -> None:
    part = reader(Format.DELIMITED).feed(
        b'{"@type":"generic_error","error_code":50303,"message":"The server is shutting down"}\n'
    )
    assert isinstance(part.error, KsqlUnavailable)
