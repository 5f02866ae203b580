"""The follow feed of alerts, as the overview and the alerts screen show it."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from tui import keymap
from tui.live import Live
from tui.ports import Alert
from tui.screens.alerts import rows
from tui.screens.alerts.acting import choose_action
from tui.widgets.feed import Feed

HIDDEN_EVERY_S = 2.0


class AlertFeed(Feed[Alert]):
    """Draws from an inbox of its own. What waited there while the screen was hidden does not count as slow."""

    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings("inbox")]

    def __init__(self, id: str) -> None:
        super().__init__(
            "alerts",
            rows.COLUMNS,
            rows.cells,
            lambda alert: alert.alert_id,
            empty="no alerts yet: s launches a scenario",
            id=id,
        )
        self._center_live: Live | None = None
        self._was_hidden = True

    def attach(self, live: Live) -> None:
        self._center_live = live
        self._inbox = live.inbox()
        self.set_interval(HIDDEN_EVERY_S, self._take_in, name="hidden")

    def _take_in(self) -> None:
        """Hold what the other feeds hold, also while nobody looks: else each keeps old alerts of its own."""
        if not self.screen.is_current:
            self.add(self._inbox.take())

    def action_act(self) -> None:
        if (alert := self.selected) is not None:
            choose_action(self.app, alert, self.model.all_rows)

    def hidden(self) -> None:
        """The screen was not shown for a while."""
        self._was_hidden = True

    def drain(self) -> None:
        """Take in what is new and paint it."""
        if self._center_live is None:
            return
        fresh = self._inbox.take()
        if fresh:
            if not self._was_hidden:
                self._center_live.shown(fresh)
            self.add(fresh)
        self.redraw()
        self._was_hidden = False
