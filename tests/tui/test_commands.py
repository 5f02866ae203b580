"""Commands, the palette, jump mode and what is kept from one session to the next."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from textual.screen import Screen
from textual.widgets import Input, TextArea

from tests.tui.fakes import Fakes
from tests.tui.fakes_accounts import profile
from tests.tui.harness import Session, WatchedCenter, running
from tui import commands, keymap
from tui.palette import Palette
from tui.screens.accounts.account import AccountScreen
from tui.screens.accounts.screen import Accounts
from tui.screens.eventlog.event import EventScreen
from tui.screens.jump import JumpPanel
from tui.screens.kafka.topic import TopicScreen
from tui.session import COMMANDS_KEPT
from tui.session import Session as Kept


async def _command(session: Session, line: str) -> None:
    if isinstance(session.app.focused, TextArea):
        await session.press("escape")  # there a colon is text
    await session.press("colon")
    await session.shows("tab completes")
    await session.type(line)
    await session.press("enter")


def _shows_mode(app: WatchedCenter, name: str) -> bool:
    return app.current_mode == name


def _shows_screen(app: WatchedCenter, kind: type[Screen[Any]]) -> bool:
    return isinstance(app.screen, kind)


async def test_every_command_does_what_it_says() -> None:
    async with running() as session:
        app = session.app
        for name in keymap.SCREENS:
            await _command(session, name)
            await session.until(partial(_shows_mode, app, name), name)
        await _command(session, "launch high_amount_burst")
        await session.until(lambda: session.fakes.commands.asked[-1][:2] == ("launch", "high_amount_burst"), "launch")
        await _command(session, "traffic 50")
        await session.until(lambda: session.fakes.commands.asked[-1] == ("traffic", 50), "traffic")
        await _command(session, "theme guard-light")
        await session.until(lambda: app.theme == "guard-light", "the theme")
        for line, screen in (
            ("account acc-004400", AccountScreen),
            ("topic transactions", TopicScreen),
            ("event 7", EventScreen),
        ):
            await _command(session, line)
            await session.until(partial(_shows_screen, app, screen), line)
            await session.press("escape")
        await _command(session, "quit")
        await session.until(lambda: app.return_code == 0, "the end")


async def test_what_is_wrong_with_a_command_is_said() -> None:
    async with running() as session:
        for line, answer in (
            ("traffic much", "is no number"),
            ("theme octarine", "there is no theme"),
            ("event x", "no position"),
        ):
            await _command(session, line)
            await session.shows(answer)


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("fly", "there is no command 'fly'"),
        ("fly\u1f980" * 60, "there is no command"),
        ("account", ":account ID"),
        ("alerts now", ":alerts takes nothing"),
    ],
)
async def test_a_wrong_answer_stays_to_be_mended(line: str, answer: str) -> None:
    async with running() as session:
        await _command(session, line)
        await session.shows(answer)
        field = session.app.screen.query_one(Input)
        assert field.value == line
        await session.press("ctrl+u")
        await session.type("health")
        await session.press("enter")
        await session.until(partial(_shows_mode, session.app, "health"), "the mended command runs")


async def test_tab_completes_and_up_brings_back() -> None:
    async with running() as session:
        await session.press("colon")
        await session.shows("tab completes")
        await session.type("la")
        await session.press("tab")
        await session.shows("launch high_")
        await session.type("v")
        await session.press("tab", "enter")
        await session.until(lambda: session.fakes.commands.asked[-1:] != [], "launch")
        assert session.fakes.commands.asked[0][1] == "high_velocity_burst"
        await session.press("colon")
        await session.shows("tab completes")
        await session.press("up")
        await session.shows("launch high_velocity_burst")
        await session.press("escape")
        await session.hides("tab completes")


async def test_the_palette_finds_actions_of_here_and_commands() -> None:
    async with running(size=(120, 40)) as session:
        await session.press("2")
        await session.shows("next case")
        await session.press("ctrl+p")
        await session.type("most urgent")
        await session.shows("Alerts: next case")
        await session.press("enter")
        await session.until(lambda: len(session.app.screen_stack) == 2, "the case")
        await session.press("escape", "ctrl+p")
        await session.type("theme guard-l")
        await session.shows(": theme guard-light")
        await session.press("enter")
        await session.until(lambda: session.app.theme == "guard-light", "the theme")


async def test_the_palette_lists_every_action_that_help_lists() -> None:
    async with running() as session:
        palette = Palette(session.app.screen)
        found = [hit.text async for hit in palette.discover()]
        shown = {active.binding.id for active in session.app.screen.active_bindings.values()}
        wanted = {a for a in keymap.ACTIONS if a.name in shown and a.id != "palette"}
        assert {f"{keymap.SCOPES[a.scope]}: {a.label}" for a in wanted} <= set(found)
        assert ": launch high_amount_burst" in found
        assert len(commands.lines(session.app)) <= len(found)


async def test_a_letter_jumps_to_a_pane_or_a_row() -> None:
    async with running() as session:
        await session.press("5")
        await session.shows("17 confirmed frauds")
        await session.press("apostrophe")
        await session.until(lambda: isinstance(session.app.screen, JumpPanel), "the letters")
        await session.shows("dacc-004403")
        await session.press("d")
        await session.until(lambda: not isinstance(session.app.screen, JumpPanel), "the table")
        accounts = session.app.screen.query_one("#accounts", Accounts)
        await session.until(lambda: accounts.selected == profile(3), "the row")
        await session.press("J", "B")
        await session.until(lambda: getattr(session.app.focused, "id", "") == "lists", "the pane")
        await session.press("J", "escape")
        await session.until(lambda: not isinstance(session.app.screen, JumpPanel), "nothing")


async def test_what_was_left_is_found_again(tmp_path: Path) -> None:
    path = tmp_path / "session" / "local.json"
    first = WatchedCenter(Fakes().ports(), tmp_path, session=Kept.load(path))
    async with first.run_test() as pilot:
        session = Session(first, pilot, Fakes())
        await session.shows("alerts following")
        await session.press("4")
        await session.press("slash")
        await session.type("velocity")
        await session.press("enter")
        await session.shows("/velocity 1 of 2")
        await _command(session, "theme guard-light")
        await session.until(lambda: first.theme == "guard-light", "the theme")
        await first.close_all()
    kept = Kept.load(path)
    assert (kept.screen, kept.theme, kept.commands) == ("scenarios", "guard-light", ["theme guard-light"])
    again = WatchedCenter(Fakes().ports(), tmp_path, theme_name=kept.theme, session=kept)
    async with again.run_test() as pilot:
        session = Session(again, pilot, Fakes())
        await session.shows("/velocity 1 of 2")
        assert again.current_mode == "scenarios"
        await session.press("escape")
        await session.hides("/velocity")
        await again.close_all()
    assert Kept.load(path).filters == {}


@pytest.mark.parametrize("text", ["", "{", '{"screen": 3}', "[]"])
def test_a_session_that_cannot_be_read_is_a_new_one(tmp_path: Path, text: str) -> None:
    path = tmp_path / "s.json"
    path.write_text(text)
    assert Kept.load(path) == Kept(path=path)


def test_a_session_that_cannot_be_written_is_no_reason_to_fail() -> None:
    Kept(path=Path("/proc/none/s.json")).save()


def test_commands_are_kept_once_and_not_for_ever(tmp_path: Path) -> None:
    kept = Kept(path=tmp_path / "s.json")
    for number in range(COMMANDS_KEPT + 10):
        kept.typed(f"traffic {number}")
    kept.typed("traffic 100")
    kept.save()
    again = Kept.load(tmp_path / "s.json")
    assert len(again.commands) == COMMANDS_KEPT
    assert again.commands[-1] == "traffic 100"
    assert again.commands.count("traffic 100") == 1


async def test_the_actions_of_the_selected_thing_stand_in_a_menu() -> None:
    async with running() as session:
        await session.press("5")
        await session.shows("acc-004411")
        await session.press("x")
        await session.shows("refuse every payment of the account")
        assert "half a page" not in session.text()
        await session.press("B")
        await session.shows("block account acc-004400")
        await session.press("escape", "8", "enter")
        await session.shows("chain of")
        await session.press("x")
        await session.shows("nothing to do here but to look")
