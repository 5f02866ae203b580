"""Scenarios: one key launches, the verdict appears beside what was expected."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget

from tui import format as show
from tui import keymap
from tui.ports import ScenarioRun, Verdict
from tui.screens.base import ControlScreen
from tui.screens.scenarios.rows import ACTIVE, CATALOGUE, RUNS, Listed, catalogue_cells, run_cells
from tui.widgets.feed import Feed
from tui.widgets.lines import Lines

RATES = (0, 10, 50, 100, 200, 500, 1_000, 2_000, 3_000, 5_000)
"""Payments per second that ``+`` and ``-`` step through."""


class Catalogue(Feed[Listed]):
    """The catalogue; its actions work on the selected scenario."""

    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings("scenarios")]

    def action_start(self) -> None:
        row = self.selected
        if row is not None:
            self.screen.run_worker(self._screen.center.launch(row.info.name), group="command")

    def action_start_all(self) -> None:
        self.screen.run_worker(self._start_all(), group="command")

    async def _start_all(self) -> None:
        for row in self.model.rows():
            await self._screen.center.launch(row.info.name)

    def action_stop_run(self) -> None:
        row = self.selected
        if row is None or row.last is None or row.last.status not in ACTIVE:
            self._screen.say("no unfinished run of it")
            return
        screen = self._screen
        screen.run_worker(screen.center.command(screen.live.ports.commands.stop_run(row.last.run_id)), group="command")

    @property
    def _screen(self) -> ScenariosScreen:
        screen = self.screen
        assert isinstance(screen, ScenariosScreen)
        return screen


class ScenariosScreen(ControlScreen):
    AUTO_FOCUS = "#catalogue"
    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings("traffic")]
    title_name = "scenarios"

    def body(self) -> Iterator[Widget]:
        yield Catalogue("scenarios", CATALOGUE, catalogue_cells, lambda row: row.info.name, live=False, id="catalogue")
        yield Lines(id="traffic")
        yield Feed(
            "runs", RUNS, run_cells, lambda run: run.run_id, live=False, empty="nothing was launched yet", id="runs"
        )

    def drain(self) -> None:
        live = self.live
        runs = live.runs.value or ()
        now_ms = int(live.ports.now() * 1000)
        newest: dict[str, ScenarioRun] = {}
        for run in runs:
            newest.setdefault(run.scenario, run)
        listed = [Listed(info, newest.get(info.name), now_ms) for info in live.ports.scenarios.catalogue()]
        catalogue = self.query_one(Catalogue)
        catalogue.styles.height = len(listed) + 2 if len(listed) > 3 else len(listed) + 3
        catalogue.replace(listed)
        self.query_one("#runs", Feed).replace(list(runs))
        rate = live.traffic.value
        head = live.headline()
        self.query_one("#traffic", Lines).show(
            [
                [
                    (" normal traffic ", "strong"),
                    ("-" if rate is None else f"{show.number(rate)}/s wanted", "text"),
                    (f"   {show.number(head.payments_per_s)}/s now", "dim"),
                    ("    - less  + more  0 none", "dim"),
                ]
            ]
        )

    def on_feed_opened(self, event: Feed.Opened) -> None:
        event.stop()

    def action_traffic(self, direction: int) -> None:
        rate = self.live.traffic.value or 0
        if direction == 0:
            wanted = 0
        elif direction > 0:
            wanted = next((step for step in RATES if step > rate), RATES[-1])
        else:
            wanted = next((step for step in reversed(RATES) if step < rate), 0)
        command = self.live.ports.commands.set_traffic(wanted)
        self.run_worker(self._set_traffic(command, wanted), group="traffic")

    async def _set_traffic(self, command: Awaitable[Verdict], wanted: int) -> None:
        if await self.center.command(command):
            self.live.traffic.value = wanted
            self.tick()
