"""Aggregation without windows, over streams and over tables that change, against what the same rows give afresh."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ksqldb.engine.run.queries import Fields, Input, Output, Query, table_of

OVER_STREAM = Query(
    "CREATE STREAM s (k VARCHAR KEY, v BIGINT, d DOUBLE, m DECIMAL(6, 2), w VARCHAR)"
    " WITH (kafka_topic='s', value_format='JSON', partitions=1);",
    "CREATE TABLE out WITH (kafka_topic='OUT') AS SELECT k, COUNT(*) AS n, COUNT(v) AS seen, SUM(v) AS total,"
    " MIN(v) AS least, MAX(w) AS greatest, AVG(v) AS mean, SUM(m) AS money, MAX(m) AS dearest,"
    " COLLECT_LIST(w) AS words, COLLECT_SET(v) AS distinct_values, HISTOGRAM(w) AS counts, TOPK(v, 2) AS top,"
    " TOPKDISTINCT(v, 2) AS top_distinct, COUNT_DISTINCT(w) AS different, EARLIEST_BY_OFFSET(v) AS first,"
    " LATEST_BY_OFFSET(w) AS last, LATEST_BY_OFFSET(v, 2) AS last_two FROM s GROUP BY k;",
)

rows = st.lists(
    st.fixed_dictionaries(
        {
            "K": st.sampled_from("ab"),
            "TS": st.integers(0, 9),
            "V": st.none() | st.integers(-9, 9),
            "M": st.none() | st.decimals(-90, 90, places=2).map(str),
            "W": st.none() | st.sampled_from(["x", "y", "zz"]),
        }
    ),
    max_size=15,
)


def aggregated(group: list[Fields]) -> Fields:
    values = [row["V"] for row in group if row["V"] is not None]
    words = [row["W"] for row in group if row["W"] is not None]
    money = [Decimal(row["M"]) for row in group if row["M"] is not None]
    return {
        "N": len(group),
        "SEEN": len(values),
        "TOTAL": sum(values),
        "LEAST": min(values, default=None),
        "GREATEST": max(words, default=None),
        "MEAN": sum(values) / len(values) if values else 0.0,
        "MONEY": float(sum(money)),
        "DEAREST": float(max(money)) if money else None,
        "WORDS": [row["W"] for row in group],
        "DISTINCT_VALUES": list(dict.fromkeys(row["V"] for row in group)),
        "COUNTS": dict(Counter("null" if row["W"] is None else row["W"] for row in group)),
        "TOP": sorted(values, reverse=True)[:2],
        "TOP_DISTINCT": sorted(set(values), reverse=True)[:2],
        "DIFFERENT": len(set(words)),
        "FIRST": values[0] if values else None,
        "LAST": words[-1] if words else None,
        "LAST_TWO": values[-2:],
    }


@given(rows)
@settings(max_examples=60, deadline=None)
def test_over_a_stream_each_record_gives_its_groups_result(given_rows: list[Fields]) -> None:
    inputs = [Input("s", r["K"], r["TS"], {"V": r["V"], "M": r["M"], "W": r["W"]}) for r in given_rows]
    expected = []
    for index, row in enumerate(given_rows):
        group = [r for r in given_rows[: index + 1] if r["K"] == row["K"]]
        expected.append(Output(row["K"], aggregated(group), max(r["TS"] for r in group)))
    assert OVER_STREAM.run(inputs) == expected


OVER_TABLE = Query(
    "CREATE TABLE t (id VARCHAR PRIMARY KEY, g VARCHAR, v BIGINT, m DECIMAL(6, 2))"
    " WITH (kafka_topic='t', value_format='JSON', partitions=1);",
    "CREATE TABLE out WITH (kafka_topic='OUT') AS SELECT g, COUNT(*) AS n, SUM(v) AS total, AVG(v) AS mean,"
    " SUM(m) AS money, COLLECT_LIST(v) AS vals FROM t GROUP BY g;",
)

changes = st.lists(
    st.tuples(
        st.sampled_from("pqr"),
        st.none()
        | st.fixed_dictionaries(
            {
                "G": st.none() | st.sampled_from("xy"),
                "V": st.integers(-9, 9),
                "M": st.decimals(-90, 90, places=2).map(str),
            }
        ),
    ),
    max_size=15,
)


@given(changes)
@settings(max_examples=60, deadline=None)
def test_over_a_table_what_a_row_was_is_taken_back(given_changes: list[tuple[str, Fields | None]]) -> None:
    outputs = OVER_TABLE.run([Input("t", key, 1, value) for key, value in given_changes])
    now: dict[str, Fields | None] = {}
    groups = set()
    for key, value in given_changes:
        now[key] = value
        if value is not None and value["G"] is not None:
            groups.add(value["G"])
    expected = {}
    for group in groups:
        members = [row for row in now.values() if row is not None and row["G"] == group]
        values = [row["V"] for row in members]
        expected[(group, None, None)] = {
            "N": len(members),
            "TOTAL": sum(values),
            "MEAN": pytest.approx(sum(values) / len(values) if values else 0.0),
            "MONEY": pytest.approx(float(sum(Decimal(row["M"]) for row in members))),
            "VALS": sorted(values),
        }
    left = table_of(outputs)
    for fields in left.values():
        fields["VALS"] = sorted(fields["VALS"])
    assert left == expected
