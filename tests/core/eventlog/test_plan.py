"""The verdicts on a batch are a pure function of the streams' versions and the commands obeyed before."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.eventlog import Appended, Conflict, Duplicate, Item, Meta
from core.eventlog.append import encode_items, plan
from schema.events import CaseNoted

META = Meta(actor="test")


def note(text: str = "x") -> CaseNoted:
    return CaseNoted(case_id="c", operator="o", text=text)


def judge(items: list[Item], heads: dict[str, int], done: dict[UUID, tuple[int, int]] | None = None) -> list[object]:
    return list(plan(items, encode_items(items), heads, done or {}).at(100))


def test_a_later_item_sees_what_an_earlier_one_did() -> None:
    items = [Item("a", [note(), note()], META, 3), Item("a", [note()], META, 3), Item("a", [note()], META, 5)]
    assert judge(items, {"a": 3}) == [Appended(101, 102, 5), Conflict(5), Appended(103, 103, 6)]


def test_a_conflict_leaves_no_gap() -> None:
    items = [Item("a", [note()], META, 7), Item("b", [note()], META)]
    planned = plan(items, encode_items(items), {"a": 0, "b": 0}, {})
    assert planned.at(0) == [Conflict(0), Appended(1, 1, 1)]
    assert [row[:2] for row in planned.rows] == [("b", 1)]
    assert planned.versions == {"b": 1}


def test_a_command_obeyed_before_answers_with_its_positions_whatever_the_version() -> None:
    command = uuid4()
    items = [Item("a", [note()], META, 0, command)]
    assert judge(items, {"a": 9}, {command: (4, 5)}) == [Duplicate(4, 5)]


def test_a_command_repeated_in_a_batch_is_obeyed_once() -> None:
    command = uuid4()
    items = [
        Item("b", [note()], META),
        Item("a", [note()], META, None, command),
        Item("a", [note()], META, None, command),
    ]
    first, second, third = judge(items, {"a": 0, "b": 0})
    assert (first, second) == (Appended(101, 101, 1), Appended(102, 102, 1))
    assert isinstance(third, Duplicate)
    assert (third.first_pos, third.last_pos) == (102, 102)


def test_a_refused_command_may_be_tried_again_in_the_batch() -> None:
    command = uuid4()
    items = [Item("a", [note()], META, 5, command), Item("a", [note()], META, 0, command)]
    assert judge(items, {"a": 0}) == [Conflict(0), Appended(101, 101, 1)]


def test_an_append_without_events_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="no event"):
        judge([Item("a", [], META)], {"a": 0})


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 3), st.one_of(st.none(), st.integers(0, 6)))))
def test_versions_are_dense_and_rows_are_those_of_the_accepted(
    wishes: list[tuple[str, int, int | None]],
) -> None:
    items = [Item(stream, [note()] * count, META, expected) for stream, count, expected in wishes]
    planned = plan(items, encode_items(items), {"a": 2, "b": 0, "c": 1}, {})
    versions = {"a": 2, "b": 0, "c": 1}
    for stream, version, *_ in planned.rows:
        versions[stream] += 1
        assert version == versions[stream]
    accepted = [verdict for verdict in planned.verdicts if isinstance(verdict, Appended)]
    assert sum(verdict.last_pos - verdict.first_pos + 1 for verdict in accepted) == len(planned.rows)
    assert len(planned.verdicts) == len(items)
