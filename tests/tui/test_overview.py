"""The overview's numbers: units, ages, what gives way on a narrow terminal; its feed while nobody looks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from textual.css.stylesheet import Stylesheet

import tui
from tests.tui.fakes import alert
from tests.tui.harness import running
from tui.ports import Second, ServiceState, Totals, WorkerState
from tui.screens.overview.health import health_lines, share_lines
from tui.screens.overview.screen import OverviewScreen
from tui.widgets.canvas import Line
from tui.widgets.feed import Feed

SECONDS: list[Second | None] = [Second(1, 10_000, 9_900, 90, 10, 3, 20.0, 84.0, 0), None]
TOTALS = Totals(4_821_000, 930_000, open_cases=7, dead_letters=2, log_head=12, closed_hour=12, analysts=2)


def _texts(lines: list[Line]) -> list[str]:
    return ["".join(part for part, _ in line) for line in lines]


def test_every_number_has_its_unit() -> None:
    assert _texts(share_lines(SECONDS, TOTALS, 120, shown_ms=(61.0, 84.0))) == [
        " flagged 1,00 %   review 0,90 %   block 0,10 %   to screen p50 61 ms  p99 84 ms   decided p99 84 ms",
        " stopped today R$ 48.210,00   at risk R$ 9.300,00   cases 7   dead letters 2   12/h by 2   35m left",
    ]


def test_what_finds_no_place_is_left_out_whole() -> None:
    assert _texts(share_lines(SECONDS, TOTALS, 80, shown_ms=(61.0, 84.0))) == [
        " flagged 1,00 %   review 0,90 %   block 0,10 %   to screen p50 61 ms  p99 84 ms",
        " stopped today R$ 48.210,00   at risk R$ 9.300,00   cases 7   dead letters 2",
    ]


def test_what_is_stale_is_dim_and_says_of_when_it_is() -> None:
    decided, money = share_lines(SECONDS, TOTALS, 120, stale_s=12.0, totals_stale_s=70.0)
    assert [line[1] for line in (decided, money)] == [("as of 12s ago", "warn"), ("as of 1m ago", "warn")]
    assert {style for line in (decided, money) for text, style in line if text != line[1][0]} == {"dim"}


def test_what_is_unknown_is_a_dash() -> None:
    assert _texts(share_lines([None], None, 120)) == [
        " flagged -   review -   block -   to screen p50 -  p99 -   decided p99 -",
        " stopped today -   at risk -   cases -",
    ]


def _worker(process: str, detail: str) -> WorkerState:
    return WorkerState(process, "consumer", "running", detail, 0, "box", 1, 1_000)


def test_a_detail_is_told_in_whole_facts_and_processes_by_number() -> None:
    services = [ServiceState("PostgreSQL", "up", "embedded", restarts=1)]
    workers = [_worker("box-1", "lag 0, records 76.900, duplicates 0"), _worker("box-2", "lag 4")]
    assert _texts(health_lines(services, workers, 1_000, 42, {"PostgreSQL": "log at 12"})) == [
        " PostgreSQL  up       1 restart, embedded",
        " consumer 1  running  lag 0, duplicates 0",
        " consumer 2  running  lag 4",
    ]
    assert _texts(health_lines([], workers[:1], 1_000, 47)) == [" consumer    running  lag 0, records 76.900"]


@pytest.mark.parametrize(
    "sheet", sorted(Path(tui.__file__).parent.glob("screens/*/*.tcss")), ids=lambda path: path.stem
)
def test_what_a_wide_terminal_gets_the_widest_gets_too(sheet: Path) -> None:
    """A width has one class alone, so that a rule for ``-wide`` says nothing of ``-full``."""
    text = sheet.read_text("utf-8")
    wide = set(re.findall(r"\.-wide (\S+?)[,\s{]", text))
    assert wide <= set(re.findall(r"\.-full (\S+?)[,\s{]", text))


async def test_opening_a_screen_parses_no_style_sheet_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running() as session:
        parsed: list[Stylesheet] = []
        monkeypatch.setattr(Stylesheet, "reparse", parsed.append)
        await session.press("7")
        await session.shows("881.204")
        assert not parsed


async def test_a_feed_that_is_not_shown_holds_what_the_others_hold() -> None:
    async with running() as session:
        hidden = session.app.screen
        assert isinstance(hidden, OverviewScreen)
        feed = hidden.query_one("#feed", Feed)
        before = feed.model.total
        await session.press("2")
        session.fakes.alerts.rows.append(alert(40))
        await session.until(lambda: feed.model.total == before + 1, "the new alert in the hidden feed")
