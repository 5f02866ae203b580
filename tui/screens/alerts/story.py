"""The whole story of one alert as lines: why, the rule, the payments, where they came by, when, who did what. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from tui import format as show
from tui.ports import Alert, Second, Signal, Source, Story
from tui.screens.alerts.queue import left as left_of
from tui.screens.alerts.rows import STATUS_STYLES, mark
from tui.terminal.sanitise import fit
from tui.widgets.canvas import Cell, Line, spread

LABEL = 10
PAYMENTS_SHOWN = 12


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


def signal_line(signal: Signal, width: int) -> Line:
    """Reason, value against threshold, points; what gave no points is dim."""
    against = ""
    if signal.value is not None and signal.threshold is not None:
        relation = ">" if signal.value > signal.threshold else "≥" if signal.value == signal.threshold else "of"
        against = f"{_measure(signal.value)} {relation} {_measure(signal.threshold)}"
    room = max(12, width - LABEL - 26)
    weighs = signal.points != 0
    return [
        (fit(signal.reason, room), "text" if weighs else "dim"),
        (f" {against:>16}", "strong" if weighs else "dim"),
        (f" {signal.points:>+6}", "warn" if weighs else "dim"),
    ]


def source_ranges(sources: Sequence[Source]) -> str:
    """``transactions/2 @ 881-894  fraud_alerts/2 @ 3.101``."""
    spans: dict[tuple[str, int], tuple[int, int]] = {}
    for source in sources:
        low, high = spans.get((source.topic, source.partition), (source.offset, source.offset))
        spans[source.topic, source.partition] = min(low, source.offset), max(high, source.offset)
    return "  ".join(
        f"{topic}/{partition} @ {show.number(low)}" + ("" if low == high else f"-{show.number(high)}")
        for (topic, partition), (low, high) in spans.items()
    )


def lines(alert: Alert, story: Story | None, now_ms: int, width: int, limit_ms: int | None = None) -> list[Line]:
    """All of it; without a story (still loading, or a preview) what the alert's own row knows."""
    result: list[Line] = [heading(alert, width, now_ms, limit_ms), []]
    signals = sorted(alert.signals, key=lambda signal: -signal.points)
    result += _labelled("why", [signal_line(signal, width) for signal in signals] or [[("no reasons recorded", "dim")]])
    if story is not None:
        version = f" version {story.rule_version[:12]}" if story.rule_version else ""
        result += _labelled("rule", [[(alert.rule_id, "text"), (version, "dim"), (f"  {story.rule_title}", "dim")]])
    result += _labelled("payments", _payment_lines(alert, story, width))
    came = source_ranges(alert.sources)
    if alert.last_pos:
        span = f"{show.number(alert.first_pos)}" + (
            "" if alert.first_pos == alert.last_pos else f"-{show.number(alert.last_pos)}"
        )
        came = f"{came} → log {span}" if came else f"log {span}"
    result += _labelled("came by", [[(came or show.UNKNOWN, "text")]])
    result += _labelled("timing", _timing(alert, None if story is None else story.then, now_ms))
    if story is not None:
        result += _labelled("account", [_account(story)])
        result += _labelled("case", _history(story, now_ms))
    return result


def _payment_lines(alert: Alert, story: Story | None, width: int) -> list[Line]:
    if story is None or not story.payments:
        return [[(f"{alert.txn_count} for {show.money(alert.amount)}", "text")]]
    rows: list[Line] = []
    for payment in story.payments[:PAYMENTS_SHOWN]:
        where = " ".join(part for part in (payment.channel, payment.merchant, payment.city) if part)
        place = f"{payment.source.topic}/{payment.source.partition} @ {show.number(payment.source.offset)}"
        rows.append(
            [
                (f"{show.clock_ms(payment.event_time)} ", "dim"),
                (f"{show.money(payment.amount):>13} ", "text"),
                (f"{payment.decision:<7} ", mark(payment.decision)[1]),
                (fit(where, max(8, width - LABEL - 62)), "text"),
                (f" {place}", "dim"),
            ]
        )
    more = len(story.payments) - PAYMENTS_SHOWN
    if more > 0:
        rows.append([(f"and {more} more", "dim")])
    return rows


def _timing(alert: Alert, then: Second | None, now_ms: int) -> list[Line]:
    parts: list[Cell] = [(show.clock_ms(alert.event_time), "text"), (" event", "dim")]
    if alert.latency_ms is not None:
        parts += [(f"   +{show.duration(alert.latency_ms)}", "text"), (" produced to committed", "dim")]
    parts += [(f"   {show.age((now_ms - alert.raised_at) / 1000)}", "text"), (" ago", "dim")]
    if then is None:
        return [parts]
    pipeline: list[Cell] = [
        (f"{show.number(then.payments)} pay/s", "text"),
        (" in that second, decided within p50 ", "dim"),
        (show.duration(then.latency_p50_ms), "text"),
        (", p99 ", "dim"),
        (show.duration(then.latency_p99_ms), "text"),
    ]
    return [parts, pipeline]


def _account(story: Story) -> Line:
    account = story.account
    if account is None:
        return [(f"{story.alert.account_id}: no payments on record", "dim")]
    rate = None if account.fraud_rate is None else account.fraud_rate / 100
    return [
        (f"{show.number(account.total_transactions)} payments, {show.money(account.total_amount)}", "text"),
        (f"   risk {show.percent(rate, 0)}", "warn" if rate else "text"),
        (f"   {story.earlier_alerts} earlier alert{'' if story.earlier_alerts == 1 else 's'}", "text"),
    ]


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
