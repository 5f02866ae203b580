"""Scenarios and their runs as rows, a verdict in words, runs side by side. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from core.scenarios import runs
from tui import format as show
from tui.ports import ScenarioInfo, ScenarioRun
from tui.terminal.sanitise import fit, wrap
from tui.widgets.canvas import Cell, Line
from tui.widgets.columns import Column

ACTIVE = ("requested", "claimed", "sent")
MARK = "•"
_BARS = "▁▆"
BAR = 8


@dataclass(frozen=True, slots=True)
class Listed:
    """A scenario of the catalogue with its newest run."""

    info: ScenarioInfo
    last: ScenarioRun | None
    now_ms: int
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """A run of the history; ``marked`` for a comparison."""

    run: ScenarioRun
    now_ms: int
    marked: bool = False


def verdict(run: ScenarioRun | None) -> Cell:
    """``ok`` all caught, ``part`` some, ``missed`` none; else what the run is doing."""
    if run is None:
        return "never", "dim"
    if run.status != "scored":
        style = "bad" if run.status == "failed" else "dim" if run.status == "stopped" else "accent"
        return run.status, style
    if not run.expected:
        return ("ok", "good") if not run.false_alerts else ("false", "warn")
    if run.caught == run.expected:
        return "ok", "good"
    return ("part", "warn") if run.caught else ("missed", "bad")


def _caught(run: ScenarioRun | None) -> str:
    if run is None or run.caught is None or run.expected is None:
        return show.UNKNOWN
    return f"{run.caught}/{run.expected}"


CATALOGUE = (
    Column("", 1),
    Column("key", 3, about="its letter behind s"),
    Column("scenario", 20, grow=1, limit=26),
    Column("expects", 20, grow=3, limit=60, rank=4, about="the rules that should catch it"),
    Column("last run", 8, "right", about="how long ago"),
    Column("verdict", 9, about="ok: all caught; part: some; missed: none; never launched"),
    Column("caught", 6, "right", about="accounts with an alert on a fraud, of those expected"),
    Column("missed", 6, "right", rank=5, about="expected accounts without an alert"),
    Column("first alert", 11, "right", about="from the first fraud to its first alert, event time"),
    Column("money lost", 12, "right", about="frauds of an account before its first alert"),
)


def catalogue_cells(row: Listed) -> Sequence[Cell]:
    run = row.last
    ago = show.UNKNOWN if run is None else f"{show.age((row.now_ms - run.requested_at) / 1000)} ago"
    return (
        (MARK if row.marked else "", "accent"),
        (row.info.key, "key"),
        (row.info.name, "strong" if row.marked else "text"),
        (row.info.expects, "dim"),
        (ago, "dim"),
        verdict(run),
        (_caught(run), "text"),
        (show.number(run.missed) if run else show.UNKNOWN, "bad" if run and run.missed else "dim"),
        (show.duration(run.time_to_detect_ms) if run else show.UNKNOWN, "text"),
        (show.money(run.money_lost) if run else show.UNKNOWN, "text"),
    )


RUNS = (
    Column("", 1),
    Column("asked", 11),
    Column("scenario", 18, grow=1, limit=26),
    Column("verdict", 9, about="ok: all caught; part: some; missed: none; never launched"),
    Column("caught", 6, "right", about="accounts with an alert on a fraud, of those expected"),
    Column("false", 5, "right", rank=5, about="alerts on payments that were no fraud"),
    Column("first alert", 11, "right", rank=7, about="from the first fraud to its first alert, event time"),
    Column("wall clock", 10, "right", rank=4, about="the same, by the clock on the wall"),
    Column("money lost", 12, "right", rank=6, about="frauds of an account before its first alert"),
    Column("seed", 10, "right", rank=3, about="the same seed and parameters make the same run"),
    Column("caught by", 12, grow=3, limit=48, rank=2, about="alerts by rule"),
    Column("worker", 10, grow=1, limit=24, rank=1),
)


def run_cells(row: Run) -> Sequence[Cell]:
    run = row.run
    return (
        (MARK if row.marked else "", "accent"),
        (show.day_clock(run.requested_at, row.now_ms), "dim"),
        (run.scenario, "strong" if row.marked else "text"),
        verdict(run),
        (_caught(run), "bad" if run.missed else "text"),
        (show.number(run.false_alerts), "warn" if run.false_alerts else "text"),
        (show.duration(run.time_to_detect_ms), "text"),
        (show.duration(run.detected_wall_ms), "dim"),
        (show.money(run.money_lost), "text"),
        (str(run.seed), "dim"),
        (run.reason or runs.by_rule(run.caught_by), "bad" if run.reason else "dim"),
        (run.worker, "dim"),
    )


def about_lines(info: ScenarioInfo | None, width: int) -> list[Line]:
    """What happens in a scenario and who should see it."""
    if info is None:
        return []
    room = max(20, width - 2)
    story = f"{info.title}. {info.story}" if info.story else info.title
    head = [[(" ", "dim"), (line, "text")] for line in wrap(story, room, 2)]
    return [*head, [(" expects ", "dim"), (info.expects, "accent")]]


def under_way_cells(found: Sequence[ScenarioRun], now_ms: int) -> list[Cell]:
    """``running: card_testing seed 42 ▆▆▆▆▁▁▁▁ 2/4 caught, 11s`` of the newest run that has no verdict yet."""
    active = [run for run in found if run.status in ACTIVE]
    if not active:
        return [("nothing is running", "dim")]
    run = active[0]
    cells: list[Cell] = [("running: ", "dim"), (run.scenario, "strong"), (f" seed {run.seed} ", "dim")]
    if run.expected and run.caught is not None:
        full = run.caught * BAR // run.expected
        cells += [
            (_BARS[1] * full + _BARS[0] * (BAR - full), "bar"),
            (f" {run.caught}/{run.expected} caught, ", "text"),
        ]
    else:
        cells.append((f"{run.status}, ", "accent"))
    cells.append((show.age((now_ms - run.requested_at) / 1000), "dim"))
    if len(active) > 1:
        cells.append((f", and {len(active) - 1} more", "dim"))
    return cells


# ------------------------------------------------------------------------------------------------ runs side by side

_NAME = 15
_LEAST = 16


def core_run(run: ScenarioRun) -> runs.Run:
    """As the headless twin knows it."""
    return runs.Run(
        run_id=run.run_id,
        scenario=run.scenario,
        seed=run.seed,
        parameters=dict(run.parameters),
        status=run.status,
        requested_at=datetime.fromtimestamp(run.requested_at / 1000, UTC),
        transactions=run.transactions,
        expected=run.expected,
        caught=run.caught,
        missed=run.missed,
        false_alerts=run.false_alerts,
        time_to_detect_ms=run.time_to_detect_ms,
        detected_wall_ms=run.detected_wall_ms,
        money_lost=run.money_lost,
        caught_by=dict(run.caught_by),
        reason=run.reason or None,
    )


def compare_lines(chosen: Sequence[ScenarioRun], now_ms: int, width: int) -> list[Line]:
    """Parameters and verdicts, a run a column; what differs stands out, the best is marked by ``*``."""
    room = max(1, (width - _NAME - 3) // (_LEAST + 1))
    shown = list(chosen[:room])
    each = max(_LEAST, min(34, (width - _NAME - 3) // max(1, len(shown)) - 1))
    left_out = f", {len(chosen) - room} more on a wider terminal" if len(chosen) > room else ""
    what = f"{len(shown)} runs, * is the best" if len(shown) > 1 else "one run"
    lines: list[Line] = [
        [(" comparison" if len(shown) > 1 else " run", "title"), (f"  {what}{left_out}", "dim")],
        _row("asked", [show.day_clock(run.requested_at, now_ms) for run in shown], each),
    ]
    for row in runs.compare([core_run(run) for run in shown]):
        texts = [_value(value, row.unit) for value in row.values]
        differs = len(set(row.values)) > 1
        lines.append(_row(row.what.replace("_", " "), texts, each, row.best, differs=differs))
    reasons = [run.reason for run in shown]
    if any(reasons):
        lines.append(_row("reason", reasons, each, style="bad"))
    return lines


def _row(
    name: str, texts: Sequence[str], each: int, best: Sequence[int] = (), *, differs: bool = False, style: str = ""
) -> Line:
    cells: list[Cell] = [(f" {fit(name, _NAME)}", "dim")]
    for at, text in enumerate(texts):
        chosen = style or ("good" if at in best else "strong" if differs else "text")
        cells.append((f" {fit(text + (' *' if at in best else ''), each)}", chosen))
    return cells


def _value(value: int | float | str | bool | None, unit: str) -> str:
    if value is None:
        return show.UNKNOWN
    if isinstance(value, str | bool):
        return str(value)
    match unit:
        case "ms":
            return show.duration(value)
        case "centavos":
            return show.money(int(value))
        case "share":
            return show.percent(value, 0)
        case "count":
            return show.number(value)
    return str(value) if isinstance(value, int) else f"{value:g}".replace(".", ",")
