"""``streamguard`` in a terminal: the control center from start to a clean end.

Textual reads its environment when it is imported, so ``tui.terminal.environment`` comes first.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import tui.terminal.environment  # noqa: F401  # sets Textual's defaults before anything imports it
from tui.ports import Ports

if TYPE_CHECKING:
    from tui.app import ControlCenter
    from tui.terminal.departure import Departure

QUIT_SECONDS = 1.0


def home() -> Path:
    """The folder of logs, exports and, when the stack is embedded, its data."""
    wanted = os.environ.get("STREAMGUARD_HOME")
    if wanted:
        return Path(wanted).expanduser().absolute()
    from platformdirs import user_data_path

    return user_data_path("stream-guard", appauthor=False)


def settle_collector() -> None:
    """Keep the garbage collector from stopping the loop: feeds hold tens of thousands of rows that never form cycles.

    A full collection over them takes 50 ms and more; with these thresholds there is one in hours.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 1_000)


def run(make_ports: Callable[[], Ports] | None = None) -> int:
    """Show the control center until the user quits or a signal ends it; gives the exit status.

    0 after quit, 2 without a terminal, 128 + n after signal n.
    """
    if not (sys.stdin.isatty() and (sys.stdout.isatty() or sys.stderr.isatty())):
        print("streamguard: the control center needs a terminal; else: streamguard run --headless", file=sys.stderr)
        return 2
    from tui.app import ControlCenter
    from tui.terminal import stray_output
    from tui.terminal.departure import Departure

    if make_ports is None:
        from tui.adapters.connect import real_ports as make_ports
    folder = home()
    departure = Departure(sys.stdin.fileno())
    theme = os.environ.get("STREAMGUARD_THEME", "guard-dark")
    app = ControlCenter(make_ports(), folder / "exports", theme_name=theme)
    settle_collector()
    with stray_output.guard(folder / "logs" / "control-center.log"):
        code = asyncio.run(_live(app, departure, mouse=os.environ.get("STREAMGUARD_MOUSE") == "1"))
        departure.arrived_safely()
    return code


async def _live(app: ControlCenter, departure: Departure, *, mouse: bool) -> int:
    departure.on_signals(lambda: app.exit(return_code=departure.code or 0))
    try:
        await app.run_async(mouse=mouse)
    finally:
        departure.insist(QUIT_SECONDS)
        await app.close_all()
    return departure.code if departure.code is not None else app.return_code or 0
