"""``streamguard`` in a terminal: the control center from start to a clean end."""

from __future__ import annotations

import asyncio
import gc
import locale
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

from core.terminal import hints
from tui.ports import Ports
from tui.profile import Profile, chosen

if TYPE_CHECKING:
    from core.settings import Settings
    from tui.app import ControlCenter
    from tui.terminal.departure import Departure

QUIT_SECONDS = 1.0
USAGE = 2
YOUNG_OBJECTS = 10_000
"""So many new ones are looked at in 2 ms."""


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
    """Keep the garbage collector from stopping the loop for longer than a frame: it looks at few objects at a time.

    At the old ones, tens of milliseconds with every screen open, it never looks by itself: ``tui.app.tidy`` has it do
    that every ten minutes. Before the first frame there is nothing to collect: what modules leave behind is little.
    """
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 1_000_000)
    gc.enable()


def run(where: Where, record: Path | None = None, replay: Path | None = None) -> int:
    """The control center on the real services, or on the recording ``replay``; see ``show``."""
    gc.disable()  # until everything is loaded
    from tui.adapters.connect import real_ports

    given = {"kafka": where.kafka, "ksqldb": where.ksqldb}
    profile = chosen(where.profile, where.read_only, os.environ, addresses=given)
    home = home_folder(where.home)
    if replay is not None:
        return _replay(replay, home, profile)
    return show(lambda: real_ports(where.settings, profile), home, profile, record)


def _replay(file: Path, home: Path, profile: Profile) -> int:
    from tui.recording.file import RecordingError

    def make() -> ControlCenter:
        from tui.recording.center import ReplayCenter
        from tui.recording.player import Recording

        options = {"theme_name": profile.theme or "guard-dark", "keys": profile.keys}
        return ReplayCenter(Recording(file), home / "exports", **options)

    try:
        return _show(make, home, profile)
    except RecordingError as error:
        print(f"streamguard: {error}", file=sys.stderr)
        return USAGE


def show(
    make_ports: Callable[[], Ports], home: Path, profile: Profile | None = None, record: Path | None = None
) -> int:
    """The control center on these ports; what they answer goes into ``record``. See ``_show``."""
    profile = profile or chosen(None, None, os.environ)
    if record is None:
        return _show(lambda: _center(make_ports(), home, profile), home, profile)
    from tui.recording.file import RecordingError
    from tui.recording.recorder import Recorder
    from tui.recording.view import seen

    real = make_ports()
    try:
        recorder = Recorder(record, real.now, real.environment, real.color)
    except RecordingError as error:
        print(f"streamguard: {error}", file=sys.stderr)
        return USAGE

    def make() -> ControlCenter:
        app = _center(recorder.ports(real), home, profile)
        recorder.watch(lambda: app.place, lambda problem: app.say(problem, "bad"), lambda: seen(app.screen))
        return app

    return _show(make, home, profile, recorder.close)


def _center(ports: Ports, home: Path, profile: Profile) -> ControlCenter:
    from tui.app import ControlCenter
    from tui.session import Session

    session = Session.load(home / "session" / f"{quote(profile.environment, safe='')}.json")
    theme = profile.theme or session.theme or "guard-dark"
    return ControlCenter(ports, home / "exports", theme_name=theme, keys=profile.keys, session=session)


def _show(
    make: Callable[[], ControlCenter], home: Path, profile: Profile, at_end: Callable[[], None] = lambda: None
) -> int:
    """Show the control center until the user quits or a signal ends it.

    Ends the process with 0 after quit and 128 + n after signal n; gives 2 where there is no terminal.
    """
    if not (sys.stdin.isatty() and (sys.stdout.isatty() or sys.stderr.isatty())):
        print("streamguard: the control center needs a terminal; else: streamguard run --headless", file=sys.stderr)
        return USAGE
    from tui.app import ControlCenter
    from tui.terminal import stray_output
    from tui.terminal.departure import Departure

    departure = Departure(sys.stdin.fileno())
    ControlCenter.crash_folder = home / "crashes"
    app = make()
    for problem in (*profile.problems, *_hints()):
        app.say(problem, "warn")
    settle_collector()
    with stray_output.guard(home / "logs" / "control-center.log"):
        code = asyncio.run(_live(app, departure, mouse=os.environ.get("STREAMGUARD_MOUSE") == "1"))
    at_end()
    sys.stdout.flush()
    sys.stderr.flush()
    # Not a return: the interpreter's own end waits for threads and kills a worker that is finishing its batch.
    os._exit(code)


def _hints() -> list[str]:
    """What makes the screen hard to read here; ``streamguard doctor`` says more."""
    return [f"{hint.found}: {hint.to_do}" for hint in hints(os.environ, locale.getencoding())]


async def _live(app: ControlCenter, departure: Departure, *, mouse: bool) -> int:
    departure.on_signals(lambda: app.exit(return_code=departure.code or 0))
    try:
        await app.run_async(mouse=mouse)
    finally:
        departure.insist(QUIT_SECONDS)
        await app.close_all()
    return departure.code if departure.code is not None else app.return_code or 0
