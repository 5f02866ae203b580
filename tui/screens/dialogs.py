"""Panels over a screen: menus, help and the message history. Escape, ``q`` and backspace close each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, cast

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen, Screen

from tui import format as show
from tui import keymap
from tui.screens.base import ControlScreen
from tui.terminal.pacing import PacedScreen
from tui.widgets.canvas import COMPONENTS, Cell, Line
from tui.widgets.feed import Feed
from tui.widgets.keybar import active_actions, resting_actions
from tui.widgets.lines import Lines

if TYPE_CHECKING:
    from tui.app import ControlCenter

_CLOSE: list[BindingType] = [Binding("escape,q,backspace", "close", "close", show=False)]


class Panel(PacedScreen[str | None], ModalScreen[str | None]):
    """Lines at the bottom of the screen; ends without a result when closed."""

    BINDINGS: ClassVar[list[BindingType]] = _CLOSE
    COMPONENT_CLASSES: ClassVar[set[str]] = COMPONENTS
    AUTO_FOCUS = "#panel"

    def lines(self) -> Sequence[Line]:
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        pane = Lines(focusable=True, id="panel")
        pane.styles.height = "auto"
        yield pane

    def on_mount(self) -> None:
        lines = self.lines()
        pane = self.query_one("#panel", Lines)
        pane.styles.height = min(len(lines) + 1, max(4, self.app.size.height * 4 // 5))
        pane.show(lines)

    def end(self, result: str | None) -> None:
        """Close with this result, once: a key that was on its way already finds the panel gone."""
        if self.is_current:
            self.dismiss(result)

    def action_close(self) -> None:
        self.end(None)

    def on_feed_copy_wanted(self, event: Feed.CopyWanted) -> None:
        event.stop()
        cast("ControlCenter", self.app).copy_or_save(event.text, event.file_name)


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of a menu: its key, what choosing it gives back, and what it does."""

    key: str
    result: str
    text: str


class MenuPanel(Panel):
    """One key chooses."""

    def __init__(self, title: str, choices: Sequence[Choice]) -> None:
        super().__init__()
        self._title = title
        self._choices = choices
        self._stray = ""

    def lines(self) -> Sequence[Line]:
        width = max((cell_len(choice.result) for choice in self._choices), default=0)
        said = (f"  {self._stray!r} is none of these", "warn") if self._stray else ("  one key chooses", "dim")
        head: Line = [(f" {self._title}", "title"), said, (", esc leaves", "dim")]
        return [
            head,
            *(
                [(f"   {choice.key} ", "key"), (f" {choice.result:<{width}}  ", "text"), (choice.text, "dim")]
                for choice in self._choices
            ),
        ]

    def on_key(self, event: events.Key) -> None:
        for choice in self._choices:
            if event.character == choice.key:
                event.stop()
                self.end(choice.result)
                return
        if event.is_printable and event.character and event.key not in self.active_bindings:
            event.stop()
            self._stray = event.character
            self.query_one("#panel", Lines).show(self.lines())


class TextPanel(Panel):
    """Lines to read."""

    def __init__(self, lines: Sequence[Line]) -> None:
        super().__init__()
        self._shown = lines

    def lines(self) -> Sequence[Line]:
        return self._shown


class HelpPanel(Panel):
    """Every key of the screen below, from the action registry: what works now, then what other panes add.

    Then what the screen's words mean: those of its ``guide``, and its columns.
    """

    def __init__(self, below: Screen[Any], user_keys: Mapping[str, str]) -> None:
        super().__init__()
        self._active = active_actions(below)
        self._resting = resting_actions(below, user_keys)
        guide = below.guide if isinstance(below, ControlScreen) else ()
        self._guide = [*guide, *column_words(below)]
        screen = keymap.find(f"app.{below.title_name}") if isinstance(below, ControlScreen) else None
        self._about = "" if screen is None else screen.help

    def lines(self) -> Sequence[Line]:
        head: list[Line] = [
            [(f" {self._about}", "strong")],
            [("   keys of here, What it shows, keys Everywhere: j and k scroll, esc leaves", "dim")],
        ]
        return [*head, *help_lines(self._active, self._resting, self._guide)]


Guide = Sequence[tuple[str, str]]
Keyed = tuple[keymap.Action, list[str]]


def column_words(below: Screen[Any]) -> list[tuple[str, str]]:
    """What the columns of a screen's lists mean, each once."""
    columns = [column for feed in below.query(Feed) for column in feed.columns if column.about]
    return list({(column.title or "mark", column.about): None for column in columns})


def help_lines(active: Iterable[Keyed], resting: Iterable[Keyed], guide: Guide) -> list[Line]:
    """Help by scope: what is closest to the focus, other panes, what the words mean, what works in every list."""
    here, there = _by_scope(active), _by_scope(resting)
    common = [(scope, here.pop(scope), "") for scope in (*keymap.COMMON[1:], "app") if scope in here]
    groups = [(scope, rows, "") for scope, rows in here.items()]
    groups += [(scope, rows, "  tab goes to that pane") for scope, rows in there.items()]
    lines = [line for group in groups for line in _keys(*group)]
    if guide:
        lines.append([(" What it shows", "title")])
        lines += [[(f"   {word:<18} ", "accent"), (about, "text")] for word, about in guide]
    return lines + [line for group in common for line in _keys(*group)]


def _keys(scope: str, rows: Iterable[Keyed], note: str) -> list[Line]:
    return [
        [(f" {keymap.SCOPES[scope]}", "title"), (note, "dim")],
        *([(f"   {' '.join(keys):<18} ", "key"), (action.help, "text")] for action, keys in rows),
    ]


def _by_scope(actions: Iterable[Keyed]) -> dict[str, list[Keyed]]:
    found: dict[str, list[Keyed]] = {}
    for action, keys in actions:
        found.setdefault(action.scope, []).append((action, keys))
    return found


class MessagesPanel(Panel):
    """What the control center said, newest first."""

    def __init__(self, messages: Sequence[tuple[float, str, str]]) -> None:
        super().__init__()
        self._messages = list(messages)

    def lines(self) -> Sequence[Line]:
        head: list[Cell] = [(" messages", "title"), (f"  {len(self._messages)}, newest first", "dim")]
        said: list[Line] = [
            [(f" {show.clock(int(at * 1000))}  ", "dim"), (text, style)] for at, style, text in reversed(self._messages)
        ]
        return [head, *(said or [[("   nothing was said yet", "dim")]])]
