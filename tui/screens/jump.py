"""Jump: a letter on every pane (upper case) and on every row of the focused list (lower case); one key goes there."""

from __future__ import annotations

import string
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from tui.terminal.pacing import PacedScreen
from tui.widgets.feed import Feed

PANES = string.ascii_uppercase
ROWS = string.ascii_lowercase.replace("q", "") + string.digits


@dataclass(frozen=True, slots=True)
class Place:
    """A letter at a cell of the screen, and what its key does."""

    letter: str
    x: int
    y: int
    go: Callable[[], Any]


def places(below: Screen[Any]) -> list[Place]:
    """Panes in the order of the tab key, then the rows of the focused list from the top."""
    found = [
        Place(letter, widget.region.x, widget.region.y, partial(below.set_focus, widget))
        for letter, widget in zip(PANES, below.focus_chain, strict=False)
    ]
    focused = below.focused
    if isinstance(focused, Feed):
        rows = zip(ROWS, focused.drawn_rows(), strict=False)
        found += [
            Place(letter, focused.region.x, focused.region.y + y, partial(focused.go_to_drawn, index))
            for letter, (index, y) in rows
        ]
    return found


class JumpPanel(PacedScreen[None], ModalScreen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,backspace", "close", "close", show=False)]

    def __init__(self, below: Screen[Any]) -> None:
        super().__init__()
        self._places = places(below)

    def compose(self) -> ComposeResult:
        for place in self._places:
            label = Static(Text(place.letter), classes="jump")
            label.styles.offset = (place.x, place.y)
            yield label

    def on_key(self, event: events.Key) -> None:
        for place in self._places:
            if event.character == place.letter and self.is_current:  # not once more for a key behind it
                event.stop()
                self.dismiss(None)
                place.go()

    def action_close(self) -> None:
        if self.is_current:
            self.dismiss(None)
