"""Scenarios: one key launches, the verdict appears beside what was expected; runs are kept and compared."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator
from functools import partial
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget

from tui import format as show
from tui import keymap
from tui.ports import ScenarioRun, Verdict
from tui.screens.base import ControlScreen
from tui.screens.dialogs import TextPanel
from tui.screens.scenarios.parameters import ParametersPanel, Wanted
from tui.screens.scenarios.rows import (
    ACTIVE,
    CATALOGUE,
    RUNS,
    Listed,
    Run,
    about_lines,
    catalogue_cells,
    compare_lines,
    run_cells,
    under_way_cells,
)
from tui.widgets.canvas import Cell
from tui.widgets.feed import Feed
from tui.widgets.flow import flow
from tui.widgets.lines import Lines

RATES = (0, 10, 50, 100, 200, 500, 1_000, 2_000, 3_000, 5_000)
"""Payments per second that ``+`` and ``-`` step through."""


class Catalogue(Feed[Listed]):
    """The catalogue; its actions work on the selected scenario, or on those that are marked."""

    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings("catalogue", "scenarios")]

    @property
    def _screen(self) -> ScenariosScreen:
        screen = self.screen
        assert isinstance(screen, ScenariosScreen)
        return screen

    def action_parameters(self) -> None:
        if (row := self.selected) is not None:
            self.app.push_screen(ParametersPanel(row.info), partial(self._screen.launch_with, row.info.name))

    def action_start(self) -> None:
        if (row := self.selected) is not None:
            self._screen.launch(row.info.name)

    def action_start_all(self) -> None:
        rows = self.model.rows()
        self._screen.launch(*(row.info.name for row in [row for row in rows if row.marked] or rows))

    def action_mark(self) -> None:
        if (row := self.selected) is not None:
            self._screen.mark(row.info.name)
            self.action_move(1)

    def action_stop_run(self) -> None:
        row = self.selected
        self._screen.stop_run(None if row is None else row.last)

    def action_history(self) -> None:
        if (row := self.selected) is not None:
            self._screen.show_history(row.info.name)

    def action_compare(self) -> None:
        if (row := self.selected) is not None:
            self._screen.compare(row.info.name)


class Runs(Feed[Run]):
    """The history, of all scenarios or of one."""

    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings("runs", "scenarios")]

    @property
    def _screen(self) -> ScenariosScreen:
        screen = self.screen
        assert isinstance(screen, ScenariosScreen)
        return screen

    def action_start(self) -> None:
        """Again, as it was: the same seed and parameters."""
        if (row := self.selected) is not None:
            run = row.run
            self._screen.launch_with(run.scenario, Wanted(run.seed, run.parameters))

    def action_mark(self) -> None:
        if (row := self.selected) is not None:
            self._screen.mark(row.run.run_id)
            self.action_move(1)

    def action_stop_run(self) -> None:
        self._screen.stop_run(None if self.selected is None else self.selected.run)

    def action_history(self) -> None:
        self._screen.show_history("")

    def action_compare(self) -> None:
        if (row := self.selected) is not None:
            self._screen.compare(row.run.scenario, row.run)


class ScenariosScreen(ControlScreen):
    AUTO_FOCUS = "#catalogue"
    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings("traffic")]
    title_name = "scenarios"
    guide = (("normal traffic", "honest payments a second asked for, and those of now"),)

    def __init__(self) -> None:
        super().__init__()
        self._catalogue = Catalogue(
            "scenarios", CATALOGUE, catalogue_cells, lambda row: row.info.name, live=False, id="catalogue"
        )
        self._runs = Runs(
            "runs",
            RUNS,
            run_cells,
            lambda row: row.run.run_id,
            live=False,
            empty="nothing was launched yet: enter sets parameters, l launches",
            id="runs",
        )
        self._marked: set[str] = set()
        """Names of scenarios to be launched together and of runs to be compared."""
        self._history_of = ""

    def body(self) -> Iterator[Widget]:
        yield self._catalogue
        yield Lines(id="about")
        yield Lines(id="traffic")
        yield self._runs

    def drain(self) -> None:
        live = self.live
        found = list(live.runs.value or ())
        now_ms = int(live.ports.now() * 1000)
        newest: dict[str, ScenarioRun] = {}
        for run in found:
            newest.setdefault(run.scenario, run)
        listed = [
            Listed(info, newest.get(info.name), now_ms, info.name in self._marked)
            for info in live.ports.scenarios.catalogue()
        ]
        self._catalogue.styles.height = len(listed) + 2
        marked = sum(row.marked for row in listed)
        self._catalogue.title_text = f"scenarios, {marked} marked: L launches them" if marked else "scenarios"
        self._catalogue.replace(listed)
        self._about()
        pane = self.query_one("#traffic", Lines)
        pane.show(flow([self._traffic(), under_way_cells(found, now_ms)], max(20, pane.size.width)))
        shown = [run for run in found if not self._history_of or run.scenario == self._history_of]
        self._runs.title_text = f"runs of {self._history_of}, h shows all" if self._history_of else "runs"
        age = live.runs.stale
        self._runs.note = [] if age is None else [(f"as of {show.age(age)} ago ", "warn")]
        self._runs.replace([Run(run, now_ms, run.run_id in self._marked) for run in shown])

    def _traffic(self) -> list[Cell]:
        rate, now = self.live.traffic.value, self.live.headline().payments_per_s
        return [
            ("normal traffic ", "strong"),
            (f"{show.number(rate)}/s", "text"),
            (f" ({show.number(now)}/s now) [-  +]", "dim"),
        ]

    def _about(self) -> None:
        pane, row = self.query_one("#about", Lines), self._catalogue.selected
        pane.show(about_lines(None if row is None else row.info, pane.size.width))

    def on_feed_moved(self) -> None:
        self._about()

    def on_feed_opened(self, event: Feed.Opened) -> None:
        event.stop()
        if isinstance(event.row, Run):
            self._compare([event.row.run])

    # ------------------------------------------------------------------------------------------ launching

    def launch(self, *names: str) -> None:
        """One after the other, each with its own parameters."""
        self.run_worker(self._launch(names), group="command")

    async def _launch(self, names: tuple[str, ...]) -> None:
        for name in names:
            await self.center.launch(name)
        self._marked.difference_update(names)
        self.tick()

    def launch_with(self, name: str, wanted: Wanted | None) -> None:
        if wanted is not None:
            self.run_worker(self.center.launch(name, wanted.seed, wanted.given), group="command")

    def stop_run(self, run: ScenarioRun | None) -> None:
        if run is None or run.status not in ACTIVE:
            self.say("no unfinished run of it")
            return
        self.run_worker(self.center.command(self.live.ports.commands.stop_run(run.run_id)), group="command")

    def mark(self, name: str) -> None:
        self._marked ^= {name}
        self.tick()

    # ------------------------------------------------------------------------------------------ history

    def show_history(self, name: str) -> None:
        """Only the runs of one scenario, with the cursor on the newest; of all again when it was so already."""
        self._history_of = "" if name == self._history_of else name
        self.tick()
        if name:
            self._runs.model.top()
            self._runs.focus()

    def compare(self, scenario: str, run: ScenarioRun | None = None) -> None:
        """The marked runs; without any, this one (or the newest) beside the one of the scenario before it."""
        found = list(self.live.runs.value or ())
        chosen = [one for one in found if one.run_id in self._marked]
        if len(chosen) < 2:
            same = [one for one in found if one.scenario == scenario]
            begin = 0 if run is None else next((i for i, one in enumerate(same) if one.run_id == run.run_id), 0)
            chosen = same[begin : begin + 2]
        if len(chosen) < 2:
            self.say("there is no other run to compare it with: space marks runs of any scenario")
            return
        self._compare(chosen)

    def _compare(self, chosen: list[ScenarioRun]) -> None:
        now_ms = int(self.live.ports.now() * 1000)
        self.app.push_screen(TextPanel(compare_lines(chosen, now_ms, self.size.width - 1)))

    def step_back(self) -> bool:
        if super().step_back():
            return True
        if self._history_of:
            self._history_of = ""
            self._catalogue.focus()
            self.tick()
            return True
        return False

    # ------------------------------------------------------------------------------------------ normal traffic

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
