"""The ksqlDB panel in a pty on a push query of 5,000 and 50,000 rows a second, beside Textual's DataTable.

CPU is that of the program alone; key to paint is from the byte of the key to the bytes of the answer. Rows that come
faster than they are taken are dropped and counted; a grid that was left for ten seconds says how many.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from benchmarks.figures import Benchmark
from benchmarks.pty_harness import Terminal, python
from benchmarks.toggling import Found, put, said, toggle
from tui.terminal.environment import DEFAULTS

REPOSITORY = Path(__file__).parents[1]
AWAY_S = 10.0


def measure() -> Benchmark:
    figures: Found = {}
    baseline: Found = {}
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        _grid(figures, "grid_5k", "grid", 5_000, report)
        _grid(figures, "grid_50k", "grid", 50_000, report, away=True)
        _grid(baseline, "datatable_5k", "datatable", 5_000, report)
    return Benchmark(figures, baseline)


def _grid(into: Found, name: str, kind: str, rate: int, report: Path, *, away: bool = False) -> None:
    terminal = Terminal(
        python("benchmarks.tui_grid_app", kind, str(rate), str(report)), env=DEFAULTS, cwd=str(REPOSITORY)
    )
    try:
        terminal.until_text("following", 60)
        if kind == "grid":
            terminal.press("3")
            terminal.until_text("ctrl+r", 60)
            terminal.press("\x12")
            terminal.until_text("● live", 60)
            terminal.press("\x1b")
            terminal.until_text("space pause", 60)
        answers = toggle(terminal)
        if away:
            terminal.press("1")
            terminal.until_text("alerts following", 60)
            terminal.run_for(AWAY_S)
            terminal.press("3")
            terminal.until(lambda screen: _dropped(screen) > 0, "the number of rows that were dropped", 60)
            into[f"{name}_dropped_while_away"] = (_dropped(terminal.text()), "rows, as the panel says")
        terminal.press("\x11")
        terminal.wait_gone(120)
    finally:
        terminal.close()
    put(into, name, answers, said(report), load=not away)


def _dropped(screen: str) -> float:
    """The panel's count: ``950``, ``48k`` or ``1,2M``."""
    found = re.search(r"dropped (\d+)(?:,(\d))?([kM]?)", screen)
    if found is None:
        return 0.0
    return float(f"{found[1]}.{found[2] or 0}") * {"": 1, "k": 1e3, "M": 1e6}[found[3]]
