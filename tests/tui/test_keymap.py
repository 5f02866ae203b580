"""One registry: every action is unique, callable, shown in help, and a user's keymap is checked."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from textual.binding import Binding

from tests.tui.fakes import Fakes
from tests.tui.harness import Session, WatchedCenter, running
from tui import keymap
from tui.app import ControlCenter
from tui.screens.base import ControlScreen
from tui.screens.dialogs import column_words, help_lines
from tui.widgets.feed import Feed
from tui.widgets.lines import Lines

FORBIDDEN = ("ctrl+enter", "alt+", "super+", "f1", "f2", "f5", "f10")


def test_names_are_unique_and_scopes_are_known() -> None:
    assert max(Counter(action.name for action in keymap.ACTIONS).values()) == 1
    assert {action.scope for action in keymap.ACTIONS} == set(keymap.SCOPES)


def test_within_a_scope_no_key_means_two_things() -> None:
    for scope in keymap.SCOPES:
        keys = Counter(key for action in keymap.ACTIONS if action.scope == scope for key in action.keys)
        assert not [key for key, count in keys.items() if count > 1]


def test_no_key_needs_what_ssh_and_tmux_do_not_carry() -> None:
    for action in keymap.ACTIONS:
        assert not [key for key in action.keys if key.startswith(FORBIDDEN)]


def test_a_user_keymap_is_split_into_known_and_sentences() -> None:
    known, unknown = keymap.user_keymap({"app.help": "f1", "app.fly": "x"})
    assert known == {"app.help": "f1"}
    assert unknown == ["keymap: there is no action 'app.fly'"]


async def test_a_moved_key_works_and_is_shown() -> None:
    async with running() as session:
        session.app.set_keymap({"app.launch": "L"})
        await session.press("L")
        await session.shows("one key chooses")


async def test_unknown_actions_of_a_keymap_are_told_not_fatal() -> None:
    async with running() as session:
        app = ControlCenter(session.fakes.ports(), Path("/nonexistent"), keys={"app.fly": "x"})
        async with app.run_test():
            assert "app.fly" in app.notices.said[0][2]


def test_the_reference_lists_every_action() -> None:
    text = keymap.reference()
    assert all(f"`{action.name}`" in text for action in keymap.ACTIONS)


@pytest.mark.parametrize(
    ("keys", "first", "there"),
    [
        ([], "Feeds", ["the filter's text", "pause or follow", "clipboard"]),
        (["2", "enter"], "A case", ["confirm fraud", "refuse every payment"]),
        (["4"], "Scenarios", ["to launch together", "more normal traffic"]),
        (["7"], "Topics", ["partitions, offsets and settings"]),
        (["7", "enter"], "Messages of a topic", ["from an offset or a time", "send a message by hand"]),
        (["7", "tab", "tab"], "Dead letters", ["to its topic again", "close it for good"]),
        (["8", "tab"], "Projections", ["a replay of the log", "recompute every seal"]),
        (["9"], "Health", ["restart the worker process", "crash reports"]),
    ],
)
async def test_help_lists_what_works_here(keys: list[str], first: str, there: list[str]) -> None:
    async with running(size=(100, 60)) as session:
        await session.press(*keys, "question_mark")
        await session.shows(first)
        shown = session.text()
        assert [text for text in there if text not in shown] == []


def test_the_guide_has_the_reference_of_this_registry() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "control-center.md").read_text("utf-8")
    assert guide.endswith(keymap.reference().rstrip() + "\n"), "make screenshot writes it anew"


@pytest.mark.parametrize("screen", keymap.SCREENS)
async def test_help_lists_every_action_of_the_screen(screen: str) -> None:
    async with running(size=(120, 60)) as session:
        await session.press(str(keymap.NUMBERS[screen]))
        await session.until(lambda: session.app.current_mode == screen, "the screen")
        if screen == "ksqldb":
            await session.press("escape")  # out of the editor, which takes ? as text
        shown = session.app.screen
        bound = {binding.id for pane in shown.focus_chain for kind in type(pane).__mro__ for binding in _own(kind)}
        bound |= {binding.id for kind in type(shown).__mro__ for binding in _own(kind)}
        await session.press("question_mark")
        await session.shows("Everywhere")
        told = "\n".join("".join(part for part, _ in line) for line in session.app.screen.query_one(Lines).lines)
        missing = {name for name in bound if (action := keymap.find(name)) and action.help not in told}
        assert not missing


# fmt: off
SELF_EXPLAINING = {
    "", "time", "account", "amount", "channel", "to", "city", "payment", "payments", "last payment", "total",
    "scenario", "asked", "worker", "rule", "note", "topic", "partitions", "state", "members", "part", "offset",
    "key", "value", "id", "status", "from", "reason", "pid", "message", "level", "stream", "by", "payload",
    "projection", "party", "kind", "since", "until", "what", "detail", "name",
}
# fmt: on
"""Columns that need no word of help. The nameless one is the cursor's, a mark's or an error's."""


@pytest.mark.parametrize("screen", keymap.SCREENS)
async def test_help_says_what_the_columns_mean_and_has_room_for_it(screen: str) -> None:
    async with running() as session:
        await session.press(str(keymap.NUMBERS[screen]))
        await session.until(lambda: session.app.current_mode == screen, "the screen")
        below = session.app.screen
        assert isinstance(below, ControlScreen)
        columns = [column for feed in below.query(Feed) for column in feed.columns]
        assert {column.title for column in columns if not column.about} <= SELF_EXPLAINING
        words = [*below.guide, *column_words(below)]
        lines = ["".join(text for text, _ in line) for line in help_lines([], [], words)]
        assert [line for line in lines if len(line) > 79] == []


def _own(kind: type) -> list[Binding]:
    return [binding for binding in vars(kind).get("BINDINGS", ()) if isinstance(binding, Binding)]


async def test_help_shows_the_keys_of_the_user() -> None:
    fakes = Fakes()
    app = WatchedCenter(fakes.ports(), Path("/nonexistent"), keys={"letters.requeue": "z", "feed.open": "o"})
    async with app.run_test(size=(120, 60)) as pilot:
        session = Session(app, pilot, fakes)
        await session.shows("alerts following")
        await session.press("7", "question_mark")
        await session.shows("Everywhere")
        rows = ["".join(part for part, _ in line).split(maxsplit=1) for line in app.screen.query_one(Lines).lines]
        keys = {row[1].strip(): row[0] for row in rows if len(row) == 2}
        helps = {action.name: action.help for action in keymap.ACTIONS}
        assert keys[helps["feed.open"]] == "o"
        assert keys[helps["letters.requeue"]] == "z"
        await app.close_all()
