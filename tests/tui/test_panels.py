"""Panels close once, however many keys were on their way to them."""

from __future__ import annotations

from textual import events

from tests.tui.harness import running


async def test_a_second_key_behind_a_choice_is_not_a_second_choice() -> None:
    async with running() as session:
        await session.press("s")
        panel = session.app.screen
        for _ in range(2):  # both were on their way to the panel
            panel.post_message(events.Key("v", "v"))
        await session.until(lambda: session.app.screen is not panel, "the menu to close")
        await session.worked_off()
        assert len(session.fakes.commands.asked) == 1
