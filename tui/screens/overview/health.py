"""Services and workers as lines, decisions and money as lines. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.cells import cell_len

from tui import format as show
from tui.ports import Second, ServiceState, Totals, WorkerState
from tui.terminal.sanitise import clean
from tui.widgets.canvas import Cell, Line
from tui.widgets.flow import GAP, flow

STATES = {
    "up": "good",
    "running": "good",
    "idle": "good",
    "starting": "accent",
    "restarting": "warn",
    "stopped": "warn",
    "warning": "warn",
    "down": "bad",
    "failed": "bad",
}
QUIET = ("worker", "machine", "stack news", "hosts news", "replay")
"""Not shown while up: the hosted worker process, whose tasks speak for it, the machine the stack runs on,
and what brings the news of both."""
NAME, STATE = 12, 9
SILENT_MS = 5_000
"""A worker writes its status every second; after this it counts as silent."""


def health_lines(
    services: Sequence[ServiceState],
    workers: Sequence[WorkerState] | None,
    now_ms: int,
    width: int = 80,
    facts: Mapping[str, str] | None = None,
) -> list[Line]:
    """One line per service and per worker task: name, state, and what of its detail fits; ``facts`` add to services."""
    known = facts or {}
    lines: list[Line] = [
        [
            (f" {service.name:<{NAME}}", "text"),
            (f"{service.state:<{STATE}}", STATES.get(service.state, "text")),
            (_fitting((*_facts(service), known.get(service.name, "")), width), "dim"),
        ]
        for service in services
        if service.name not in QUIET or service.state != "up"
    ]
    if workers is None:
        lines.append([(f" {'workers':<{NAME}}", "text"), ("-", "dim")])
        return lines
    if not workers:
        lines.append(
            [(f" {'workers':<{NAME}}", "text"), (f"{'none':<{STATE}}", "warn"), ("nobody writes status", "dim")]
        )
    processes = sorted({worker.worker_id for worker in workers})
    for worker in workers:
        silent = now_ms - worker.updated_at
        name = f"{worker.task} {processes.index(worker.worker_id) + 1}" if len(processes) > 1 else worker.task
        state, style = worker.state, STATES.get(worker.state, "text")
        if silent > SILENT_MS:
            state, style = f"{show.age(silent / 1000)} old", "dim"
        restarts = (show.counted(worker.restarts, "restart"),) if worker.restarts else ()
        told = _fitting((*restarts, *worker.detail.split(", ")), width)
        lines.append([(f" {name:<{NAME}}", "text"), (f"{state:<{STATE}}", style), (told, "dim")])
    return lines


def _facts(service: ServiceState) -> Sequence[str]:
    restarts = (show.counted(service.restarts, "restart"),) if service.restarts else ()
    return (*restarts, *(service.detail or service.address).split(", "))


def _fitting(facts: Sequence[str], width: int) -> str:
    """As many of the facts as have room behind name and state, whole; the first in any case."""
    first, *others = dict.fromkeys(clean(fact, 400) for fact in facts if fact) or [""]
    for fact in others:
        if cell_len(first) + 2 + cell_len(fact) <= width - 1 - NAME - STATE:
            first += f", {fact}"
    return first


def share_lines(
    seconds: Sequence[Second | None],
    totals: Totals | None,
    width: int,
    *,
    shown_ms: tuple[float | None, float | None] = (None, None),
    stale_s: float | None = None,
    totals_stale_s: float | None = None,
) -> list[Line]:
    """Decisions of the last five minutes and latencies; money and cases. Facts that find no place are left out whole.

    ``shown_ms`` is payment to screen, p50 and p99; what is stale is dim and says of when it is.
    """
    known = [row for row in seconds if row is not None]
    payments = sum(row.payments for row in known)
    # A revised decision counts under its new name as well: what is left of the payments stands approved.
    review, block = sum(row.review for row in known), sum(row.block for row in known)
    value, old = ("strong", []) if stale_s is None else ("dim", [_as_of(stale_s)])
    decided = [*old]
    for name, count in (("flagged", review + block), ("review", review), ("block", block)):
        decided.append([(f"{name} ", "dim"), (show.percent(count / payments if payments else None, 2), value)])
    p50, p99 = shown_ms
    decided.append(
        [("to screen p50 ", "dim"), (show.duration(p50), value), ("  p99 ", "dim"), (show.duration(p99), value)]
    )
    worst = [row.latency_p99_ms for row in known[-60:] if row.latency_p99_ms is not None]
    decided.append([("decided p99 ", "dim"), (show.duration(max(worst, default=None)), value)])
    return [_one_line(decided, width), _one_line(_money(totals, totals_stale_s), width)]


def _one_line(parts: Sequence[Sequence[Cell]], width: int) -> Line:
    """Closer together where that says more."""
    return max((flow(parts, width, gap)[0] for gap in (GAP, GAP - 1)), key=_told)


def _told(line: Line) -> int:
    return sum(len(text.strip()) for text, _ in line)


def _as_of(stale_s: float) -> list[Cell]:
    return [(f"as of {show.age(stale_s)} ago", "warn")]


def _money(totals: Totals | None, stale_s: float | None) -> list[list[Cell]]:
    if totals is None:
        return [[("stopped today -", "dim")], [("at risk -", "dim")], [("cases -", "dim")]]
    value, good, warn, bad = ("strong", "good", "warn", "bad") if stale_s is None else ("dim",) * 4
    parts: list[list[Cell]] = [] if stale_s is None else [_as_of(stale_s)]
    parts += [
        [("stopped today ", "dim"), (show.money(totals.money_stopped), good)],
        [("at risk ", "dim"), (show.money(totals.money_at_risk), warn if totals.money_at_risk else value)],
        [("cases ", "dim"), (show.number(totals.open_cases), value)],
    ]
    if totals.dead_letters:
        parts.append([("dead letters ", "dim"), (show.number(totals.dead_letters), bad)])
    if totals.closed_hour:
        left = show.age(3600 * totals.open_cases / totals.closed_hour)
        parts += [[(f"{totals.closed_hour}/h by {totals.analysts}", value)], [(f"{left} left", "dim")]]
    return parts
