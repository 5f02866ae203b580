"""An alert as a row. Severity is a mark and a word, colour only repeats it."""

from __future__ import annotations

from collections.abc import Sequence

from tui import format as show
from tui.ports import Alert
from tui.widgets.canvas import Cell
from tui.widgets.columns import Column

MARKS = {"block": ("!!", "bad"), "review": ("! ", "warn")}
STATUS_STYLES = {"open": "text", "claimed": "accent", "confirmed": "bad", "dismissed": "dim", "escalated": "warn"}

COLUMNS = (
    Column("time", 8, about="when the payment happened, local time"),
    Column("", 2, about="!! a payment was blocked, ! it is for review"),
    Column("rule", 13, grow=1, limit=24, about="the rule or feature that raised it"),
    Column("account", 11, grow=1, limit=16),
    Column("what", 7, grow=2, limit=44, about="payments and their span, or the strongest reason"),
    Column("amount", 12, "right", grow=1, limit=14, about="of all its payments together"),
    Column("result", 7, rank=5, about="what was decided: approve, review or block"),
    Column("risk", 4, "right", rank=6, about="points of 1000"),
    Column("took", 6, "right", rank=4, about="from the payment's sending to its alert in the log"),
    Column("case", 9, rank=2, about="open, claimed, escalated, confirmed or dismissed"),
    Column("by", 8, rank=1, about="who has the case"),
)


def mark(decision: str) -> Cell:
    return MARKS.get(decision, ("· ", "dim"))


def what(alert: Alert) -> str:
    """What happened, in a few words: the count and span of a burst, else the strongest reason."""
    if alert.txn_count > 1:
        return f"{alert.txn_count} in {show.age((alert.incident_end - alert.incident_start) / 1000)}"
    strongest = max(alert.signals, key=lambda signal: signal.points, default=None)
    return strongest.reason if strongest is not None else "1 payment"


def cells(alert: Alert) -> Sequence[Cell]:
    sign, style = mark(alert.decision)
    decided = alert.status in ("dismissed", "confirmed")
    return (
        (show.clock(alert.event_time), "dim"),
        (sign, style),
        (alert.rule_id, "dim" if decided else "text"),
        (alert.account_id, "dim" if decided else "text"),
        (what(alert), "dim"),
        (show.money(alert.amount), "dim" if decided else "text"),
        (alert.decision, style),
        (show.number(alert.score), style),
        (show.duration(alert.latency_ms), "dim"),
        (alert.status, STATUS_STYLES.get(alert.status, "text")),
        (alert.assignee or "", "dim"),
    )
