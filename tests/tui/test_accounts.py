"""The Accounts screen on accounts in memory: table, timeline, the account as it stood, lists."""

from __future__ import annotations

from pathlib import Path

from core.cases.timeline import Moment
from tests.tui.fakes_accounts import NOW_MS, moments, profile
from tests.tui.harness import Album, Session, running
from tui.screens.accounts.account import AccountScreen
from tui.screens.accounts.rows import slider_line, step
from tui.screens.eventlog.event import EventScreen


async def _open(session: Session) -> None:
    await session.press("5")
    await session.shows("acc-004411")
    await session.shows("17 confirmed frauds")


async def _open_account(session: Session) -> None:
    await _open(session)
    await session.press("enter")
    await session.shows("timeline following")
    await session.shows("alerts 3")


async def test_pictures(album: Album, tmp_path: Path) -> None:
    async with running(size=album.size, theme=album.theme, files=tmp_path) as session:
        await _open(session)
        if album.size != (80, 24):
            await session.shows("CREDIT m-12")  # the preview beside the table
        await album.take(session, "accounts")
        await session.press("enter")
        await session.shows("alerts 3")
        await album.take(session, "account")
        await session.press("left_square_bracket", "left_square_bracket")
        await session.until(lambda: session.fakes.accounts.asked[-1] == 2_040, "the account as it stood")
        await album.take(session, "account-then")


async def test_the_table_is_sorted_and_found_in() -> None:
    async with running() as session:
        await _open(session)
        await session.press("o", "o", "o")
        await session.shows("accounts by amount")
        await session.until(lambda: "acc-004411" in session.text().splitlines()[4], "the highest amount first")
        await session.press("a")
        await session.type("acc-004405")
        await session.press("enter")
        await session.shows("accounts beginning with acc-004405")
        await session.hides("acc-004411")
        await session.press("escape")
        await session.shows("acc-004411")


async def test_blocking_asks_for_a_reason_and_an_empty_one_is_no() -> None:
    async with running() as session:
        await _open(session)
        await session.press("B")
        await session.shows("every payment is refused")
        await session.press("enter")
        await session.shows("nothing done")
        await session.press("B")
        await session.type("takeover")
        await session.press("enter")
        await session.until(
            lambda: session.fakes.commands.asked == [("block", "account", "acc-004400", "takeover")], "the block"
        )


async def test_merchants_and_devices_are_listed_and_lifted() -> None:
    async with running() as session:
        await _open(session)
        await session.press("tab", "A")
        await session.shows("allow which?")
        await session.type("device d-7")
        await session.press("enter")
        await session.type("ours")
        await session.press("enter")
        await session.until(lambda: session.fakes.commands.asked == [("allow", "device", "d-7", "ours")], "allowed")
        await session.press("U")
        await session.shows("unblock merchant m-88")
        await session.type("cleared")
        await session.press("enter")
        await session.until(
            lambda: session.fakes.commands.asked[-1] == ("unblock", "merchant", "m-88", "cleared"), "lifted"
        )
        await session.press("B")
        await session.type("planet x")
        await session.press("enter")
        await session.shows("names no party")


async def test_the_cursor_is_the_slider_and_the_end_is_now() -> None:
    async with running(size=(120, 40)) as session:
        await _open_account(session)
        await session.shows("as it stood now")
        await session.press("g")
        await session.until(lambda: session.fakes.accounts.asked[-1] == 1_000, "the first event")
        await session.shows("alerts 0")
        await session.press("G")
        await session.shows("as it stood now")
        await session.shows("alerts 3")


async def test_a_time_moves_the_slider() -> None:
    async with running() as session:
        await _open_account(session)
        await session.press("t")
        await session.type("1.450")
        await session.press("enter")
        await session.until(lambda: session.fakes.accounts.asked[-1] == 1_440, "the event before that position")
        await session.press("t")
        await session.type("yesterday")
        await session.press("enter")
        await session.shows("is no time")


async def test_an_event_opens_in_the_log_and_back_leads_home() -> None:
    async with running() as session:
        session.fakes.accounts.events = moments("acc-004400", 1)
        session.fakes.accounts.events[0] = Moment(40, NOW_MS, NOW_MS, "payment", "here", "tx")
        await _open(session)
        await session.press("enter")
        await session.shows("1 payment,")
        await session.press("g", "enter")
        await session.until(lambda: isinstance(session.app.screen, EventScreen), "the event")
        await session.press("escape")
        await session.until(lambda: isinstance(session.app.screen, AccountScreen), "the account")
        await session.press("q")
        await session.shows("accounts by risk")


async def test_a_lost_database_is_said_and_old_rows_stay() -> None:
    async with running() as session:
        await _open(session)
        session.fakes.accounts.failure = "PostgreSQL: gone"
        await session.press("o")
        await session.shows("PostgreSQL: gone")
        await session.shows("acc-004411")


def test_the_slider_walks_through_all_of_it_and_ends_at_now() -> None:
    events = moments("a", 30)
    position = None
    seen = []
    while (position := step(events, position, -1)) != events[0].position:
        assert position is not None
        seen.append(position)
    assert len(seen) <= 25
    while position is not None:
        position = step(events, position, 1)
    assert step([], None, -1) is None


def test_the_bar_shows_where_it_stands() -> None:
    events = moments("a", 30)
    now = "".join(text for text, _ in slider_line(events, None, NOW_MS, 80))
    first = "".join(text for text, _ in slider_line(events, events[0].position, NOW_MS, 80))
    assert now.endswith("● now")
    assert first.index("●") < 20
    assert "▲" in now
    assert len(now) <= 80
    assert profile(1).blocked
