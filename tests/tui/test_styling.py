"""Widgets are styled once when they are made, and anew only when something they are styled by has changed."""

from __future__ import annotations

import gc
from collections.abc import Iterable

import pytest
from textual.css.stylesheet import Stylesheet
from textual.dom import DOMNode

from tests.tui.fakes import alert
from tests.tui.harness import Session, running
from tui.widgets.chart import Chart


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The roots of every tree that is styled."""
    roots: list[str] = []
    update = Stylesheet.update_nodes

    def counted(self: Stylesheet, nodes: Iterable[DOMNode], animate: bool = False) -> None:
        of = list(nodes)
        roots.append(type(of[0]).__name__)
        update(self, of, animate)

    monkeypatch.setattr(Stylesheet, "update_nodes", counted)
    return roots


def _colour(session: Session) -> str:
    return session.app.screen.styles.background.hex


async def test_the_first_visit_to_a_screen_and_the_next_style_its_widgets_once(passes: list[str]) -> None:
    async with running() as session:
        passes.clear()
        await session.press("7")
        await session.shows("topics")
        await session.press("1", "7")
        assert "KafkaScreen" not in passes
        assert "OverviewScreen" not in passes


async def test_a_change_of_theme_reaches_screens_that_are_not_shown() -> None:
    async with running() as session:
        dark = _colour(session)
        await session.press("7")
        session.app.theme = "guard-light"
        await session.until(lambda: _colour(session) != dark, "the light theme")
        light = _colour(session)
        await session.press("1")
        await session.until(lambda: _colour(session) == light, "the light theme on the other screen")


async def test_a_change_of_size_reaches_screens_that_are_not_shown() -> None:
    async with running() as session:
        await session.press("7")
        await session.pilot.resize_terminal(30, 6)
        await session.press("1")
        await session.until(lambda: session.app.screen.has_class("-too-low"), "the class of the size")
        await session.shows("too small")
        await session.pilot.resize_terminal(120, 40)
        await session.until(lambda: session.app.screen.query_one(Chart).display, "the chart")


def test_rows_of_feeds_are_none_of_the_collectors_business() -> None:
    row = alert(1)
    assert not any(gc.is_tracked(part) for part in (row, *row.signals, *row.sources))
