"""Columns use exactly the width there is; the least important give way."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.screens.alerts.rows import COLUMNS
from tui.widgets.columns import GAP, Column, lay_out


def _used(widths: list[int]) -> int:
    shown = [width for width in widths if width]
    return sum(shown) + GAP * (len(shown) - 1)


@given(st.integers(1, 400))
def test_alert_columns_never_exceed_the_width(width: int) -> None:
    assert _used(lay_out(COLUMNS, width)) <= width


def test_every_alert_column_that_matters_fits_80() -> None:
    widths = dict(zip((column.title for column in COLUMNS), lay_out(COLUMNS, 78), strict=True))
    assert all(widths[name] for name in ("time", "rule", "account", "what", "amount", "result", "risk", "took"))


def test_the_lowest_rank_gives_way_first() -> None:
    columns = (Column("a", 5, rank=1), Column("b", 5, rank=0), Column("c", 5))
    assert lay_out(columns, 11) == [5, 0, 5]


def test_growing_columns_share_what_is_left() -> None:
    columns = (Column("a", 5, grow=1, limit=7), Column("b", 5, grow=1, limit=100), Column("c", 5))
    assert lay_out(columns, 30) == [7, 16, 5]
