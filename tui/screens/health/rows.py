"""Services, worker tasks, log lines and stalls as rows. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tui import format as show
from tui.ports import ServiceState, WorkerState
from tui.screens.health.port import CrashReport, LogLine, Stall
from tui.screens.overview.health import SILENT_MS, STATES
from tui.terminal.sanitise import clean
from tui.widgets.canvas import Cell, Line
from tui.widgets.columns import Column

HEAD_CHARS = 600
"""As much of a log line as is looked at for its time and level."""


@dataclass(frozen=True, slots=True)
class Part:
    """A service, or one task of a worker process. ``seen`` is when its last status came; ``since`` when it came up."""

    kind: str
    name: str
    state: str
    detail: str
    since: int | None
    seen: int | None
    restarts: int | None
    pid: int | None
    where: str
    now_ms: int


def parts(services: Sequence[ServiceState], workers: Sequence[WorkerState] | None, now_ms: int) -> list[Part]:
    """Services first, then tasks by worker."""
    rows = [
        Part("service", s.name, s.state, s.detail, s.since, None, s.restarts, s.pid, s.address, now_ms)
        for s in services
    ]
    for w in workers or ():
        state = w.state if now_ms - w.updated_at <= SILENT_MS else "silent"
        rows.append(Part("task", w.task, state, w.detail, None, w.updated_at, w.restarts, w.pid, w.worker_id, now_ms))
    return rows


PARTS = (
    Column("part", 11),
    Column("state", 10),
    Column("up for", 6, "right", about="since its last start"),
    Column("seen", 4, "right", rank=7, about="age of its last sign of life; 1s is well"),
    Column("restarts", 8, "right", about="since the stack or the worker was started"),
    Column("pid", 7, "right", rank=5),
    Column("worker", 16, grow=1, limit=40, rank=4, about="the process that it belongs to"),
    Column("detail", 20, grow=4, limit=200, about="its own figures, or the address"),
)


def _age(since: int | None, now_ms: int) -> str:
    return show.UNKNOWN if since is None else show.age((now_ms - since) / 1000)


def part_cells(row: Part) -> Sequence[Cell]:
    return (
        (row.name, "strong" if row.kind == "service" else "text"),
        (row.state, STATES.get(row.state, "warn")),
        (_age(row.since, row.now_ms), "text"),
        (_age(row.seen, row.now_ms), "dim"),
        (show.number(row.restarts), "warn" if row.restarts else "text"),
        (show.UNKNOWN if row.pid is None else str(row.pid), "dim"),
        (row.where if row.kind == "task" else "", "dim"),
        (row.detail if row.kind == "task" else " ".join(part for part in (row.where, row.detail) if part), "text"),
    )


# ---------------------------------------------------------------------------------------------------- log lines

LOG = (Column("time", 8, rank=7), Column("level", 7), Column("message", 20, grow=1, limit=10_000))

_STRUCTLOG = re.compile(r"timestamp='([^']*)' level='(\w+)' event=")
_PLAIN = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)\S*(?: UTC)?(?: \[\d+\])? (\w+):? +")
_STYLES = {
    **dict.fromkeys(("error", "critical", "fatal", "panic", "exception"), "bad"),
    **dict.fromkeys(("warning", "warn"), "warn"),
}


def split_line(text: str) -> tuple[str, str, str]:
    """Local time of day, level and the rest of a line of structlog, logging or PostgreSQL; else all is the rest."""
    head = text[:HEAD_CHARS]
    if found := _STRUCTLOG.match(head):
        return _local(found[1]), found[2].lower(), text[found.end() :]
    if found := _PLAIN.match(head):
        clock = _local(f"{found[1]}T{found[2]}+00:00") if " UTC" in found[0] else found[2]
        return clock, found[3].lower(), text[found.end() :]
    return "", "", text


def _local(moment: str) -> str:
    try:
        return datetime.fromisoformat(moment).astimezone().strftime("%H:%M:%S")
    except ValueError:
        return ""


def log_cells(line: LogLine) -> Sequence[Cell]:
    clock, level, text = split_line(line.text)
    style = _STYLES.get(level, "text")
    return (clock, "dim"), (level, style if style != "text" else "dim"), (clean(text), style)


# ---------------------------------------------------------------------------------------------------- the loop


def loop_line(stalls: Sequence[Stall], crashes: Sequence[CrashReport] | None, now_ms: int, hosted: int) -> Line:
    """The worst and the last hitch of the event loop, how many crash reports there are, and hosted workers."""
    cells: list[Cell] = [(" loop ", "strong")]
    if stalls:
        worst, last = max(stalls, key=lambda stall: stall.ms), stalls[-1]
        cells += [
            (f"{show.counted(len(stalls), 'stall')}, worst ", "dim"),
            (show.duration(worst.ms), "bad" if worst.ms >= 1000 else "warn"),
            (f", last {_age(last.at, now_ms)} ago ", "dim"),
        ]
    else:
        cells.append(("no stalls ", "good"))
    count = None if crashes is None else len(crashes)
    cells += [
        (" crashes ", "strong"),
        (f"{show.number(count)} ", "warn" if count else "text"),
        (" hosted workers ", "strong"),
        (f"{hosted}", "text"),
    ]
    return cells


def _blame(stall: Stall) -> Cell:
    """What held the loop; dim when it was not the loop's own work."""
    if 2 * stall.ran_ms < stall.ms:
        return f"the core was busy elsewhere{', in ' if stall.where else ''}{stall.where}", "dim"
    return stall.where or "many short things", "text"


def stall_lines(stalls: Sequence[Stall], now_ms: int) -> list[Line]:
    """Newest first."""
    head: Line = [(" stalls of the loop", "title"), (f"  {len(stalls)}, newest first: keys waited that long", "dim")]
    rows: list[Line] = [
        [
            (f"   {show.day_clock(stall.at, now_ms):<12}", "dim"),
            (f"{show.duration(stall.ms):>10}  ", "bad" if stall.ms >= 1000 else "warn"),
            (f"ran {show.duration(stall.ran_ms):>8}  ", "text"),
            _blame(stall),
        ]
        for stall in reversed(stalls)
    ]
    return [head, *(rows or [[("   none so far", "good")]])]
