"""The whole story of one alert, and what an operator can do about it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget

from tui import format as show
from tui import keymap
from tui.ports import Alert, Story, Unavailable, Verdict
from tui.screens.alerts import queue, story
from tui.screens.base import ControlScreen
from tui.widgets.lines import Lines

RELOAD_TICKS = 5
"""Drains between two looks at the story: once a second."""
SNOOZE_MS = 3_600_000

_QUESTIONS = {
    "confirm": "confirm fraud on {rule} {account}: feeds the lists. Reason (enter = none needed, esc = no)",
    "dismiss": "dismiss {rule} {account}: not fraud. Reason (empty = no)",
    "escalate": "escalate {rule} {account}. To whom and why (empty = no)",
    "reopen": "reopen the case of {account}: undoes its decision. Reason (empty = no)",
    "note": "note for the case of {account} (empty = no)",
}
_REASON_OPTIONAL = ("claim", "confirm")


class AlertScreen(ControlScreen):
    """``queue`` gives the alerts that the next-case key walks through, oldest first."""

    AUTO_FOCUS = "#story"
    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings("case")]
    title_name = "alerts"

    def __init__(self, alert: Alert, queue: Callable[[], Sequence[Alert]]) -> None:
        super().__init__()
        self.alert = alert
        self.story: Story | None = None
        self._queue = queue
        self._ticks = 0
        self._problem = ""

    def body(self) -> Iterator[Widget]:
        yield Lines(focusable=True, id="story")

    def drain(self) -> None:
        if self._ticks % RELOAD_TICKS == 0:
            self.run_worker(self._load(), group="story", exclusive=True)
        self._ticks += 1
        pane = self.query_one("#story", Lines)
        now_ms = int(self.live.ports.now() * 1000)
        width = max(20, pane.size.width - 1)
        shown = story.lines(self.alert, self.story, now_ms, width, self.live.case_limit_ms)
        pane.show([*shown, [], [(f" {self._problem}", "bad")]] if self._problem else shown)

    async def _load(self) -> None:
        try:
            loaded = await self.live.ports.alerts.story(self.alert.alert_id)
        except Unavailable as error:
            self._problem = str(error)
            return
        self._problem = "" if loaded is not None else "this alert is no longer in the log's tables"
        if loaded is not None:
            self.alert, self.story = loaded.alert, loaded

    # ------------------------------------------------------------------------------------------ actions

    def action_case(self, action: str) -> None:
        if action in _QUESTIONS and self.story is not None:
            self.talk(self._case(action), "case")
        else:
            self.run_worker(self._case(action), group="case", exclusive=True)

    async def _case(self, action: str) -> None:
        current = self.story
        if current is None:
            self.say("the case is still loading", "warn")
            return
        reason: str | None = ""
        if action in _QUESTIONS:
            question = _QUESTIONS[action].format(rule=self.alert.rule_id, account=self.alert.account_id)
            reason = await self.ask(question, danger=action == "confirm")
        if reason is None or (not reason.strip() and action not in _REASON_OPTIONAL):
            self.say("nothing done")
            return
        await self._do(self.live.ports.commands.case(action, current.alert, reason.strip(), current.case_version))

    async def _do(self, command: Awaitable[Verdict]) -> None:
        await self.center.command(command)
        await self._load()
        self.tick()

    def action_snooze(self) -> None:
        self.talk(self._snooze(), "case")

    async def _snooze(self) -> None:
        rule, account = self.alert.rule_id, self.alert.account_id
        reason = await self.ask(f"no alerts of {rule} for {account} for an hour. Reason (empty = no)", danger=True)
        if not reason or not reason.strip():
            self.say("nothing done")
            return
        until = self.alert.incident_end + SNOOZE_MS
        await self._do(self.live.ports.commands.snooze(rule, account, until, reason.strip()))

    def action_block(self) -> None:
        self.talk(self._block(), "case")

    async def _block(self) -> None:
        account = self.alert.account_id
        reason = await self.ask(
            f"block {account}: every payment is refused until unblocked. Reason (empty = no)", danger=True
        )
        if not reason or not reason.strip():
            self.say("nothing done")
            return
        await self._do(self.live.ports.commands.block(account, reason.strip(), None))

    def action_unblock(self) -> None:
        self.talk(self._unblock(), "case")

    async def _unblock(self) -> None:
        reason = await self.ask(f"unblock {self.alert.account_id}. Reason (empty = no)")
        if not reason or not reason.strip():
            self.say("nothing done")
            return
        await self._do(self.live.ports.commands.unblock(self.alert.account_id, reason.strip()))

    def action_next_case(self) -> None:
        """The undecided case behind this one by urgency, from the head of the queue again after the last."""
        row = queue.after(list(self._queue()), self.alert)
        if row is None:
            self.say("no other open case")
            return
        self.alert, self.story, self._ticks = row, None, 0
        self.say(f"{row.rule_id} {row.account_id}, {show.money(row.amount)}")
        self.tick()
