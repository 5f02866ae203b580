"""Accounts, moments of one and list entries as rows and lines. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from core.cases.timeline import Moment
from tui import format as show
from tui.ports import Listed
from tui.screens.accounts.port import Profile, Then
from tui.screens.alerts.rows import STATUS_STYLES, mark
from tui.widgets.canvas import Cell, Line, spread
from tui.widgets.columns import Column
from tui.widgets.flow import flow

ACCOUNTS = (
    Column("account", 12, grow=2, limit=24),
    Column("risk", 7, "right", about="share of its payments that count as fraud"),
    Column("fraud", 5, "right", about="review, block, or confirmed; dismissed ones are not"),
    Column("payments", 8, "right"),
    Column("total", 14, "right", grow=1, limit=18),
    Column("score", 5, "right", rank=6, about="the highest risk of its payments, of 1000"),
    Column("last payment", 12, "right", rank=5),
    Column("state", 8, rank=8, about="blocked, proposed, allowed or snoozed"),
    Column("why", 10, grow=3, limit=40, rank=2, about="the reason that was given"),
)


def account_cells(row: Profile, now_ms: int) -> Sequence[Cell]:
    rate = None if row.rate is None else row.rate / 100
    risky = "bad" if rate and rate >= 0.5 else "warn" if rate else "text"
    return (
        (row.account_id, "text"),
        (show.percent(rate, 1), risky),
        (show.number(row.frauds), risky),
        (show.number(row.payments), "text"),
        (show.money(row.amount), "text"),
        (show.number(row.max_score), "dim"),
        (show.day_clock(row.last_payment, now_ms), "dim"),
        ("blocked", "bad") if row.blocked else ("proposed" if row.proposed else "", "warn"),
        (row.blocked, "bad") if row.blocked else (row.proposed, "warn"),
    )


def standing_cells(profile: Profile) -> list[Cell]:
    """The block that stands, or the one that waits for another operator."""
    if profile.blocked:
        return [(f"  blocked: {profile.blocked}", "bad")]
    return [(f"  block proposed: {profile.proposed}", "warn")] if profile.proposed else []


# ------------------------------------------------------------------------------------------------ one account

KIND_STYLES = {"payment": "dim", "decision": "text", "alert": "warn", "case": "accent", "action": "strong"}

MOMENTS = (
    Column("time", 11),
    Column("", 2, about="!! blocked, ! for review"),
    Column("kind", 8),
    Column("what", 16, grow=4, limit=80),
    Column("amount", 12, "right"),
    Column("result", 7, rank=6, about="what was decided"),
    Column("risk", 4, "right", rank=7, about="points of 1000"),
    Column("by", 8, grow=1, limit=16, rank=5),
    Column("position", 10, "right", rank=4, about="of the event in the log"),
)


def moment_cells(moment: Moment, now_ms: int) -> Sequence[Cell]:
    sign, style = mark(moment.decision) if moment.decision else ("  ", "text")
    return (
        (show.day_clock(moment.event_time, now_ms), "dim"),
        (sign, style),
        (moment.kind, KIND_STYLES.get(moment.kind, "text")),
        (moment.what, "text"),
        ("" if moment.amount is None else show.money(moment.amount), "text"),
        (moment.decision, style),
        ("" if moment.score is None else show.number(moment.score), style),
        (moment.actor, "accent"),
        (show.number(moment.position), "dim"),
    )


def heading(account_id: str, profile: Profile | None, now_ms: int, width: int, unknown: str) -> Line:
    """Name and block at the left, its totals now at the right, or what is said without any."""
    left: list[Cell] = [(f" {account_id}", "strong")]
    if profile is None:
        return spread(left, [(f"{unknown} ", "dim")], width)
    left += standing_cells(profile)
    return spread(left, [cell for fact in facts(profile, now_ms) for cell in (*fact, ("  ", "dim"))], width)


def facts(profile: Profile, now_ms: int) -> list[list[Cell]]:
    """Risk, payments, total and last payment."""
    rate = None if profile.rate is None else profile.rate / 100
    return [
        [("risk ", "dim"), (show.percent(rate), "warn" if rate else "text")],
        [(f"{show.number(profile.frauds)} of {show.number(profile.payments)} payments", "text")],
        [(show.money(profile.amount), "text")],
        [(f"last {show.day_clock(profile.last_payment, now_ms)}", "dim")],
    ]


def slider_line(moments: Sequence[Moment], position: int | None, now_ms: int, width: int) -> Line:
    """The account's known time as a bar: where its events lie, and the place that is looked at."""
    if not moments:
        return [(" no events yet", "dim")]
    first, last = moments[0].at, max(moments[-1].at, moments[0].at + 1)
    chosen = max((m.at for m in moments if m.position <= position), default=first) if position is not None else last
    begin, end = (
        f" {show.day_clock(first, now_ms)} ",
        " now" if position is None else f" {show.day_clock(last, now_ms)}",
    )
    room = max(4, width - len(begin) - len(end) - 1)

    def place(at: int) -> int:
        return min(room - 1, max(0, (at - first) * (room - 1) // (last - first)))

    marks = ["─"] * room
    for moment in moments:
        if moment.kind == "alert" or (moment.kind != "payment" and marks[place(moment.at)] == "─"):
            marks[place(moment.at)] = "┴" if moment.kind != "alert" else "▲"
    here = place(chosen)
    bar = "".join(marks)
    return [(begin, "dim"), (bar[:here], "bar"), ("●", "accent"), (bar[here + 1 :], "bar-low"), (end, "dim")]


def then_lines(then: Then | None, newest: bool, now_ms: int, width: int) -> list[Line]:
    """The account as it stood: a fact a line where the pane is narrow, all in a few lines where it is wide."""
    if then is None:
        return [[(" as it stood", "title"), ("  asking the log", "dim")]]
    when = "now" if newest else show.day_clock(then.at, now_ms)
    rate = then.frauds / then.payments if then.payments else None
    head: Line = [
        (" as it stood ", "title"),
        (when, "good" if newest else "warn"),
        (f"  log {show.number(then.position)}", "dim"),
    ]
    facts: list[list[Cell]] = [
        [("risk ", "dim"), (show.percent(rate), "warn" if rate else "text")],
        [
            (f"{show.number(then.payments)} payment{'' if then.payments == 1 else 's'}", "text"),
            (f", {show.number(then.frauds)} fraud", "text"),
        ],
        [("total ", "dim"), (show.money(then.amount), "text")],
        [("top score ", "dim"), (show.number(then.max_score), "text")],
        [("last paid ", "dim"), (show.day_clock(then.last_payment, now_ms), "text")],
        [("judged ", "dim"), (f"{show.number(then.frauds_known)} fraud, {show.number(then.cleared)} cleared", "text")],
        [(f"alerts {len(then.alerts)}", "title")],
    ]
    alerts: list[list[Cell]] = []
    for alert in reversed(then.alerts):
        sign, style = mark(alert.decision)
        status = STATUS_STYLES.get(alert.status, "text")
        alerts.append(
            [(f"{sign} ", style), (f"{alert.rule_id} ", "text"), (f"{alert.score} ", style), (alert.status, status)]
        )
    if width < WIDE:
        return [head, *([(" ", "dim"), *fact] for fact in facts), *([("  ", "dim"), *alert] for alert in alerts)]
    return [head, *flow(facts, width), *flow(alerts, width)]


WIDE = 60
"""Cells from which the facts stand beside each other."""


def step(moments: Sequence[Moment], position: int | None, direction: int) -> int | None:
    """The slider moved by a twentieth of the account's known time: the event there, None for now.

    It moves by one event at least, so that a burst in the middle of a quiet month can be walked through.
    """
    if not moments:
        return None
    positions = [moment.position for moment in moments]
    here = len(moments) if position is None else bisect_right(positions, position) - 1
    at = moments[min(max(here, 0), len(moments) - 1)].at
    stride = max(1, (moments[-1].at - moments[0].at) // 20)
    if direction < 0:
        index = bisect_right([moment.at for moment in moments], at - stride) - 1
        return positions[max(0, min(index, here - 1))]
    index = bisect_right([moment.at for moment in moments], at + stride) - 1
    index = max(index, here + 1)
    return positions[index] if index < len(positions) else None


# ------------------------------------------------------------------------------------------------ lists

LISTS = (
    Column("list", 8, about="block, allow, or a block proposed to a second person"),
    Column("kind", 8),
    Column("party", 16, grow=2, limit=32),
    Column("reason", 16, grow=4, limit=60),
    Column("since", 11),
    Column("until", 11, rank=5),
    Column("by", 8, grow=1, limit=16, rank=6),
)
LIST_STYLES = {"block": "bad", "allow": "good", "proposed": "warn"}


def listed_cells(row: Listed, now_ms: int) -> Sequence[Cell]:
    return (
        (row.effect, LIST_STYLES.get(row.effect, "warn")),
        (row.kind, "dim"),
        (row.party, "text"),
        (row.reason, "text"),
        (show.day_clock(row.since, now_ms), "dim"),
        ("lifted" if row.until is None else show.day_clock(row.until, now_ms), "dim"),
        (row.actor, "accent"),
    )
