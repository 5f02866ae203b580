"""Pausing and following while rows come: what the benchmarks of the feed and of the grid time alike."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.figures import percentile
from benchmarks.pty_harness import Terminal

WARM_UP_S = 2.0
MEASURED_S = 10.0

Found = dict[str, tuple[float, str]]


class Answers(NamedTuple):
    """Key to paint of each toggle, ms, and what the line carried meanwhile, kB/s."""

    times_ms: list[float]
    wire: float


def toggle(terminal: Terminal) -> Answers:
    """Begin the program's own measurement and toggle for ``MEASURED_S``."""
    terminal.run_for(WARM_UP_S)
    terminal.press("R")
    received, begin, times, following = terminal.received, time.monotonic(), [], True
    while time.monotonic() - begin < MEASURED_S:
        times.append(terminal.paint_time(b" ", b"browsing" if following else b"following", 60) * 1000)
        following = not following
        terminal.run_for(0.5 if following else 0.1)
    return Answers(times, (terminal.received - received) / (time.monotonic() - begin) / 1000)


def said(report: Path) -> Any:
    """What the program wrote of itself when it ended: ``Probe.write``."""
    return json.loads(report.read_text())


def put(into: Found, name: str, answers: Answers, report: Any, *, load: bool = True) -> None:
    """The figures of one run; ``load`` false leaves out what the program's idle time would blur."""
    if load:
        into[f"{name}_cpu"] = (100 * report["cpu_s"] / report["wall_s"], "% of a core")
        into[f"{name}_taken"] = (report["rows"] / report["wall_s"], "rows/s")
    into[f"{name}_key_p50"] = (percentile(answers.times_ms, 50), "ms")
    into[f"{name}_key_p95"] = (percentile(answers.times_ms, 95), "ms")
    into[f"{name}_loop_gap_p99"] = (percentile(report["gaps_ms"], 99), "ms")
    into[f"{name}_wire"] = (answers.wire, "kB/s")
