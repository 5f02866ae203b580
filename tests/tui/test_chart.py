"""A chart loses no spike and no dip, and its bars stay in their places while time goes on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.widgets.chart import buckets, ceiling


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=400), st.integers(1, 120), st.integers(0, 10_000))
def test_buckets_fit_and_keep_the_extremes_of_what_they_cover(values: list[float], columns: int, phase: int) -> None:
    pairs = buckets(values, columns, phase)
    assert 0 < len(pairs) <= columns
    assert all(low <= high for low, high in pairs)
    length = max(1, len(values) // columns)
    covered = values[-((len(pairs) - 1) * length + phase % length + 1) :]
    assert max(high for _, high in pairs) == max(covered)
    assert min(low for low, _ in pairs) == min(covered)


def test_a_value_stays_in_its_bucket_as_time_goes_on() -> None:
    values = [float(n * n % 37) for n in range(400)]
    first = buckets(values[0:300], 50, phase=299)
    later = buckets(values[6:306], 50, phase=305)
    assert later[:-1] == first[1:]


def test_nothing_gives_no_bars() -> None:
    assert buckets([], 50) == []


def test_the_scale_is_round_and_above() -> None:
    assert [ceiling(value) for value in (0.4, 1, 7, 620, 801, 3_200)] == [1, 1, 8, 800, 1_000, 4_000]
