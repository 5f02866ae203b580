"""How fast the control center is there and gone: the first paint, ctrl+q, SIGHUP, also when the terminal has stalled.

The first paint is on fakes, counted from the start of the program and from the end of its imports. The end is also that
of the product on a stack of its own while push queries hold ten connections and more. In a stack that runs already, as
after ``streamguard up``: nothing of the end is the stack's own.
"""

from __future__ import annotations

import json
import signal
import tempfile
import time
from functools import partial
from pathlib import Path

import psutil

from benchmarks.figures import Benchmark
from benchmarks.pty_harness import Terminal, python
from benchmarks.toggling import Found
from benchmarks.tui_feed_app import IMPORTED_AT
from tests.pty.stack import REPOSITORY, running
from tui.terminal.environment import DEFAULTS

FIRST_PAINT = b"stream guard"
CONNECTIONS = 10
TABS = 8


def measure() -> Benchmark:
    figures: Found = {}
    with tempfile.TemporaryDirectory() as folder:
        _start(figures, Path(folder) / "report.json")
    for name, stalled in (("hangup_to_gone", False), ("hangup_stalled_to_gone", True)):
        with tempfile.TemporaryDirectory() as home:
            figures[name] = _hang_up(home, stalled=stalled), "ms"
    with tempfile.TemporaryDirectory() as folder:
        _connected(figures, Path(folder))
    return Benchmark(figures, {})


def _start(into: Found, report: Path) -> None:
    """From the start of the program to its first frame, and from ctrl+q to its end."""
    begin = time.monotonic()
    terminal = Terminal(
        python("benchmarks.tui_feed_app", "overview", "100", str(report)), env=DEFAULTS, cwd=str(REPOSITORY)
    )
    try:
        while FIRST_PAINT not in terminal.raw:
            terminal.pump(0.01)
        painted = time.monotonic()
        into["start_to_first_paint"] = (painted - begin) * 1000, "ms"
        into["imports_to_first_paint"] = (painted - json.loads(report.read_text())[IMPORTED_AT]) * 1000, "ms"
        terminal.until_text("following", 60)
        terminal.press("\x11")
        into["quit_to_gone"] = terminal.wait_gone(30) * 1000, "ms"
    finally:
        terminal.close()


def _hang_up(home: str, *, stalled: bool) -> float:
    center = Terminal(python("tests.pty.faked_center"), env={"STREAMGUARD_HOME": home}, cwd=str(REPOSITORY))
    try:
        center.until_text("following", 60)
        if stalled:
            center.press("21" * 200)
        center.send_signal(signal.SIGHUP)
        return center.wait_gone(30, reading=not stalled) * 1000
    finally:
        center.close()


def _connected(into: Found, folder: Path) -> None:
    """ctrl+q of the product with push queries in tabs, each a connection, and a topic that is read; those to PostgreSQL
    are not counted."""
    with running(folder) as stack:
        center = stack.center()
        try:
            center.until_text("following", 120)
            center.press("7")
            center.until_text("transaction_labels", 60)
            center.press("\r")
            center.until_text("read, tail", 60)
            center.press("3")
            center.until_text("≈ TRANSACTIONS", 120)
            for tab in range(1, TABS + 1):
                if tab > 1:
                    center.press("\x14")
                    center.until(partial(_has_tab, tab), f"tab {tab}", 60)
                    center.press("SELECT * FROM TRANSACTIONS EMIT CHANGES;")
                center.press("\x12")
                center.until(partial(_has_live, tab), f"query {tab}", 60)
            center.until(lambda screen: _connections(center.pid) >= CONNECTIONS, f"{CONNECTIONS} connections", 60)
            into["connections_at_quit"] = float(_connections(center.pid)), "open connections"
            center.press("\x11")
            into["quit_with_connections_to_gone"] = center.wait_gone(30) * 1000, "ms"
        finally:
            center.close()


def _has_tab(number: int, screen: str) -> bool:
    return f" {number} " in screen.splitlines()[2]


def _has_live(number: int, screen: str) -> bool:
    """Whether so many queries are live: each tab that is not alone has a mark, and the shown one says it in words."""
    return screen.count("●") >= number + (number > 1)


def _connections(pid: int) -> int:
    return sum(found.status == psutil.CONN_ESTABLISHED for found in psutil.Process(pid).net_connections("inet"))
