"""What the lists of a screen stood at: filter, following or browsing, cursor and window, and which had the keys.

It is taken from the operator's screen and put on the replay's. State, not keys: any moment can be shown at once, in
either direction, and a list whose rows come a moment later is put right when they are there.
"""

from __future__ import annotations

from typing import Any

import msgspec
from textual.screen import Screen

from core.redact import without_secrets
from tui.widgets.feed import Feed
from tui.widgets.feed_model import Stand


class Pane(msgspec.Struct, frozen=True, array_like=True):
    """One list; ``stand`` is None while it follows."""

    filter: str
    stand: Stand | None


class View(msgspec.Struct, frozen=True, array_like=True):
    """The lists of a screen in their order, and the index of the one with the keys (-1: none)."""

    focus: int
    panes: tuple[Pane, ...]


def seen(screen: Screen[Any]) -> View:
    """What the screen's lists stand at."""
    feeds = list(screen.query(Feed))
    focus = next((index for index, feed in enumerate(feeds) if feed.has_focus), -1)
    return View(focus, tuple(Pane(without_secrets(feed.model.filter), feed.model.stand()) for feed in feeds))


def _same(one: Pane, other: Pane) -> bool:
    """Whether they stand at the same rows; on a terminal of another size the window is another."""
    stands = [None if pane.stand is None else pane.stand[:2] for pane in (one, other)]
    return one.filter == other.filter and stands[0] == stands[1]


def show(screen: Screen[Any], view: View) -> None:
    """Have the screen's lists stand so, as far as their rows are there."""
    feeds = list(screen.query(Feed))
    for feed, pane, now in zip(feeds, view.panes, seen(screen).panes, strict=False):
        if _same(now, pane):
            continue
        if now.filter != pane.filter:
            feed.set_filter(pane.filter)
        if pane.stand is None:
            feed.model.follow()
        else:
            feed.model.take(pane.stand)
        feed.moved()
    if 0 <= view.focus < len(feeds) and not feeds[view.focus].has_focus:
        feeds[view.focus].focus()
