"""Windowed aggregation against a reference that recomputes everything from the records accepted so far."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ksqldb.engine.run.queries import Fields, Input, Output, Query, table_of

Record = tuple[str, int, int | None]  # key, ts, value
Accepted = dict[tuple[str, int], list[tuple[int, int | None]]]

SOURCE = "CREATE STREAM s (k VARCHAR KEY, v BIGINT) WITH (kafka_topic='s', value_format='JSON', partitions=1);"
ITEMS = "COUNT(*) AS n, SUM(v) AS total, MIN(v) AS least, LATEST_BY_OFFSET(v) AS last, COLLECT_LIST(v) AS vals"

records = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 90), st.none() | st.integers(-5, 5)), max_size=30
)  # a narrow range of times: ties, and records that come late


def windowed(window: str, having: str = "", emit: str = "CHANGES", **options: Any) -> Query:
    return Query(
        SOURCE,
        f"CREATE TABLE out WITH (kafka_topic='OUT') AS SELECT k, {ITEMS} FROM s WINDOW {window} GROUP BY k {having}"
        f" EMIT {emit};",
        **options,
    )


def inputs_of(given_records: list[Record]) -> list[Input]:
    return [Input("s", key, ts, {"V": value}) for key, ts, value in given_records]


def aggregated(rows: list[tuple[int, int | None]]) -> Fields:
    values = [value for _, value in rows if value is not None]
    return {
        "N": len(rows),
        "TOTAL": sum(values),
        "LEAST": min(values, default=None),
        "LAST": values[-1] if values else None,
        "VALS": [value for _, value in rows],
    }


def windows_of(ts: int, size: int, advance: int) -> list[int]:
    return [start for start in range(0, ts + 1, advance) if start <= ts < start + size]


def changes(given_records: list[Record], size: int, advance: int, grace: int) -> list[Output]:
    """Every change of every window that has not closed, in order."""
    accepted: Accepted = {}
    out = []
    for index, (key, ts, value) in enumerate(given_records):
        clock = max(t for _, t, _ in given_records[: index + 1])
        for start in windows_of(ts, size, advance):
            if start + size > clock - grace:
                rows = accepted.setdefault((key, start), [])
                rows.append((ts, value))
                out.append(Output(key, aggregated(rows), max(t for t, _ in rows), start))
    return out


TUMBLING = windowed("TUMBLING (SIZE 10 MILLISECONDS, GRACE PERIOD 5 MILLISECONDS)", windows="time")
NO_GRACE = windowed("TUMBLING (SIZE 7 MILLISECONDS, GRACE PERIOD 0 MILLISECONDS)", windows="time")
HOPPING = windowed(
    "HOPPING (SIZE 20 MILLISECONDS, ADVANCE BY 6 MILLISECONDS, GRACE PERIOD 9 MILLISECONDS)", windows="time"
)
UNLIMITED = windowed("HOPPING (SIZE 20 MILLISECONDS, ADVANCE BY 10 MILLISECONDS)", windows="time")


@given(records)
@settings(max_examples=80, deadline=None)
def test_tumbling(given_records: list[Record]) -> None:
    assert TUMBLING.run(inputs_of(given_records)) == changes(given_records, 10, 10, 5)


@given(records)
@settings(max_examples=80, deadline=None)
def test_tumbling_without_grace(given_records: list[Record]) -> None:
    assert NO_GRACE.run(inputs_of(given_records)) == changes(given_records, 7, 7, 0)


@given(records)
@settings(max_examples=80, deadline=None)
def test_hopping(given_records: list[Record]) -> None:
    assert HOPPING.run(inputs_of(given_records)) == changes(given_records, 20, 6, 9)


@given(records)
@settings(max_examples=60, deadline=None)
def test_without_a_grace_period_nothing_of_a_day_is_late(given_records: list[Record]) -> None:
    assert UNLIMITED.run(inputs_of(given_records)) == changes(given_records, 20, 10, 86_400_000)


LATE = windowed("TUMBLING (SIZE 10 MILLISECONDS, GRACE PERIOD 5 MILLISECONDS)", windows="time")


@given(records)
@settings(max_examples=60, deadline=None)
def test_each_late_record_is_reported(given_records: list[Record]) -> None:
    out = LATE.run(inputs_of(given_records))
    late = [error for error in LATE.engine.errors if error.step == "LATE"]
    assert len(out) + len(late) == len(given_records)


HAVING = windowed("HOPPING (SIZE 20 MILLISECONDS, ADVANCE BY 6 MILLISECONDS, GRACE PERIOD 9 MILLISECONDS)",
                  "HAVING SUM(v) > 2", windows="time")  # fmt: skip


@given(records)
@settings(max_examples=80, deadline=None)
def test_having_hides_and_takes_back(given_records: list[Record]) -> None:
    """A change that meets HAVING goes out; the first that does not any more is a tombstone, further ones are silent."""
    expected = []
    shown = set()
    for change in changes(given_records, 20, 6, 9):
        place = (change.key, change.start)
        assert change.value is not None
        if change.value["TOTAL"] > 2:
            shown.add(place)
            expected.append(change)
        elif place in shown:
            shown.discard(place)
            expected.append(Output(change.key, None, change.ts, change.start))
    assert HAVING.run(inputs_of(given_records)) == expected


FINAL = windowed(
    "TUMBLING (SIZE 10 MILLISECONDS, GRACE PERIOD 5 MILLISECONDS)",
    emit="FINAL",
    windows="time",
    properties={"ksql.streams.__emit.interval.ms.kstreams.windowed.aggregation__": "0"},
)


def finals(given_records: list[Record], size: int, grace: int) -> list[Output]:
    """Each window's last result, once, when the clock passes its end plus grace: by start, then key. A window that
    closes while the newest one starts more than size plus grace behind it is lost, as with Kafka Streams."""
    accepted: Accepted = {}
    done = set()
    out = []
    newest = -1
    for index, (key, ts, value) in enumerate(given_records):
        clock = max(t for _, t, _ in given_records[: index + 1])
        start = ts - ts % size
        if start + size > clock - grace:
            accepted.setdefault((key, start), []).append((ts, value))
            newest = max(newest, start)
        closed = sorted({s for _, s in accepted if s + size <= clock - grace and s not in done})
        done.update(closed)
        for due in closed:
            if due >= newest - (size + grace):
                rows = {k: r for (k, s), r in accepted.items() if s == due}
                out += [Output(k, aggregated(rows[k]), max(t for t, _ in rows[k]), due) for k in sorted(rows)]
    return out


@given(records)
@settings(max_examples=80, deadline=None)
def test_emit_final(given_records: list[Record]) -> None:
    assert FINAL.run(inputs_of(given_records)) == finals(given_records, 10, 5)


GAP, SESSION_GRACE = 6, 8
SESSIONS = windowed(
    f"SESSION ({GAP} MILLISECONDS, RETENTION 1 DAY, GRACE PERIOD {SESSION_GRACE} MILLISECONDS)", windows="session"
)


def sessions(rows: list[tuple[int, int | None]]) -> list[list[tuple[int, int | None]]]:
    """Rows of one key cut wherever more than the gap lies between two."""
    found: list[list[tuple[int, int | None]]] = []
    for row in sorted(rows, key=lambda r: r[0]):
        if found and row[0] - found[-1][-1][0] <= GAP:
            found[-1].append(row)
        else:
            found.append([row])
    return found


@given(records)
@settings(max_examples=80, deadline=None)
def test_sessions(given_records: list[Record]) -> None:
    accepted: dict[str, list[tuple[int, int | None]]] = {}
    for index, (key, ts, value) in enumerate(given_records):
        clock = max(t for _, t, _ in given_records[: index + 1])
        with_it = [*accepted.get(key, []), (ts, value)]
        (own,) = [found for found in sessions(with_it) if (ts, value) in found]
        if own[-1][0] >= clock - SESSION_GRACE - GAP:
            accepted[key] = with_it
    left = table_of(SESSIONS.run(inputs_of(given_records)))
    expected = {
        (key, rows[0][0], rows[-1][0]): aggregated(rows) for key, found in accepted.items() for rows in sessions(found)
    }
    # In which order values were merged is the merger's own; the rest is not.
    for fields in (*left.values(), *expected.values()):
        fields["VALS"] = sorted(fields["VALS"], key=str)
        fields.pop("LAST")
    assert left == expected
