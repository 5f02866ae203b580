"""Joins against references that look at every pair of records."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ksqldb.engine.run.queries import Fields, Input, Query, table_of

LEFT_STREAM = "CREATE STREAM l (k VARCHAR KEY, v INT) WITH (kafka_topic='l', value_format='JSON', partitions=1);"
RIGHT_STREAM = "CREATE STREAM r (k VARCHAR KEY, w INT) WITH (kafka_topic='r', value_format='JSON', partitions=1);"
LEFT_TABLE = "CREATE TABLE l (k VARCHAR PRIMARY KEY, v INT) WITH (kafka_topic='l', value_format='JSON', partitions=1);"
RIGHT_TABLE = "CREATE TABLE r (k VARCHAR PRIMARY KEY, w INT) WITH (kafka_topic='r', value_format='JSON', partitions=1);"

WITHIN, GRACE = 10, 5

sides = st.lists(st.tuples(st.sampled_from("lr"), st.sampled_from("ab"), st.integers(0, 70)), max_size=25)
table_changes = st.lists(
    st.tuples(st.sampled_from("lr"), st.sampled_from("abc"), st.none() | st.integers(0, 99)), max_size=25
)


def stream_join(kind: str, grace: str) -> Query:
    key = "ROWKEY AS k" if kind == "FULL OUTER" else "l.k AS k"
    return Query(
        LEFT_STREAM,
        RIGHT_STREAM,
        f"CREATE STREAM out WITH (kafka_topic='OUT') AS SELECT {key}, l.v AS v, r.w AS w FROM l {kind} JOIN r"
        f" WITHIN {WITHIN} MILLISECONDS {grace} ON l.k = r.k;",
        properties={"ksql.streams.__emit.interval.ms.kstreams.outer.join.spurious.results.fix__": "0"},
    )


Side = tuple[str, str, int]
Joined = tuple[str, int | None, int | None, int]  # key, number of the left record, of the right one, time


class Reference:
    """Looks at every earlier record for each record; ``grace`` None: a day, and lone records go out at once."""

    def __init__(self, given_sides: list[Side], keeps: str, grace: int | None) -> None:
        self.given, self.keeps = given_sides, keeps
        self.waits = grace is not None and keeps != ""
        self.grace = 86_400_000 - 2 * WITHIN if grace is None else grace

    def run(self) -> list[Joined]:
        out: list[Joined] = []
        waiting: set[int] = set()
        for number, (side, key, ts) in enumerate(self.given):
            clock = max(t for _, _, t in self.given[: number + 1])
            if ts == clock:
                due = [n for n in waiting if self.given[n][2] + WITHIN + self.grace < clock]
                for lone in sorted(due, key=lambda n: (self.given[n][2], self.given[n][0], n)):
                    out.append(self.alone(lone))
                    waiting.discard(lone)
            partners = self.partners(number)
            for partner in partners:
                waiting.discard(partner)
                left, right = (number, partner) if side == "l" else (partner, number)
                out.append((key, left, right, max(ts, self.given[partner][2])))
            if not partners and side in self.keeps:
                if self.waits and ts + WITHIN >= clock:
                    waiting.add(number)
                else:
                    out.append(self.alone(number))
        return out

    def partners(self, number: int) -> list[int]:
        """Records of the other side before this one that are near in time and still kept, in order of time."""
        side, key, ts = self.given[number]
        other = [n for n in range(number) if self.given[n][0] != side]
        clock = max((self.given[n][2] for n in other), default=0)
        kept = [n for n in other if self.given[n][2] > clock - (2 * WITHIN + self.grace)]
        near = [n for n in kept if self.given[n][1] == key and abs(self.given[n][2] - ts) <= WITHIN]
        return sorted(near, key=lambda n: (self.given[n][2], n))

    def alone(self, number: int) -> Joined:
        side, key, ts = self.given[number]
        return (key, number, None, ts) if side == "l" else (key, None, number, ts)


STREAM_JOINS: list[tuple[str, str, int | None]] = [
    ("INNER", "", GRACE),
    ("INNER", "", None),
    ("LEFT", "l", GRACE),
    ("LEFT", "l", None),
    ("RIGHT", "r", GRACE),
    ("FULL OUTER", "lr", GRACE),
    ("FULL OUTER", "lr", None),
]


@pytest.mark.parametrize(("kind", "keeps", "grace"), STREAM_JOINS)
def test_two_streams(kind: str, keeps: str, grace: int | None) -> None:
    query = stream_join(kind, "" if grace is None else f"GRACE PERIOD {grace} MILLISECONDS")

    @given(sides)
    @settings(max_examples=80, deadline=None)
    def check(given_sides: list[Side]) -> None:
        inputs = [
            Input(side, key, ts, {"V" if side == "l" else "W": number})
            for number, (side, key, ts) in enumerate(given_sides)
        ]
        found = [
            (out.key, out.value["V"], out.value["W"], out.ts) for out in query.run(inputs) if out.value is not None
        ]
        assert found == Reference(given_sides, keeps, grace).run()

    check()


def inputs_of(changes: list[tuple[str, str, int | None]]) -> list[Input]:
    return [
        Input(topic, key, 1, None if value is None else {"V" if topic == "l" else "W": value})
        for topic, key, value in changes
    ]


@pytest.mark.parametrize("kind", ["INNER", "LEFT"])
def test_a_stream_and_a_table(kind: str) -> None:
    query = Query(
        LEFT_STREAM,
        RIGHT_TABLE,
        f"CREATE STREAM out WITH (kafka_topic='OUT') AS SELECT l.k AS k, v, w FROM l {kind} JOIN r ON l.k = r.k;",
    )

    @given(table_changes)
    @settings(max_examples=100, deadline=None)
    def check(changes: list[tuple[str, str, int | None]]) -> None:
        table: dict[str, int] = {}
        expected: list[tuple[str, Fields]] = []
        for topic, key, value in changes:
            if topic == "r":
                table |= {} if value is None else {key: value}
                if value is None:
                    table.pop(key, None)
            elif value is not None and (key in table or kind == "LEFT"):
                expected.append((key, {"V": value, "W": table.get(key)}))
        assert [(out.key, out.value) for out in query.run(inputs_of(changes))] == expected

    check()


def tables_after(changes: list[tuple[str, str, Any]]) -> dict[str, dict[str, Any]]:
    tables: dict[str, dict[str, Any]] = {"l": {}, "r": {}}
    for topic, key, value in changes:
        if value is None:
            tables[topic].pop(key, None)
        else:
            tables[topic][key] = value
    return tables


@pytest.mark.parametrize("kind", ["INNER", "LEFT", "RIGHT", "FULL OUTER"])
def test_two_tables(kind: str) -> None:
    key = "ROWKEY AS k" if kind == "FULL OUTER" else "l.k AS k"
    query = Query(
        LEFT_TABLE,
        RIGHT_TABLE,
        f"CREATE TABLE out WITH (kafka_topic='OUT') AS SELECT {key}, v, w FROM l {kind} JOIN r ON l.k = r.k;",
    )

    @given(table_changes)
    @settings(max_examples=100, deadline=None)
    def check(changes: list[tuple[str, str, int | None]]) -> None:
        tables = tables_after(changes)
        left, right = tables["l"], tables["r"]
        keys = {
            "INNER": left.keys() & right.keys(),
            "LEFT": left.keys(),
            "RIGHT": right.keys(),
            "FULL OUTER": left.keys() | right.keys(),
        }
        expected = {(key, None, None): {"V": left.get(key), "W": right.get(key)} for key in keys[kind]}
        assert table_of(query.run(inputs_of(changes))) == expected

    check()


foreign = st.none() | st.tuples(st.sampled_from("xyz"), st.integers(0, 9))
foreign_changes = st.lists(
    st.one_of(
        st.tuples(st.just("l"), st.sampled_from("abc"), foreign),
        st.tuples(st.just("r"), st.sampled_from("xyz"), st.none() | st.integers(0, 99)),
    ),
    max_size=25,
)


@pytest.mark.parametrize("kind", ["INNER", "LEFT"])
def test_two_tables_by_a_foreign_key(kind: str) -> None:
    query = Query(
        "CREATE TABLE l (k VARCHAR PRIMARY KEY, f VARCHAR, v INT)"
        " WITH (kafka_topic='l', value_format='JSON', partitions=1);",
        RIGHT_TABLE,
        f"CREATE TABLE out WITH (kafka_topic='OUT') AS SELECT l.k AS k, v, w FROM l {kind} JOIN r ON f = r.k;",
    )

    @given(foreign_changes)
    @settings(max_examples=100, deadline=None)
    def check(changes: list[tuple[str, str, Any]]) -> None:
        inputs = [
            Input(topic, key, 1, value and ({"W": value} if topic == "r" else {"F": value[0], "V": value[1]}))
            if value != 0
            else Input(topic, key, 1, {"W": 0})
            for topic, key, value in changes
        ]
        tables = tables_after(changes)
        expected = {
            (key, None, None): {"V": v, "W": tables["r"].get(f)}
            for key, (f, v) in tables["l"].items()
            if kind == "LEFT" or f in tables["r"]
        }
        assert table_of(query.run(inputs)) == expected

    check()
