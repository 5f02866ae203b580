"""``streamguard`` in a terminal: the control center from start to a clean end."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tui.ports import Ports
from tui.profile import Profile, chosen

if TYPE_CHECKING:
    from core.settings import Settings
    from tui.app import ControlCenter
    from tui.terminal.departure import Departure

QUIT_SECONDS = 1.0


class Where(Protocol):
    """The command line's flags: the home folder, if it was given, and all settings, slow to load."""

    @property
    def home(self) -> Path | None: ...

    @property
    def kafka(self) -> str | None: ...

    @property
    def ksqldb(self) -> str | None: ...

    @property
    def profile(self) -> str | None: ...

    @property
    def read_only(self) -> bool | None: ...

    def settings(self) -> Settings: ...


def home_folder(flag: Path | None) -> Path:
    """The folder of logs and exports: the flag, ``STREAMGUARD_HOME``, or the user's data folder."""
    wanted = flag or os.environ.get("STREAMGUARD_HOME")
    if wanted:
        return Path(wanted).expanduser().absolute()
    from platformdirs import user_data_path

    return user_data_path("stream-guard", appauthor=False)


def settle_collector() -> None:
    """Keep the garbage collector from stopping the loop: feeds hold tens of thousands of rows that never form cycles.

    A full collection over them takes 50 ms and more; with these thresholds there is one in hours. None runs before the
    first frame either: what modules leave behind is little.
    """
    gc.freeze()
    gc.set_threshold(100_000, 50, 1_000)
    gc.enable()


def run(where: Where) -> int:
    """The control center on the real services; see ``show``."""
    gc.disable()  # until everything is loaded
    from tui.adapters.connect import real_ports

    given = {"kafka": where.kafka, "ksqldb": where.ksqldb}
    profile = chosen(where.profile, where.read_only, os.environ, addresses=given)
    return show(lambda: real_ports(where.settings, profile), home_folder(where.home), profile)


def show(make_ports: Callable[[], Ports], home: Path, profile: Profile | None = None) -> int:
    """Show the control center until the user quits or a signal ends it.

    Ends the process with 0 after quit and 128 + n after signal n; gives 2 where there is no terminal.
    """
    if not (sys.stdin.isatty() and (sys.stdout.isatty() or sys.stderr.isatty())):
        print("streamguard: the control center needs a terminal; else: streamguard run --headless", file=sys.stderr)
        return 2
    from tui.app import ControlCenter
    from tui.terminal import stray_output
    from tui.terminal.departure import Departure

    departure = Departure(sys.stdin.fileno())
    profile = profile or chosen(None, None, os.environ)
    ControlCenter.crash_folder = home / "crashes"
    app = ControlCenter(make_ports(), home / "exports", theme_name=profile.theme or "guard-dark", keys=profile.keys)
    for problem in profile.problems:
        app.say(problem, "warn")
    settle_collector()
    with stray_output.guard(home / "logs" / "control-center.log"):
        code = asyncio.run(_live(app, departure, mouse=os.environ.get("STREAMGUARD_MOUSE") == "1"))
    sys.stdout.flush()
    sys.stderr.flush()
    # Not a return: the interpreter's own end waits for threads and kills a worker that is finishing its batch.
    os._exit(code)


async def _live(app: ControlCenter, departure: Departure, *, mouse: bool) -> int:
    departure.on_signals(lambda: app.exit(return_code=departure.code or 0))
    try:
        await app.run_async(mouse=mouse)
    finally:
        departure.insist(QUIT_SECONDS)
        await app.close_all()
    return departure.code if departure.code is not None else app.return_code or 0
