"""Rules: the table, the selected one beside it, and what can be done with it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.containers import Container
from textual.widget import Widget

from core.rules.activity import Busy
from core.rules.quality import Quality
from tui import format as show
from tui import keymap
from tui.ports import Unavailable
from tui.screens.base import DRAIN_HZ, ControlScreen
from tui.screens.dialogs import TextPanel
from tui.screens.rules.port import Rule, Trial
from tui.screens.rules.rows import HOURS, RULES, Listed, backtest_lines, detail_lines, overlap_lines, rule_cells
from tui.widgets.canvas import Cell, Line
from tui.widgets.feed import Feed
from tui.widgets.lines import Lines

if TYPE_CHECKING:
    from core.rules.backtest import Backtest

EVERY_S = 2.0
QUALITY_EVERY = 5
"""Looks at the rules between two looks at the labels, which are many."""
_ORDER = {"built in": 1, "absent": 2}
"""Those on the server first, those that nobody deployed last."""
_HOURS = {"h": 3_600_000, "d": 86_400_000, "m": 60_000}
_SWITCHES = {
    "deploy": "deploy {rule}: the server runs it in seconds",
    "undeploy": "undeploy {rule}: it finds nothing any more",
    "pause": "pause {rule}: it finds nothing until resumed",
    "resume": "resume {rule}: what waited comes first",
}


class Rules(Feed[Listed]):
    """The table; its keys work on the selected rule."""

    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings("rules")]

    def action_switch(self, act: str) -> None:
        screen, row = self.screen, self.selected
        if row is not None and isinstance(screen, RulesScreen):
            screen.switch(act, row.rule)

    def action_backtest(self) -> None:
        screen, row = self.screen, self.selected
        if row is not None and isinstance(screen, RulesScreen):
            screen.ask_backtest(row.rule)


class RulesScreen(ControlScreen):
    AUTO_FOCUS = "#rules"
    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings("overlap")]
    title_name = "rules"

    def __init__(self) -> None:
        super().__init__()
        self._rules = Rules(
            "rules", RULES, rule_cells, lambda row: row.rule.id, live=False, empty="asking the server", id="rules"
        )
        self._found: Sequence[Rule] = ()
        self._busy = Busy(None, ())
        self._quality: dict[str, Quality] = {}
        self._notes: dict[str, Cell] = {}
        self.results: dict[str, Backtest] = {}
        """The newest backtest of each rule."""
        self._wake = asyncio.Event()
        self._problem = ""
        self._worked_out: tuple[object, Sequence[Line]] = (None, ())

    @property
    def _now_ms(self) -> int:
        return int(self.live.ports.now() * 1000)

    def body(self) -> Iterator[Widget]:
        with Container(id="split"):
            yield self._rules
            yield Lines(focusable=True, id="detail")

    def on_mount(self) -> None:
        self.run_worker(self._keep_looking(), group="rules")

    def drain(self) -> None:
        self._show_rules()
        self._show_detail()

    # ------------------------------------------------------------------------------------------ looking

    async def _keep_looking(self) -> None:
        """Again and again while the screen is shown; the labels less often."""
        looks = 0
        while True:
            if self.is_current and not self.writer_behind:
                await self._look(labels=looks % QUALITY_EVERY == 0)
                self._show_rules()
                looks += 1
            self._wake.clear()
            try:
                async with asyncio.timeout(EVERY_S):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def look(self) -> None:
        """For the screen of one rule over this one."""
        await self._look(labels=False)
        self._show_rules()

    async def _look(self, *, labels: bool) -> None:
        port = self.live.ports.rules
        problems: list[str] = []

        async def stage(look: Callable[[], Awaitable[None]]) -> None:
            try:
                await look()
            except Unavailable as error:
                problems.append(str(error))

        async def catalogue() -> None:
            self._found = await port.catalogue()

        async def activity() -> None:
            self._busy = await port.activity(HOURS)

        async def quality() -> None:
            self._quality = {found.rule_id: found for found in await port.quality()}

        for look in (catalogue, activity, *([quality] if labels else [])):
            await stage(look)
        self._problem = problems[0] if problems else ""

    def _show_rules(self) -> None:
        busy = {one.rule_id: one for one in self._busy.rules}
        rows = [
            Listed(rule, busy.get(rule.id), self._quality.get(rule.id), self._notes.get(rule.id, ("", "dim")))
            for rule in sorted(self._found, key=lambda rule: (_ORDER.get(rule.status, 0), rule.kind != "ksqldb"))
        ]
        if rows:
            on = sum(row.rule.status in ("deployed", "built in") for row in rows)
            self._rules.title_text = f"{len(rows)} rules, {on} on"
        under_way: list[Cell] = [
            (f"{name}: {text} ", "accent") for name, (text, style) in self._notes.items() if style == "accent"
        ]
        self._rules.note = [(f"{self._problem} ", "bad")] if self._problem else under_way
        self._rules.replace(rows)

    def _show_detail(self) -> None:
        pane = self.query_one("#detail", Lines)
        row = self._rules.selected
        if pane.display:
            pane.show([] if row is None else self.lines_of(row, pane.size.width - 1))

    def lines_of(self, row: Listed, width: int) -> Sequence[Line]:
        """The rule whole, after its newest backtest when there was one; worked out when something of it changed."""
        done = self.results.get(row.rule.id)
        wanted = (row, done, self._busy.until, width)
        if self._worked_out[0] != wanted:
            self._worked_out = wanted, self._lines_of(row, done, width)
        return self._worked_out[1]

    def _lines_of(self, row: Listed, done: Backtest | None, width: int) -> list[Line]:
        tried = [] if done is None else [*backtest_lines(done, width, self._now_ms), []]
        return [*tried, *detail_lines(row, self._busy.until, width, self._now_ms)]

    def on_feed_moved(self) -> None:
        self._show_detail()

    def on_feed_opened(self, event: Feed.Opened) -> None:
        event.stop()
        self.app.push_screen(RuleScreen(event.row.rule.id, self))

    def row_of(self, rule_id: str) -> Listed | None:
        return next((row for row in self._rules.model.rows() if row.rule.id == rule_id), None)

    # ------------------------------------------------------------------------------------------ overlap

    def action_overlap(self) -> None:
        self.run_worker(self._overlap(), group="overlap", exclusive=True)

    async def _overlap(self) -> None:
        try:
            found = await self.live.ports.rules.overlap()
        except Unavailable as error:
            self.say(str(error), "bad")
            return
        await self.app.push_screen(TextPanel(overlap_lines(found, self.size.width)))

    # ------------------------------------------------------------------------------------------ switching

    def switch(self, act: str, rule: Rule, asker: ControlScreen | None = None) -> None:
        if rule.kind == "feature":
            self.say(f"{rule.id} is part of the workers: it is always on")
            return
        asker = asker or self
        asker.talk(self._switch(act, rule, asker), "ask")

    async def _switch(self, act: str, rule: Rule, asker: ControlScreen) -> None:
        if not await asker.sure(_SWITCHES[act].format(rule=rule.id)):
            return
        await self.center.command(self.live.ports.commands.switch_rule(act, rule.id))
        self._wake.set()

    # ------------------------------------------------------------------------------------------ backtest

    def ask_backtest(self, rule: Rule, asker: ControlScreen | None = None) -> None:
        if rule.kind == "feature":
            self.say(f"{rule.id} has no SQL to try; `streamguard replay` runs the whole pipeline over a file")
            return
        asker = asker or self
        asker.talk(self._ask_backtest(rule, asker), "ask")

    async def _ask_backtest(self, rule: Rule, asker: ControlScreen) -> None:
        answer = await asker.ask(
            f"try {rule.id} on the last 24h, 90m, 7d of payments, or on a labelled FILE", value="24h"
        )
        if answer is None or not answer.strip():
            return
        trial = trial_of(rule.id, answer.strip())
        self.run_worker(self._backtest(trial), group=f"backtest {rule.id}", exclusive=True)

    async def _backtest(self, trial: Trial) -> None:
        def told(note: str) -> None:
            self._notes[trial.rule_id] = (note, "accent")

        told("backtest starts")
        try:
            done = await self.live.ports.rules.backtest(trial, told)
        except Unavailable as error:
            self._notes[trial.rule_id] = (str(error), "bad")
            self.say(str(error), "bad")
            return
        self.results[trial.rule_id] = done
        gained, lost = show.number(done.gained.payments), show.number(done.lost.payments)
        sentence = f"backtest: {show.number(done.alerts)} alerts, gains {gained}, loses {lost} payments"
        self._notes[trial.rule_id] = (sentence, "good")
        self.say(f"{trial.rule_id}: {sentence}; enter shows them", "good")


class RuleScreen(ControlScreen):
    """One rule on the whole screen; its SQL, its figures and its newest backtest. ``table`` keeps them up to date."""

    AUTO_FOCUS = "#rule"
    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings("rules")]
    title_name = "rules"

    def __init__(self, rule_id: str, table: RulesScreen) -> None:
        super().__init__()
        self._rule_id = rule_id
        self._table = table
        self._ticks = 0

    @property
    def address(self) -> str:
        return f"rule {self._rule_id}"

    def body(self) -> Iterator[Widget]:
        yield Lines(focusable=True, id="rule")

    def drain(self) -> None:
        pane = self.query_one("#rule", Lines)
        row = self._table.row_of(self._rule_id)
        if row is not None:
            note: list[Line] = [[(" ", "dim"), row.note]] if row.note[0] else []
            pane.show([*note, *self._table.lines_of(row, pane.size.width - 1)])
        if self._ticks % (DRAIN_HZ * 2) == 0:
            self.run_worker(self._table.look(), group="rules", exclusive=True)
        self._ticks += 1

    def action_switch(self, act: str) -> None:
        row = self._table.row_of(self._rule_id)
        if row is not None:
            self._table.switch(act, row.rule, self)

    def action_backtest(self) -> None:
        row = self._table.row_of(self._rule_id)
        if row is not None:
            self._table.ask_backtest(row.rule, self)


def trial_of(rule_id: str, text: str) -> Trial:
    """``24h``, ``90m``, ``7d`` back from now, else the path of a labelled file."""
    number, unit = text[:-1], text[-1:]
    if number.isdecimal() and unit in _HOURS:
        return Trial(rule_id, last_ms=int(number) * _HOURS[unit])
    return Trial(rule_id, file=text)
