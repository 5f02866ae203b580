"""A scenario and a run of it as rows, with a verdict in words. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tui import format as show
from tui.ports import ScenarioInfo, ScenarioRun
from tui.widgets.canvas import Cell
from tui.widgets.columns import Column

ACTIVE = ("requested", "claimed", "sent")


@dataclass(frozen=True, slots=True)
class Listed:
    """A scenario of the catalogue with its newest run."""

    info: ScenarioInfo
    last: ScenarioRun | None
    now_ms: int


def verdict(run: ScenarioRun | None) -> Cell:
    """``ok`` all caught, ``part`` some, ``missed`` none; else what the run is doing."""
    if run is None:
        return "never", "dim"
    if run.status != "scored":
        style = "bad" if run.status == "failed" else "dim" if run.status == "stopped" else "accent"
        return run.status, style
    if not run.expected:
        return ("ok", "good") if not run.false_alerts else ("false alerts", "warn")
    if run.caught == run.expected:
        return "ok", "good"
    return ("part", "warn") if run.caught else ("missed", "bad")


def _caught(run: ScenarioRun | None) -> str:
    if run is None or run.caught is None or run.expected is None:
        return show.UNKNOWN
    return f"{run.caught}/{run.expected}"


CATALOGUE = (
    Column("key", 3),
    Column("scenario", 18, grow=1, limit=26),
    Column("expects", 20, grow=3, limit=60, rank=5),
    Column("last run", 8, "right"),
    Column("verdict", 9),
    Column("caught", 6, "right"),
    Column("detected in", 11, "right", rank=6),
)


def catalogue_cells(row: Listed) -> Sequence[Cell]:
    run = row.last
    ago = show.UNKNOWN if run is None else f"{show.age((row.now_ms - run.requested_at) / 1000)} ago"
    return (
        (row.info.key, "key"),
        (row.info.name, "text"),
        (row.info.expects, "dim"),
        (ago, "dim"),
        verdict(run),
        (_caught(run), "text"),
        (show.UNKNOWN if run is None else show.duration(run.time_to_detect_ms), "text"),
    )


RUNS = (
    Column("asked", 8),
    Column("scenario", 18, grow=1, limit=26),
    Column("verdict", 12),
    Column("caught", 6, "right"),
    Column("missed", 6, "right"),
    Column("false", 5, "right"),
    Column("detected in", 11, "right"),
    Column("wall clock", 10, "right", rank=4),
    Column("money lost", 12, "right", rank=5),
    Column("seed", 8, "right", rank=2),
    Column("worker", 10, grow=1, limit=24, rank=1),
)


def run_cells(run: ScenarioRun) -> Sequence[Cell]:
    return (
        (show.clock(run.requested_at), "dim"),
        (run.scenario, "text"),
        verdict(run),
        (_caught(run), "text"),
        (show.number(run.missed), "bad" if run.missed else "text"),
        (show.number(run.false_alerts), "warn" if run.false_alerts else "text"),
        (show.duration(run.time_to_detect_ms), "text"),
        (show.duration(run.detected_wall_ms), "dim"),
        (show.money(run.money_lost), "text"),
        (str(run.seed), "dim"),
        (run.worker, "dim"),
    )
