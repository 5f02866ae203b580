"""``python -m tui.screenshot DIR``: SVG pictures of the running product and the guide's key reference.

It runs the real control center without a terminal on a stack of its own: normal traffic flows, two scenarios are
launched, a push query streams, and each screen is taken when it shows what the guide speaks of.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from tui import keymap
from tui.adapters.connect import real_ports
from tui.app import ControlCenter
from tui.screens.rules.screen import RulesScreen
from tui.widgets.feed import Feed

SIZE = (110, 32)
PATIENCE_S = 120.0
TRAFFIC = 100
WARM_SECONDS = 45
"""Seconds of traffic before the first picture, so that the chart has something to show."""
STATEMENT = "SELECT account_id, merchant_name, amount, channel FROM transactions EMIT CHANGES;"


class Photographer:
    """Drives the control center and writes a picture where a screen is ready."""

    def __init__(self, app: ControlCenter, pilot: Pilot[int], folder: Path) -> None:
        self._app = app
        self._pilot = pilot
        self._folder = folder

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            if time.monotonic() > deadline:
                raise SystemExit(f"screenshot: {what} did not come within {PATIENCE_S:.0f} s")
            await self._pilot.pause(0.2)

    async def take(self, name: str) -> None:
        self._app.notices.clear()
        await self._pilot.pause(0.6)
        svg = self._app.export_screenshot(title="stream guard")
        # Blanks at the ends of a text are layout here; some renderers drop them unless told.
        path = self._folder / f"{name}.svg"
        path.write_text(svg.replace("<text ", '<text xml:space="preserve" '), "utf-8")
        print(path)

    async def tour(self) -> None:
        app, press, live = self._app, self._pilot.press, self._app.live
        await self.until(lambda: bool(live.services), "the first service")
        await self.take("boot")
        await self.until(lambda: live.ready and app.current_mode == "overview", "the stack")
        await app.command(app.ports.commands.set_traffic(TRAFFIC))
        await app.launch("velocity_burst")
        await app.launch("high_amount")
        await self.until(lambda: self._scored() >= 2, "the verdicts")
        await self.until(
            lambda: sum(row.payments for row in live.seconds.value or ()) > TRAFFIC * WARM_SECONDS, "traffic"
        )
        await app.launch("velocity_burst")
        await self.until(lambda: self._scored() >= 3, "the third verdict")
        await self.take("overview")
        await press("2", "k", "k")
        await self.take("alerts")
        await press("G", "slash", *"velocity", "enter", "enter")
        await self._pilot.pause(1.5)
        await self.take("alert")
        await press("x", *_keys("the holder says so"), "enter")  # what is judged here counts for its rule
        await self._pilot.pause(1)
        await press("escape", "escape", "4")
        await self.take("scenarios")
        await press("j", "enter", "5", "tab", "tab", "9", "9", "9")
        await self.take("parameters")
        await press("escape", "c")
        await self.take("comparison")
        await press("escape")
        await self._kafka_log_health()
        await self._accounts_and_rules()
        await press("3", "ctrl+l")
        await press(*_keys(STATEMENT), "ctrl+r")
        await self._pilot.pause(6)
        await self.take("ksqldb")
        await press("ctrl+c", "escape", "question_mark")
        await self.take("help")

    async def _accounts_and_rules(self) -> None:
        press = self._pilot.press
        await press("5")
        await self.until(lambda: self._rows("#accounts") > 2, "the accounts")
        await self._pilot.pause(2)
        await press("B", *_keys("confirmed takeover"), "enter")
        await self.until(lambda: self._rows("#lists") > 0, "the block")
        await self.take("accounts")
        await press("enter")
        await self.until(lambda: self._rows("#moments") > 3, "the timeline")
        await press("left_square_bracket", "left_square_bracket")
        await self._pilot.pause(2)
        await self.take("account")
        await press("escape", "6")
        await self.until(self._truth_is_known, "a verdict that counts")
        await self.take("rules")
        await press("b")
        await self._pilot.pause(0.5)
        await press("enter")
        rules = self._app.screen
        await self.until(lambda: isinstance(rules, RulesScreen) and bool(rules.results), "the backtest")
        await press("enter")
        await self._pilot.pause(1)
        await self.take("rule")
        await press("escape")

    async def _kafka_log_health(self) -> None:
        press = self._pilot.press
        await press("7")
        await self.until(lambda: self._rows("#groups") > 0, "the groups")
        await self._pilot.pause(5)
        await self.take("kafka")
        await press("colon", *_keys("topic transactions"), "enter")
        await self.until(lambda: self._rows("#messages") > 20, "messages")
        await press("k")
        await self.take("messages")
        await press("escape", "escape", "8")
        await self.until(lambda: self._rows("#standings") > 2, "the projections")
        await press("k")
        await self._pilot.pause(2)
        await self.take("eventlog")
        await press("9")
        await self.until(lambda: self._rows("#parts") > 4, "the parts")
        await self._pilot.pause(2)
        await self.take("health")

    def _truth_is_known(self) -> bool:
        """Somebody or a label has said of an alert what it was."""
        found = self._app.screen.query("#rules").results(Feed)
        return any(row.quality is not None for feed in found for row in feed.model.rows())

    def _rows(self, pane: str) -> int:
        found = self._app.screen.query(pane).results(Feed)
        return sum(len(feed.model) for feed in found)

    def _payments(self) -> int:
        return sum(row.payments for row in self._app.live.seconds.value or ())

    def _scored(self) -> int:
        return sum(run.status == "scored" for run in self._app.live.runs.value or ())


_NAMES = {" ": "space", "_": "underscore", ",": "comma", ";": "semicolon"}


def _keys(text: str) -> list[str]:
    return [_NAMES.get(char, char) for char in text]


async def photograph(folder: Path, home: Path) -> None:
    """Write every picture into ``folder``; the stack lives in ``home`` and ends with this."""
    from core.settings import load

    app = ControlCenter(real_ports(lambda: load(home=home)), home / "exports")
    async with app.run_test(size=SIZE) as pilot:
        try:
            await Photographer(app, pilot, folder).tour()
        finally:
            await app.close_all()


GUIDE = Path(__file__).parents[1] / "docs" / "control-center.md"
KEYS_HEADING = "\n## Keys\n"


def renew_reference(guide: Path) -> None:
    """Put the key reference of this registry at the end of the guide."""
    text, heading, rest = guide.read_text("utf-8").partition(KEYS_HEADING)
    introduction = rest.split("### ", 1)[0]
    guide.write_text(text + heading + introduction + keymap.reference().rstrip() + "\n", "utf-8")


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    renew_reference(GUIDE)
    with tempfile.TemporaryDirectory(prefix="sg-", ignore_cleanup_errors=True) as home:
        asyncio.run(photograph(folder, Path(home)))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tui.screenshot DIR")
    main(Path(sys.argv[1]))
