"""The canonical text gives back every event, whatever its stream and payload hold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.eventlog import EventLog, Meta
from core.eventlog.canonical import EVENT, FIELD, parse
from core.eventlog.record import Recorded
from schema.events import CaseNoted

_NAME = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8)
_RECORDED = st.builds(
    lambda pos, stream, version, text, at_us: Recorded.of(
        pos,
        stream,
        version,
        CaseNoted(case_id="c", operator="o", text=text),
        datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at_us),
        Meta(actor=text),
    ),
    st.integers(1, 2**62),
    _NAME | st.just(f"a{FIELD}b{EVENT}c"),
    st.integers(1, 2**31 - 1),
    _NAME,
    st.integers(0, 4 * 10**15),
)


def line(recorded: Recorded) -> str:
    fields = (
        recorded.pos,
        len(recorded.stream.encode()),
        recorded.stream,
        recorded.version,
        len(recorded.type.encode()),
        recorded.type,
        recorded.schema_version,
        recorded.at_us,
        recorded.data,
        recorded.metadata,
    )
    return FIELD.join(map(str, fields))


@settings(max_examples=200, deadline=None)
@given(st.lists(_RECORDED, max_size=5))
def test_parsing_gives_back_what_was_written(events: list[Recorded]) -> None:
    assert parse(EVENT.join(map(line, events)), len(events)) == events


def test_a_text_of_another_number_of_events_is_refused() -> None:
    one = Recorded.of(
        1, f"a{FIELD}", 1, CaseNoted(case_id="c", operator="o", text=""), datetime.now(UTC), Meta(actor="a")
    )
    with pytest.raises(ValueError, match="more than the 1 events"):
        parse(EVENT.join([line(one), line(one)]), 1)


async def test_the_database_writes_what_is_parsed(log: EventLog, pool: Any) -> None:
    strange = f"s{FIELD}t{EVENT}é\n"
    for stream in ("case-1", strange, "case-1"):
        await log.append(stream, [CaseNoted(case_id="c", operator="o", text=strange)], meta=Meta(actor="ana"))
    found = await log.read(1)
    rows = await pool.fetch("select pos, stream, version, type, schema_ver, at, data, meta from log.event order by pos")
    assert [(r.pos, r.stream, r.version, r.type, r.schema_version, r.at, r.data, r.metadata) for r in found] == [
        tuple(row) for row in rows
    ]
    assert await pool.fetchval("select log.canonical(1, 9)") == EVENT.join(map(line, found))
    assert [r.version for r in await log.read_stream("case-1")] == [1, 2]
