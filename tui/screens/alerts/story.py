"""The whole story of one alert as lines: why, the rule, the payments, where they came by, when, who did what. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from core.rules.quality import Quality
from tui import format as show
from tui.ports import Alert, Listed, Signal, Source, Story
from tui.screens.alerts.queue import left as left_of
from tui.screens.alerts.rows import STATUS_STYLES, mark
from tui.terminal.sanitise import fit, wrap
from tui.widgets.canvas import Cell, Line, spread
from tui.widgets.flow import flow

LABEL = 10
ID, AGAINST, POINTS = 19, 16, 6
PAYMENTS = "transactions"
PAYMENTS_SHOWN, PAYMENTS_SHOWN_NARROW = 12, 4
WIDE = 110
"""Cells from which a payment is told whole on its line."""


def heading(alert: Alert, width: int, now_ms: int, limit_ms: int | None) -> Line:
    """Rule and account at the left, decision, case and its time at the right."""
    sign, style = mark(alert.decision)
    case = alert.status + (f" by {alert.assignee}" if alert.assignee else "")
    left: list[Cell] = [(f" {sign} ", style), (alert.rule_id, "strong"), (f"  {alert.account_id}", "text")]
    right: list[Cell] = [
        (f"{alert.decision} {alert.score}/1000", style),
        ("   case ", "dim"),
        (f"{case} ", STATUS_STYLES.get(alert.status, "text")),
    ]
    time_left, style = left_of(alert, limit_ms, now_ms)
    if time_left:
        right.append((f" {time_left} ", style))
    return spread(left, right, width)


def _labelled(label: str, lines: Sequence[Line]) -> list[Line]:
    return [[(f" {label if index == 0 else '':<{LABEL}}", "title"), *line] for index, line in enumerate(lines)]


def _measure(value: float) -> str:
    return show.number(value, 0 if value == int(value) else 2)


def _against(signal: Signal) -> str:
    if signal.value is None or signal.threshold is None:
        return ""
    relation = ">" if signal.value > signal.threshold else "≥" if signal.value == signal.threshold else "of"
    return f"{_measure(signal.value)} {relation} {_measure(signal.threshold)}"


def signal_lines(signals: Sequence[Signal], width: int) -> list[Line]:
    """What gave points, the most first: rule or feature, value against threshold, points, reason; then what gave none.

    A reason that has no room beside its figures stands below them.
    """
    room = max(20, width - LABEL - 1)
    beside = room - ID - AGAINST - POINTS - 3
    lines: list[Line] = []
    for signal in sorted((signal for signal in signals if signal.points), key=lambda signal: -signal.points):
        figures: list[Cell] = [
            (fit(signal.id, ID), "text"),
            (f" {_against(signal):>{AGAINST}}", "strong"),
            (f" {signal.points:>+{POINTS}}", "warn"),
        ]
        reason = wrap(signal.reason, max(beside, room - 2), 3)
        if len(reason) <= 1 and sum(cell_len(part) for part in reason) <= beside:
            lines.append([*figures, (f"  {''.join(reason)}", "dim")])
        else:
            lines += [figures, *([(f"  {part}", "dim")] for part in wrap(signal.reason, room - 2, 3))]
    silent = [[(f"{signal.id} {_against(signal) or signal.reason}", "dim")] for signal in signals if not signal.points]
    if silent:
        lines += [line[1:] for line in flow([[("no points:", "dim")], *silent], room)]
    return lines or [[("no reasons recorded", "dim")]]


def source_ranges(sources: Sequence[Source]) -> list[str]:
    """``transactions/2 @ 881-894``, ``fraud_alerts/2 @ 3.101``."""
    spans: dict[tuple[str, int], tuple[int, int]] = {}
    for source in sources:
        low, high = spans.get((source.topic, source.partition), (source.offset, source.offset))
        spans[source.topic, source.partition] = min(low, source.offset), max(high, source.offset)
    return [
        f"{topic}/{partition} @ {show.number(low)}" + ("" if low == high else f"-{show.number(high)}")
        for (topic, partition), (low, high) in spans.items()
    ]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an alert beyond its own row, as far as it has been read."""

    story: Story | None = None
    quality: Quality | None = None
    shown_ms: float | None = None
    """Payment produced to alert painted, when it was painted here."""
    limit_ms: int | None = None


def lines(alert: Alert, known: Known, now_ms: int, width: int) -> list[Line]:
    """All of it; without a story (still loading, or a preview) what the alert's own row knows."""
    story = known.story
    result: list[Line] = [heading(alert, width, now_ms, known.limit_ms), *([[]] if width >= WIDE else [])]
    result += _labelled("why", signal_lines(alert.signals, width))
    if story is not None:
        result += _labelled("rule", _rule(story, known.quality, now_ms, width))
    result += _labelled("payments", _payment_lines(alert, story, width))
    result += _labelled("came by", came_by(alert, story, width))
    result += _labelled("timing", _timing(alert, known, now_ms, width))
    if story is not None:
        result += _labelled("account", _account(story, now_ms, width))
        result += _labelled("case", _history(story, now_ms))
    return result


def _rule(story: Story, quality: Quality | None, now_ms: int, width: int) -> list[Line]:
    """The version that raised it, how right it is on what is known, and what it looks for."""
    facts: list[list[Cell]] = [[(story.alert.rule_id, "text")]]
    if story.rule_version:
        facts[0].append((f" version {story.rule_version[:12]}", "text"))
        if story.rule_deployed is not None:
            facts[0].append((f", deployed {show.age((now_ms - story.rule_deployed) / 1000)} ago", "dim"))
    else:
        facts[0].append((" is part of the workers" if not story.rule_title else " was never deployed by us", "dim"))
    if quality is None:
        facts.append([("precision ", "dim"), (show.UNKNOWN, "text"), (", nothing is judged yet", "dim")])
    else:
        right = quality.precision
        style = "good" if right >= 0.5 else "warn" if right >= 0.2 else "bad"
        facts.append(
            [
                ("precision ", "dim"),
                (show.percent(right, 0), style),
                (f" of {show.number(quality.known)} known", "dim"),
            ]
        )
    found = [line[1:] for line in flow(facts, width - LABEL)]
    return [*found, [(story.rule_title, "dim")]] if story.rule_title else [*found]


def came_by(alert: Alert, story: Story | None, width: int) -> list[Line]:
    """``transactions/2 @ 881.204-881.219 → fraud_alerts/2 @ 3.101 → log 1.204.098-1.204.101``."""
    paid = [payment.source for payment in story.payments] if story is not None else []
    paid += [source for source in alert.sources if source.topic == PAYMENTS and source not in paid]
    raised = [source for source in alert.sources if source.topic != PAYMENTS]
    places = [*source_ranges(paid), *source_ranges(raised)]
    if alert.last_pos:
        last = "" if alert.first_pos == alert.last_pos else f"-{show.number(alert.last_pos)}"
        places.append(f"log {show.number(alert.first_pos)}{last}")
    steps: list[list[Cell]] = [[("→ " if index else "", "dim"), (place, "text")] for index, place in enumerate(places)]
    return [line[1:] for line in flow(steps, width - LABEL, gap=1)] or [[(show.UNKNOWN, "dim")]]


def _payment_lines(alert: Alert, story: Story | None, width: int) -> list[Line]:
    if story is None or not story.payments:
        return [[(f"{alert.txn_count} for {show.money(alert.amount)}", "text")]]
    wide = width >= WIDE
    rows: list[Line] = []
    shown = PAYMENTS_SHOWN if wide else PAYMENTS_SHOWN_NARROW
    for payment in story.payments[:shown]:
        where = " ".join(part for part in (payment.channel, payment.merchant, payment.city) if part)
        place = f"{payment.source.partition} @ {show.number(payment.source.offset)}"
        if wide:
            place = f"{payment.source.topic}/{place}  log {show.number(payment.position)}"
        time = show.clock_ms(payment.event_time) if wide else show.clock(payment.event_time)
        head: list[Cell] = [
            (f"{time} ", "dim"),
            (f"{show.money(payment.amount):>13} ", "text"),
            (f"{payment.decision:<7} ", mark(payment.decision)[1]),
        ]
        room = width - LABEL - 4 - sum(cell_len(text) for text, _ in head) - cell_len(place)
        rows.append([*head, (fit(where, max(8, room)), "text"), (f"  {place}", "dim")])
    more = len(story.payments) - shown
    if more > 0:
        rows.append([(f"and {show.number(more)} more: p shows all", "dim")])
    return rows


def _timing(alert: Alert, known: Known, now_ms: int, width: int) -> list[Line]:
    """From the event to the screen, and how the pipeline did then."""
    story = known.story
    facts: list[list[Cell]] = [[("event ", "dim"), (show.clock_ms(alert.event_time), "text")]]
    last = max(story.payments, key=lambda payment: payment.ingested_at, default=None) if story is not None else None
    if last is not None and last.produced_at is not None:
        facts.append([("decided ", "dim"), (f"+{show.duration(max(0, last.ingested_at - last.produced_at))}", "text")])
    if alert.latency_ms is not None:
        facts.append([("alert ", "dim"), (f"+{show.duration(alert.latency_ms)}", "text")])
    if known.shown_ms is not None:
        facts.append([("shown ", "dim"), (f"+{show.duration(known.shown_ms)}", "text")])
    facts.append([(show.age((now_ms - alert.raised_at) / 1000), "text"), (" ago", "dim")])
    if story is not None and story.lag_then is not None:
        facts.append([("lag then ", "dim"), (show.number(story.lag_then), "text"), (" payments", "dim")])
    if story is not None and story.then is not None:
        then = story.then
        facts.append(
            [
                (f"{show.number(then.payments)} pay/s", "text"),
                (" then, p50 ", "dim"),
                (show.duration(then.latency_p50_ms), "text"),
                (", p99 ", "dim"),
                (show.duration(then.latency_p99_ms), "text"),
            ]
        )
    return [line[1:] for line in flow(facts, width - LABEL)]


def _account(story: Story, now_ms: int, width: int) -> list[Line]:
    """Its figures, and what people have said about it."""
    account, many = story.account, story.earlier_alerts != 1
    earlier: list[Cell] = [(f"{show.number(story.earlier_alerts)} earlier alert{'s' if many else ''}", "text")]
    facts: list[list[Cell]] = [[(story.alert.account_id, "text")]]
    if account is None:
        facts.append([("no payments on record", "dim")])
    else:
        rate = None if account.fraud_rate is None else account.fraud_rate / 100
        count = account.total_transactions
        facts += [
            [("risk ", "dim"), (show.percent(rate, 0), "warn" if rate else "text")],
            [(f"{show.number(count)} payment{'' if count == 1 else 's'}", "text")],
            [("mean ", "dim"), (show.money(account.total_amount // count if count else None), "text")],
        ]
    found: list[Line] = [line[1:] for line in flow([*facts, earlier], width - LABEL)]
    return [*found, *(standing_line(entry, now_ms) for entry in story.standing)]


_STANDS = {
    "proposed": ("block proposed", "warn"),
    "block": ("blocked", "bad"),
    "allow": ("allowed", "good"),
    "snooze": ("snoozed", "dim"),
}


def standing_line(entry: Listed, now_ms: int) -> Line:
    """``block proposed by bo 3m ago: stolen card   Y approves, R refuses``."""
    said, style = _STANDS.get(entry.effect, (entry.effect, "warn"))
    until = "" if entry.until is None else f" until {show.day_clock(entry.until, now_ms)}"
    line: list[Cell] = [
        (f"{said}{until}", style),
        (f" by {entry.actor} {show.age((now_ms - entry.since) / 1000)} ago: ", "dim"),
        (entry.reason, "text"),
    ]
    if entry.effect == "proposed":
        line.insert(0, ("Y approves, R refuses: ", "key"))
    return line


def _history(story: Story, now_ms: int) -> list[Line]:
    if not story.history:
        return [[("nobody has acted yet", "dim")]]
    return [
        [
            (f"{show.day_clock(event.at, now_ms)} ", "dim"),
            (f"{event.actor} ", "accent"),
            (f"{event.type.removeprefix('Case').lower()} ", "text"),
            (event.text, "text"),
            (f"  log {show.number(event.position)}", "dim"),
        ]
        for event in story.history
    ]
