"""Panels close once, however many keys were on their way to them."""

from __future__ import annotations

from textual import events

from tests.tui.harness import running
from tui.screens.jump import JumpPanel


async def test_a_second_key_behind_a_choice_is_not_a_second_choice() -> None:
    async with running() as session:
        await session.press("s")
        panel = session.app.screen
        for _ in range(2):  # both were on their way to the panel
            panel.post_message(events.Key("v", "v"))
        await session.until(lambda: session.app.screen is not panel, "the menu to close")
        await session.worked_off()
        assert len(session.fakes.commands.asked) == 1


async def test_a_key_that_chooses_nothing_is_said_and_the_menu_stays() -> None:
    async with running() as session:
        await session.press("s")
        panel = session.app.screen
        await session.press("9")
        await session.shows("'9' is none of these, esc leaves")
        assert session.app.screen is panel
        await session.press("v")
        await session.until(lambda: session.app.screen is not panel, "the menu to close")


async def test_a_second_escape_behind_the_one_that_closed_the_jump_letters_does_nothing() -> None:
    async with running() as session:
        before = session.app.screen
        await session.press("apostrophe")
        panel = session.app.screen
        assert isinstance(panel, JumpPanel)
        for _ in range(2):
            panel.action_close()
        await session.until(lambda: session.app.screen is before, "the letters to go")
        await session.worked_off()
