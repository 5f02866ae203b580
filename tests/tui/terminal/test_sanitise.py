"""No character of foreign text acts on a terminal, and every cell is counted."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui.terminal.sanitise import clean, fit, visible, wrap

HOSTILE = (
    "\x1b]52;c;aGFjaw==\x07",
    "\x1b[2J\x1b[1;1H",
    "\x9b31m",
    "a\rb\nc\td\x00e\x7f",
    "\u202egnp.exe\u202c",
    "👩\u200d👩\u200d👧\ufe0f",
    "漢字かな交じり文",
    "[/bold][@click=app.quit]x[/]",
    "e\u0301\u0301\u0301",
    "\ud800",
)


def _acts(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_of_hostile_text_acts(text: str) -> None:
    assert not any(map(_acts, clean(text)))
    assert not any(map(_acts, visible(text)))


@given(st.text(max_size=200))
def test_nothing_of_any_text_acts(text: str) -> None:
    assert not any(map(_acts, clean(text)))


@given(st.text(max_size=80))
def test_visible_keeps_positions(text: str) -> None:
    assert len(visible(text)) == len(text)


@given(st.text(max_size=120), st.integers(0, 60), st.sampled_from(["left", "right", "middle"]))
def test_fit_fills_exactly_its_cells(text: str, width: int, align: str) -> None:
    assert cell_len(fit(text, width, align)) == width


def test_fit_says_that_text_was_cut() -> None:
    assert fit("velocity", 5) == "velo…"
    assert fit("ok", 5, "right") == "   ok"
    assert fit("query_CTAS_VELOCITY_7", 11, "middle") == "query…ITY_7"


def test_escape_shows_as_a_symbol() -> None:
    assert clean("a\x1b[2J") == "a␛[2J"


def test_a_megabyte_is_cut() -> None:
    assert len(clean("x" * 1_000_000, 100)) == 100
    assert cell_len(fit("漢" * 1_000_000, 10)) == 10


@given(st.text(max_size=300), st.integers(4, 40))
def test_wrapped_lines_fit(text: str, width: int) -> None:
    assert all(cell_len(line) <= width for line in wrap(text, width))


def test_wrap_breaks_at_spaces() -> None:
    assert wrap("line 1:8: no viable input", 12) == ["line 1:8: no", "viable input"]
