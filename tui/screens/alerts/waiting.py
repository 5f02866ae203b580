"""The queue of cases that nobody has decided, the most urgent first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget

from tui import keymap
from tui.ports import Alert
from tui.screens.alerts import queue, rows
from tui.screens.alerts.acting import choose_action
from tui.screens.alerts.detail import AlertScreen
from tui.screens.base import ControlScreen
from tui.widgets.canvas import Cell
from tui.widgets.feed import Feed


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
        yield self._queue

    def _cells(self, alert: Alert) -> Sequence[Cell]:
        now_ms = int(self.live.ports.now() * 1000)
        return queue.left(alert, self.live.case_limit_ms, now_ms), *rows.cells(alert)

    def drain(self) -> None:
        waiting = queue.queue(self.alerts())
        self._queue.title_text = f"case queue, {len(waiting)} undecided, the most urgent first"
        self._queue.replace(waiting)

    def on_feed_opened(self, event: Feed.Opened) -> None:
        event.stop()
        self.app.push_screen(AlertScreen(event.row, self.alerts))
