"""The queue of cases that nobody has decided, the most urgent first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widget import Widget

from tui import keymap
from tui.ports import Alert
from tui.screens.alerts import queue, rows, story
from tui.screens.alerts.acting import choose_action
from tui.screens.alerts.detail import AlertScreen
from tui.screens.base import ControlScreen
from tui.widgets.canvas import Cell
from tui.widgets.feed import Feed
from tui.widgets.lines import Lines


class Queue(Feed[Alert]):
    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings("inbox")]

    def action_act(self) -> None:
        if (alert := self.selected) is not None and isinstance(self.screen, QueueScreen):
            choose_action(self.app, alert, self.screen.alerts)


class QueueScreen(ControlScreen):
    """``alerts`` gives all that are known."""

    AUTO_FOCUS = "#queue"
    title_name = "alerts"

    def __init__(self, alerts: Callable[[], Sequence[Alert]]) -> None:
        super().__init__()
        self.alerts = alerts
        self._queue = Queue(
            "case queue",
            queue.COLUMNS,
            self._cells,
            lambda alert: alert.alert_id,
            live=False,
            empty="every case is decided",
            id="queue",
        )

    @property
    def address(self) -> str:
        return "queue"

    def body(self) -> Iterator[Widget]:
        with Horizontal(id="split"):
            yield self._queue
            yield Lines(id="preview")

    @property
    def _now_ms(self) -> int:
        return int(self.live.ports.now() * 1000)

    def _cells(self, alert: Alert) -> Sequence[Cell]:
        return queue.left(alert, self.live.case_limit_ms, self._now_ms), *rows.cells(alert)

    def drain(self) -> None:
        waiting = queue.queue(self.alerts())
        self._queue.title_text = f"case queue, {len(waiting)} undecided, the most urgent first"
        self._queue.replace(waiting)
        self._preview()

    def _preview(self) -> None:
        pane, alert = self.query_one("#preview", Lines), self._queue.selected
        if pane.display:
            known = story.Known(limit_ms=self.live.case_limit_ms)
            pane.show([] if alert is None else story.lines(alert, known, self._now_ms, pane.size.width))

    def on_feed_moved(self) -> None:
        self._preview()

    def on_feed_opened(self, event: Feed.Opened) -> None:
        event.stop()
        self.app.push_screen(AlertScreen(event.row, self.alerts))
