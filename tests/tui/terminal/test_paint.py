"""What the painter writes makes a terminal show each frame, and writes no more than that."""

from __future__ import annotations

import re

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.terminal.paint import PLAIN, Painter, change, look_of

COLUMNS, ROWS = 20, 3
TRUE = ColorSystem.TRUECOLOR
STYLES = (
    Style.parse("#d3dae3 on #0c1116"),
    Style.parse("bold #f0716b on #0c1116"),
    Style.parse("#d3dae3 on #20303f"),
    Style.parse("underline #6bc46d on #0c1116"),
    Style.parse("reverse #6bc46d on #0c1116"),
)
Runs = list[tuple[str, int]]

lines = st.lists(st.tuples(st.text("ab |█漢字", min_size=1, max_size=8), st.integers(0, len(STYLES) - 1)), max_size=6)
frames = st.lists(st.dictionaries(st.integers(0, ROWS - 1), lines, min_size=1), min_size=1, max_size=6)


def _strip(runs: Runs) -> Strip:
    return Strip([Segment(text, STYLES[style]) for text, style in runs]).adjust_cell_length(COLUMNS, STYLES[0])


def _screen() -> tuple[pyte.Screen, pyte.Stream]:
    screen = pyte.Screen(COLUMNS, ROWS)
    return screen, pyte.Stream(screen)


def _seen(screen: pyte.Screen) -> list[list[tuple[object, ...]]]:
    """What an eye tells apart: on a blank only the background, unless something is drawn on it."""
    rows = []
    for y in range(ROWS):
        cells = (screen.buffer[y][x] for x in range(COLUMNS))
        rows.append(
            [
                (" ", char.bg) if char.data == " " and not (char.underscore or char.reverse) else tuple(char)
                for char in cells
            ]
        )
    return rows


@settings(deadline=None, max_examples=300)
@given(frames)
def test_a_frame_on_top_of_the_last_shows_the_same_as_one_on_an_empty_terminal(drawn: list[dict[int, Runs]]) -> None:
    changed, onto = _screen()
    painter = Painter()
    now: dict[int, Runs] = {}
    for frame in drawn:
        now |= frame
        onto.feed(painter.paint([(y, 0, _strip(runs)) for y, runs in frame.items()], TRUE))
        whole, anew = _screen()
        anew.feed(Painter().paint([(y, 0, _strip(runs)) for y, runs in now.items()], TRUE))
        assert _seen(changed) == _seen(whole)


def test_what_is_shown_already_costs_nothing_until_it_is_forgotten() -> None:
    painter, row = Painter(), [(0, 0, _strip([("payments", 0)]))]
    first = painter.paint(row, TRUE)
    assert "payments" in first
    assert painter.paint(row, TRUE) == ""
    painter.forget()
    assert painter.paint(row, TRUE) == first


def test_only_the_cells_that_changed_are_written() -> None:
    painter = Painter()
    painter.paint([(1, 0, _strip([("lag 100 of 9", 0)]))], TRUE)
    written = painter.paint([(1, 0, _strip([("lag 101 of 9", 0)]))], TRUE)
    assert re.sub(r"\x1b\[[\d;]*m", "", written) == "\x1b[2;7H1"


def test_half_a_wide_character_is_never_written() -> None:
    painter = Painter()
    painter.paint([(0, 0, _strip([("漢字", 0)]))], TRUE)
    written = painter.paint([(0, 0, _strip([("a漢", 0)]))], TRUE)
    assert written.startswith("\x1b[1;1H")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("red on blue", "red on blue", ""),
        ("red on blue", "green on blue", "\x1b[32m"),
        ("bold red", "red", "\x1b[0;31m"),
        ("red", "bold red", "\x1b[1m"),
        ("red on blue", "red", "\x1b[49m"),
        ("red", "none", "\x1b[39m"),
    ],
)
def test_only_what_differs_between_two_looks_is_said(before: str, after: str, expected: str) -> None:
    system = ColorSystem.STANDARD
    assert change(look_of(Style.parse(before), system), look_of(Style.parse(after), system)) == expected


def test_without_colours_there_are_no_codes() -> None:
    assert look_of(STYLES[1], None) is not None
    assert change(PLAIN, look_of(STYLES[1], None)) == ""
