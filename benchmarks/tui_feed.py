"""The control center in a pty at 10,000 and 50,000 alerts a second, beside Textual's own RichLog and DataTable.

CPU is that of the program alone. Key to paint is from the byte of the key to the bytes of the answer on the wire. The
50,000 are what the overview is offered; it says what it drops. Also: bytes on the wire, and the gaps of the event loop
with a terminal that takes 5 kB/s, while every screen is visited for the first time.
"""

from __future__ import annotations

import tempfile
import time
import zlib
from pathlib import Path

from benchmarks.figures import Benchmark
from benchmarks.pty_harness import Terminal, python
from benchmarks.toggling import MEASURED_S, WARM_UP_S, Found, put, said, toggle
from tui.terminal.environment import DEFAULTS

REPOSITORY = Path(__file__).parents[1]
SLOW_LINE = 5_000
VISITS = (
    *(("2", "next case"), ("4", "l launch"), ("5", "a find"), ("6", "D deploy")),
    *(("7", "i partitions"), ("8", "V verify"), ("9", "R restart"), ("3", "ctrl+r run")),
)
"""The key of a screen and the last thing that it paints; the editor is the last, since it takes every key."""


def measure() -> Benchmark:
    figures: Found = {}
    baseline: Found = {}
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        for rate in (10_000, 50_000):
            _feed(figures, f"alerts_{rate // 1000}k", "overview", rate, report)
        _wire(figures, report)
        figures["line_5kBps_loop_gap_max"] = _loop_gap(report, SLOW_LINE), "ms"
        baseline["line_at_full_speed_loop_gap_max"] = _loop_gap(report, 0), "ms"
        for kind in ("datatable", "richlog"):
            _feed(baseline, f"{kind}_10k", kind, 10_000, report)
    return Benchmark(figures, baseline)


def _start(kind: str, rate: int, report: Path, bytes_per_s: int = 0) -> Terminal:
    command = python("benchmarks.tui_feed_app", kind, str(rate), str(report))
    return Terminal(command, env=DEFAULTS, cwd=str(REPOSITORY), bytes_per_s=bytes_per_s)


def _feed(into: Found, name: str, kind: str, rate: int, report: Path) -> None:
    """Toggle pause and follow while rows come, and time each answer."""
    terminal = _start(kind, rate, report)
    try:
        terminal.until_text("following", 60)
        answers = toggle(terminal)
        terminal.press("\x11")
        terminal.wait_gone(120)
    finally:
        terminal.close()
    put(into, name, answers, said(report))


def _wire(into: Found, report: Path) -> None:
    """What a live overview of 80x24 costs on the line, as it is and as ``ssh -C`` would send it."""
    terminal = _start("overview", 10_000, report)
    packer, packed = zlib.compressobj(6), 0
    try:
        terminal.until_text("following", 60)
        terminal.run_for(WARM_UP_S)
        begin, received = time.monotonic(), terminal.received
        while time.monotonic() - begin < MEASURED_S:
            terminal.forget()
            terminal.pump(0.02)
            if terminal.raw:
                packed += len(packer.compress(bytes(terminal.raw)) + packer.flush(zlib.Z_SYNC_FLUSH))
        wall = time.monotonic() - begin
        terminal.press("\x11")
        terminal.wait_gone(30)
    finally:
        terminal.close()
    into["live_80x24_wire"] = ((terminal.received - received) / wall / 1000, "kB/s")
    into["live_80x24_wire_compressed"] = (packed / wall / 1000, "kB/s")


def _loop_gap(report: Path, bytes_per_s: int) -> float:
    """The worst gap of the event loop, ms, behind a line of so many bytes a second; keys must still steer."""
    terminal = _start("overview", 1_000, report, bytes_per_s)
    try:
        terminal.until_text("following", 60)
        terminal.run_for(WARM_UP_S)
        terminal.press("R")
        terminal.run_for(MEASURED_S)
        for key, seen in VISITS:
            terminal.press(key)
            terminal.until_text(seen, 60)
        terminal.press("\x11")
        terminal.wait_gone(30)
    finally:
        terminal.close()
    return float(max(said(report)["gaps_ms"]))
