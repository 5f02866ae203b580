"""Alerts: the list, with a preview beside it where there is room."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widget import Widget

from tui import keymap
from tui.screens.alerts import queue, story
from tui.screens.alerts.detail import AlertScreen
from tui.screens.alerts.feed import AlertFeed
from tui.screens.alerts.waiting import QueueScreen
from tui.screens.base import ControlScreen
from tui.widgets.feed import Feed
from tui.widgets.lines import Lines


class AlertsScreen(ControlScreen):
    AUTO_FOCUS = "#alerts"
    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings("alerts")]
    title_name = "alerts"

    def __init__(self) -> None:
        super().__init__()
        self._feed = AlertFeed("alerts")

    def body(self) -> Iterator[Widget]:
        with Horizontal(id="split"):
            yield self._feed
            yield Lines(id="preview")

    def on_mount(self) -> None:
        self._feed.attach(self.live)

    def drain(self) -> None:
        self._feed.drain()
        self._preview()

    def on_screen_resume(self) -> None:
        self._feed.hidden()

    def _preview(self) -> None:
        pane = self.query_one("#preview", Lines)
        alert = self._feed.selected
        if pane.display:
            now_ms = int(self.live.ports.now() * 1000)
            known = story.Known(limit_ms=self.live.case_limit_ms)
            pane.show([] if alert is None else story.lines(alert, known, now_ms, pane.size.width))

    def on_feed_moved(self) -> None:
        self._preview()

    def on_feed_opened(self, event: Feed.Opened) -> None:
        self.app.push_screen(AlertScreen(event.row, self._feed.model.all_rows))

    def action_open_undecided(self) -> None:
        """The most urgent case of the queue."""
        waiting = queue.queue(self._feed.model.all_rows())
        if waiting:
            self.app.push_screen(AlertScreen(waiting[0], self._feed.model.all_rows))
        else:
            self.say("no open case")

    def action_queue(self) -> None:
        self.app.push_screen(QueueScreen(self._feed.model.all_rows))
