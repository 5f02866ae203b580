"""Following shows the newest; browsing stands still, counts what is new and never moves under the reader."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.widgets.feed_model import FeedModel


@dataclass(frozen=True)
class Row:
    key: int
    text: str = ""


def model(count: int = 0, *, live: bool = True, limit: int = 1_000) -> FeedModel[Row]:
    made: FeedModel[Row] = FeedModel(lambda row: row.key, lambda row: row.text, live=live, limit=limit)
    made.add(rows(0, count))
    return made


def rows(begin: int, end: int) -> list[Row]:
    return [Row(n, f"row {n} {'even' if n % 2 == 0 else 'odd'}") for n in range(begin, end)]


def keys(feed: FeedModel[Row], height: int = 4) -> list[int | None]:
    return [None if row is None else row.key for row in feed.window(height)[0]]


def test_following_shows_the_newest_at_the_bottom() -> None:
    feed = model(10)
    assert keys(feed) == [6, 7, 8, 9]
    feed.add(rows(10, 12))
    assert keys(feed) == [8, 9, 10, 11]
    assert feed.selected == rows(11, 12)[0]


def test_browsing_stands_still_and_counts() -> None:
    feed = model(10)
    feed.move(-1)
    before = keys(feed)
    feed.add(rows(10, 25))
    assert keys(feed) == before
    assert feed.new == 15
    assert feed.selected == rows(8, 9)[0]
    feed.follow()
    assert keys(feed) == [21, 22, 23, 24]
    assert feed.new == 0


def test_a_known_row_changes_in_its_place() -> None:
    feed = model(6)
    feed.move(-1)
    feed.add([Row(4, "changed")])
    assert feed.new == 0
    assert feed.selected == Row(4, "changed")


def test_a_filter_is_live() -> None:
    feed = model(10)
    feed.set_filter("EVEN")
    assert keys(feed) == [2, 4, 6, 8]
    feed.add(rows(10, 13))
    assert keys(feed) == [6, 8, 10, 12]
    assert (len(feed), feed.total) == (7, 13)
    feed.set_filter("")
    assert keys(feed) == [9, 10, 11, 12]


def test_browsing_a_filter_counts_only_matches() -> None:
    feed = model(10)
    feed.set_filter("odd")
    feed.move(-1)
    feed.add(rows(10, 14))
    assert feed.new == 2


def test_the_next_match_after_the_filter_was_cleared() -> None:
    feed = model(10)
    feed.set_filter("row 3")
    feed.set_filter("")
    feed.top()
    assert feed.find(1)
    assert feed.selected == rows(3, 4)[0]
    assert not feed.find(1)
    assert feed.selected == rows(3, 4)[0]


def test_no_more_than_a_sixteenth_is_held_beyond_the_limit() -> None:
    feed = model(limit=160)
    held = []
    for first in range(0, 1_000, 7):
        feed.add(rows(first, first + 7))
        held.append(feed.total)
    assert 160 < max(held) <= 170


def test_old_rows_fall_out_and_are_counted_but_stay_under_the_reader() -> None:
    feed = model(limit=100)
    feed.add(rows(0, 90))
    feed.top()
    feed.add(rows(90, 300))
    assert feed.total == 100
    assert feed.forgotten == 200
    assert keys(feed) == [0, 1, 2, 3], "the frozen list does not move"
    feed.follow()
    feed.top()
    assert keys(feed)[0] == 200


def test_a_plain_list_keeps_its_cursor_on_its_row() -> None:
    feed = model(live=False)
    feed.replace(rows(0, 5))
    feed.move(3)
    feed.replace([Row(99), *rows(2, 5)])
    assert feed.selected == rows(3, 4)[0]
    feed.replace([Row(99)])
    assert feed.selected == Row(99)
    feed.replace([])
    assert feed.selected is None


def test_a_cleared_feed_follows_again() -> None:
    feed = model(10)
    feed.move(-3)
    feed.clear()
    assert feed.following
    assert keys(feed) == []


@given(
    st.lists(st.sampled_from(["add", "up", "down", "top", "follow", "pause", "filter", "clear"]), max_size=40),
    st.integers(0, 7),
)
def test_the_cursor_is_always_inside_the_window(steps: list[str], height: int) -> None:
    feed = model(limit=20)
    made = 0
    for step in steps:
        match step:
            case "add":
                feed.add(rows(made, made + 7))
                made += 7
            case "up":
                feed.move(-2)
            case "down":
                feed.move(3)
            case "top":
                feed.top()
            case "follow":
                feed.follow()
            case "pause":
                feed.pause()
            case "filter":
                feed.set_filter("" if feed.filter else "even")
            case "clear":
                feed.clear()
        window, at = feed.window(height)
        assert len(window) <= height
        assert -1 <= at < max(1, len(window))
        if window:
            assert at >= 0


@pytest.mark.parametrize("direction", [1, -1])
def test_without_a_needle_nothing_is_found(direction: int) -> None:
    assert not model(5).find(direction)
