"""Rules as rows, their detail, their overlap and their backtests as lines. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.rules.activity import Activity, Overlap
from core.rules.quality import Quality
from tui import format as show
from tui.screens.ksqldb.lexer import tokens
from tui.screens.rules.port import Rule
from tui.terminal.sanitise import fit, wrap
from tui.widgets.canvas import Cell, Line
from tui.widgets.columns import Column
from tui.widgets.flow import flow

if TYPE_CHECKING:
    from core.rules.backtest import Backtest, Flips

HOURS = 24
_BARS = " ▁▂▃▄▅▆▇█"
STATUS_STYLES = {
    "deployed": "good",
    "built in": "dim",
    "paused": "warn",
    "outdated": "warn",
    "failed": "bad",
    "absent": "dim",
}


@dataclass(frozen=True, slots=True)
class Listed:
    """A rule and what is known of it; ``note`` is what work on it last said."""

    rule: Rule
    activity: Activity | None
    quality: Quality | None
    note: Cell = ("", "dim")


RULES = (
    Column("rule", 17, grow=1, limit=24),
    Column("state", 8, about="deployed, paused or off on the server; or built in"),
    Column("points", 6, "right", rank=4, about="what it adds to a payment's risk"),
    Column("alerts", 6, "right", about="incidents that it raised, in all"),
    Column("/h", 4, "right", rank=6, about="alerts in the newest hour of event time"),
    Column("24 h", HOURS, rank=3, about="alerts by hour, the newest at the right"),
    Column("prec", 7, "right", about="share of its alerts that were fraud, of those known"),
    Column("recall", 7, "right", about="share of the known frauds that it found"),
    Column("judged", 7, "right", rank=5, about="share that people confirmed of what they decided"),
    Column("open", 5, "right", rank=5, about="alerts that nobody has decided"),
    Column("note", 8, grow=4, limit=120, rank=8),
)


def rule_cells(row: Listed) -> Sequence[Cell]:
    rule, busy, quality = row.rule, row.activity, row.quality
    judged = None if busy is None else busy.judged
    note = row.note if row.note[0] else (rule.title, "dim")
    return (
        (rule.id, "text"),
        (rule.status, STATUS_STYLES.get(rule.status, "warn")),
        (show.number(rule.score) if rule.score else show.UNKNOWN, "dim"),
        (show.number(busy.alerts) if busy else "0", "text" if busy else "dim"),
        (show.number(busy.by_hour[-1]) if busy else "0", "text" if busy else "dim"),
        (spark(busy.by_hour) if busy else "", "bar"),
        (show.percent(quality.precision if quality else None, 0), _right(quality.precision if quality else None)),
        (show.percent(quality.recall if quality else None, 0), "text" if quality else "dim"),
        (show.percent(judged, 0), _right(judged)),
        (show.number(busy.open) if busy else "0", "text" if busy and busy.open else "dim"),
        note,
    )


def _right(share: float | None) -> str:
    return "dim" if share is None else "good" if share >= 0.5 else "warn" if share >= 0.2 else "bad"


def spark(counts: Sequence[int]) -> str:
    """One character an hour against the busiest one; something is never nothing."""
    top = max(counts, default=0)
    return "".join(_BARS[0 if not count else max(1, round(count / top * 8))] for count in counts)


# ------------------------------------------------------------------------------------------------ one rule


def detail_lines(row: Listed, until: int | None, width: int, now_ms: int) -> list[Line]:
    """What it is, what it does, how right it is, and its SQL."""
    rule, busy, quality = row.rule, row.activity, row.quality
    head: list[list[Cell]] = [
        [(rule.id, "title")],
        [(rule.status, STATUS_STYLES.get(rule.status, "warn"))],
        [(f"version {rule.version[:12]}", "dim")] if rule.version else [],
        [(rule.severity, "text")],
        [(f"{rule.score} points", "text")] if rule.score else [],
        [] if rule.threshold is None else [(f"beyond {show.number(rule.threshold)}", "text")],
    ]
    lines = flow([part for part in head if part], width)
    lines += [[(" ", "text"), (part, "text")] for part in wrap(rule.catches or rule.title, max(20, width - 2), 40)]
    known: list[list[Cell]] = []
    if busy is not None:
        end = "" if until is None else f" to {show.day_clock(until, now_ms)}"
        known += [
            [(f"{HOURS} h{end} ", "dim"), (spark(busy.by_hour), "bar"), (f" {show.number(sum(busy.by_hour))}", "text")],
            [("all time ", "dim"), (f"{show.number(busy.alerts)} for {show.money(busy.amount)}", "text")],
            [
                ("people ", "dim"),
                (f"{show.number(busy.confirmed)} confirmed, {show.number(busy.dismissed)} dismissed", "text"),
                (f", {show.number(busy.open)} open", "text"),
            ],
        ]
    if quality is not None:
        known += [
            [
                ("precision ", "dim"),
                (show.percent(quality.precision), _right(quality.precision)),
                (f" of {show.number(quality.known)} known alerts", "text"),
            ],
            [("recall ", "dim"), (f"{show.percent(quality.recall)} of {show.number(quality.frauds)} frauds", "text")],
        ]
    if rule.queries:
        known.append([("queries ", "dim"), (" ".join(rule.queries), "text")])
    lines += flow(known, width)
    if rule.sql:
        lines += [[], *sql_lines(rule.sql[:SQL_CHARS])]
    elif rule.kind == "feature":
        lines.append([(" it is part of the workers and always on", "dim")])
    return lines


SQL_CHARS = 20_000
_SQL_STYLES = {"keyword": "accent", "type": "accent", "function": "strong", "string": "good", "number": "good"}


def sql_lines(sql: str) -> list[Line]:
    """The text with its words coloured, a line a line."""
    lines: list[list[Cell]] = [[(" ", "text")]]
    at = 0

    def put(text: str, style: str) -> None:
        for index, part in enumerate(text.split("\n")):
            if index:
                lines.append([(" ", "text")])
            if part:
                lines[-1].append((part, style))

    for kind, begin, end in tokens(sql):
        put(sql[at:begin], "text")
        put(sql[begin:end], "dim" if kind == "comment" else _SQL_STYLES.get(kind, "text"))
        at = end
    put(sql[at:], "text")
    return [*lines]


# ------------------------------------------------------------------------------------------------ overlap

_NAME = 17
_CELL = 7


def overlap_lines(found: Overlap | None, width: int) -> list[Line]:
    """How many payments two rules both name, and which share of the row's rule that is."""
    if found is None or not found.rules:
        return [[(" overlap", "title"), ("  no alert has named a payment yet", "dim")]]
    shown = max(1, min(len(found.rules), (width - _NAME - 4) // (_CELL + 1)))
    head: list[Cell] = [(f" {'':<{_NAME + 2}}", "dim")]
    head += [(f" {_letter(i):>{_CELL}}", "key") for i in range(shown)]
    lines: list[Line] = [
        [
            (" overlap", "title"),
            ("  share of the row's payments that the column's rule names too", "dim"),
        ],
        head,
    ]
    for i, rule in enumerate(found.rules):
        own = found.shared[i][i]
        cells: list[Cell] = [(f" {_letter(i)} ", "key"), (fit(rule, _NAME), "text")]
        for j in range(shown):
            count = found.shared[i][j]
            if i == j:
                cells.append((f" {show.compact(count):>{_CELL}}", "strong"))
            else:
                share = count / own if own else 0.0
                style = "warn" if share >= 0.5 else "text" if count else "dim"
                cells.append((f" {show.percent(share, 0) if count else '·':>{_CELL}}", style))
        lines.append(cells)
    if shown < len(found.rules):
        lines.append([(f" {len(found.rules) - shown} more columns on a wider terminal", "dim")])
    return lines


def _letter(index: int) -> str:
    return chr(ord("a") + index) if index < 26 else f"z{index - 25}"


# ------------------------------------------------------------------------------------------------ backtest


def backtest_lines(done: Backtest, width: int, now_ms: int) -> list[Line]:
    """What the rule would have done, and which payments flip against the live rules."""
    live = ", ".join(done.compared_with) or "no live rule"
    lines = flow(
        [
            [(f"backtest of {done.rule_id}", "title")],
            [(f"on {done.data}: {show.number(done.transactions)} payments, {show.number(done.days, 1)} days", "text")],
            [(f"{show.number(done.frauds)} fraud among {show.number(done.labelled)} known", "text")],
            [
                (f"{show.number(done.alerts)} alerts", "strong"),
                (f", {show.number(done.alerts_per_day, 1)} a day", "text"),
            ],
            [(f"{show.number(done.flagged)} payments flagged", "text")],
            [(f"precision {show.percent(done.precision)}", _right(done.precision))],
            [(f"recall {show.percent(done.recall)}", "text")],
            [(f"false positives {show.percent(done.false_positive_rate, 2)}", "text")],
            [(f"{show.number(done.rate_tx_s)} payments/s", "dim")],
        ],
        width,
    )
    for name, share in done.recall_by_scenario.items():
        lines.append([(f"   {name:<24}", "dim"), (show.percent(share), "text")])
    lines += _flip_lines("gained", f"flagged by it, not by {live}", done.gained, now_ms)
    lines += _flip_lines("lost", f"flagged by {live}, not by it", done.lost, now_ms)
    return lines


def _flip_lines(name: str, meaning: str, flips: Flips, now_ms: int) -> list[Line]:
    lines: list[Line] = [
        [
            (f" {name} {show.number(flips.payments)}", "title"),
            (f"  {show.number(flips.frauds)} fraud, {show.number(flips.honest)} honest", "text"),
            (f"  {meaning}", "dim"),
        ]
    ]
    for one in flips.examples:
        truth = (
            ("fraud", "bad") if one.is_fraud else ("honest", "good") if one.is_fraud is False else ("unknown", "dim")
        )
        lines.append(
            [
                (f"   {show.day_clock(one.event_time, now_ms):>11} ", "dim"),
                (f"{one.account_id} ", "text"),
                (f"{show.money(one.amount):>13} ", "text"),
                (f"{truth[0]:<8}", truth[1]),
                (" ".join(one.rules), "dim"),
            ]
        )
    return lines
