"""Numbers, money, times and ages as they read in Brazil; unknown is a dash."""

from __future__ import annotations

import pytest

from tui import format as show


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (1_234_567, "1.234.567"), (None, "-"), (-1_204, "-1.204")])
def test_number(value: int | None, text: str) -> None:
    assert show.number(value) == text


@pytest.mark.parametrize(("count", "text"), [(0, "0 restarts"), (1, "1 restart"), (1_200, "1.200 restarts")])
def test_counted(count: int, text: str) -> None:
    assert show.counted(count, "restart") == text


def test_number_with_decimals() -> None:
    assert show.number(1234.5, 2) == "1.234,50"


@pytest.mark.parametrize(
    ("centavos", "text"), [(0, "R$ 0,00"), (7, "R$ 0,07"), (123_456_789, "R$ 1.234.567,89"), (None, "-")]
)
def test_money(centavos: int | None, text: str) -> None:
    assert show.money(centavos) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0s"), (59.9, "59s"), (60, "1m"), (7199, "1h"), (200_000, "2d"), (None, "-")]
)
def test_age(seconds: float | None, text: str) -> None:
    assert show.age(seconds) == text


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(84, "84 ms"), (1_849, "1,8 s"), (130_000, "2 m 10 s"), (11_100_000, "3 h 5 m"), (None, "-")],
)
def test_duration(milliseconds: float | None, text: str) -> None:
    assert show.duration(milliseconds) == text


@pytest.mark.parametrize(
    ("value", "text"), [(950, "950"), (3_200, "3,2k"), (4_000, "4k"), (25_300, "25k"), (1_100_000, "1,1M")]
)
def test_compact(value: float, text: str) -> None:
    assert show.compact(value) == text


def test_stopwatch() -> None:
    assert show.stopwatch(41) == "00:41"
    assert show.stopwatch(3_723) == "1:02:03"


def test_a_time_of_another_day_carries_its_date() -> None:
    noon = 1_784_548_800_000
    assert show.day_clock(noon, noon) == "12:00:00"
    assert show.day_clock(noon - 86_400_000, noon) == "19/07 12:00"
    assert show.clock_ms(noon + 42) == "12:00:00,042"


def test_percent() -> None:
    assert show.percent(0.9914) == "99,1 %"
    assert show.percent(None) == "-"
