"""Which case comes next: what blocks before what reviews, then score, then money, then age. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from tui import format as show
from tui.ports import Alert
from tui.screens.alerts import rows
from tui.widgets.canvas import Cell
from tui.widgets.columns import Column

UNDECIDED = ("open", "escalated")
_HURRY_MS = 5 * 60_000

COLUMNS = (Column("left", 8, "right", about="time left by the policy; without one how long it waits"), *rows.COLUMNS)


def urgency(alert: Alert) -> tuple[int, int, int, int]:
    """The smaller, the sooner."""
    return 0 if alert.decision == "block" else 1, -alert.score, -alert.amount, alert.raised_at


def queue(alerts: Sequence[Alert]) -> list[Alert]:
    """Cases that nobody has decided, the most urgent first."""
    return sorted((alert for alert in alerts if alert.status in UNDECIDED), key=urgency)


def after(alerts: Sequence[Alert], shown: Alert) -> Alert | None:
    """The case behind ``shown``; the head of the queue when ``shown`` is decided or the last; None without another."""
    waiting = [alert for alert in queue(alerts) if alert.alert_id != shown.alert_id]
    behind = (alert for alert in waiting if shown.status in UNDECIDED and urgency(alert) >= urgency(shown))
    return next(behind, waiting[0] if waiting else None)


def left(alert: Alert, limit_ms: int | None, now_ms: int) -> Cell:
    """``12m left`` until the policy decides the case, ``3m over`` after that; without a limit how long it waits.

    Empty when it is decided.
    """
    if alert.status in ("confirmed", "dismissed"):
        return "", "dim"
    if limit_ms is None:
        return f"{show.age((now_ms - alert.raised_at) / 1000)} old", "dim"
    rest = alert.raised_at + limit_ms - now_ms
    if rest < 0:
        return f"{show.age(-rest / 1000)} over", "bad"
    return f"{show.age(rest / 1000)} left", "warn" if rest < _HURRY_MS else "text"
