"""What can be done with the selected alert of a list: its story is opened, and there the action begins."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.app import App

from tui import keymap
from tui.ports import Alert
from tui.screens.alerts.detail import AlertScreen
from tui.screens.dialogs import Choice, MenuPanel

_OFFERED = ("claim", "confirm", "dismiss", "escalate", "reopen", "note", "snooze", "block")


def choose_action(app: App[object], alert: Alert, alerts: Callable[[], Sequence[Alert]]) -> None:
    """A menu of case actions by the keys that they have in the story."""
    actions = {action.id: action for action in keymap.ACTIONS if action.scope == "case" and action.id in _OFFERED}
    choices = [Choice(keymap.shown(actions[name].keys[0]), name, actions[name].help) for name in _OFFERED]

    def chosen(name: str | None) -> None:
        if name is not None:
            app.push_screen(AlertScreen(alert, alerts, then=actions[name].call))

    app.push_screen(MenuPanel(f"{alert.rule_id} {alert.account_id}", choices), chosen)
