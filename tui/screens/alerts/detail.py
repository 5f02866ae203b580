"""The whole story of one alert, and what an operator can do about it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget

from core.rules.quality import Quality
from tui import format as show
from tui import keymap
from tui.ports import Alert, CaseEvent, Story, Unavailable, Verdict
from tui.screens.accounts.blocking import ask_and_list
from tui.screens.alerts import queue, story
from tui.screens.alerts.payments import PaymentsScreen
from tui.screens.base import ControlScreen
from tui.terminal.sanitise import clean
from tui.widgets.lines import Lines

RELOAD_TICKS = 5
"""Drains between two looks at the story: once a second."""
SNOOZE_MS = 3_600_000
NAME = 24
"""Characters of a name in a question."""

_QUESTIONS = {
    "confirm": "confirm fraud on {rule} {account}: feeds the lists. Reason (enter = none needed, esc = no)",
    "dismiss": "dismiss {rule} {account}: not fraud. Reason (empty = no)",
    "escalate": "escalate {rule} {account}. To whom and why (empty = no)",
    "reopen": "undo {last}: the case is open again. Reason (empty = no)",
    "note": "note for the case of {account} (empty = no)",
}
_REASON_OPTIONAL = ("claim", "confirm")
_UNDONE = ("CaseClaimed", "CaseConfirmed", "CaseDismissed", "CaseEscalated")


class AlertScreen(ControlScreen):
    """``queue`` gives the alerts that the next-case key walks through, oldest first.

    ``then`` is a case action to begin with, as soon as the case is read.
    """

    AUTO_FOCUS = "#story"
    BINDINGS: ClassVar[list[BindingType]] = [*keymap.bindings("case")]
    title_name = "alerts"
    guide = (
        ("why", "rule or feature, its value against its limit, its points"),
        ("rule", "the version that raised it; precision: right of those known"),
        ("payments", "what they were, with partition @ offset in the topic"),
        ("came by", "topic, offsets, then positions in the event log"),
        ("timing", "+ is from the payment's sending; lag and rates of then"),
        ("account", "risk: share of its payments that count as fraud"),
        ("case", "who did what when, and its position in the log"),
    )

    def __init__(self, alert: Alert, queue: Callable[[], Sequence[Alert]], then: str = "") -> None:
        super().__init__()
        self.alert = alert
        self.story: Story | None = None
        self._queue = queue
        self._then = then
        self._quality: dict[str, Quality] = {}
        self._ticks = 0
        self._problem = ""

    @property
    def address(self) -> str:
        return f"alert {self.alert.alert_id}"

    def body(self) -> Iterator[Widget]:
        yield Lines(focusable=True, id="story")

    def on_mount(self) -> None:
        self.run_worker(self._judge(), group="quality", exclusive=True)

    def drain(self) -> None:
        if self._ticks % RELOAD_TICKS == 0:
            self.run_worker(self._load(), group="story", exclusive=True)
        self._ticks += 1
        pane = self.query_one("#story", Lines)
        shown = story.lines(self.alert, self._known(), self._now_ms, max(20, pane.size.width - 1))
        pane.show([*shown, [], [(f" {self._problem}", "bad")]] if self._problem else shown)

    @property
    def _rule(self) -> str:
        """As questions name it: however long it is, they are read to their end."""
        return clean(self.alert.rule_id, NAME)

    @property
    def _account(self) -> str:
        return clean(self.alert.account_id, NAME)

    @property
    def _now_ms(self) -> int:
        return int(self.live.ports.now() * 1000)

    def _known(self) -> story.Known:
        live, alert = self.live, self.alert
        quality = self._quality.get(alert.rule_id)
        return story.Known(self.story, quality, live.shown_after(alert.alert_id), live.case_limit_ms)

    async def _judge(self) -> None:
        """How right the rules are on what is known; asked once, since the labels are many."""
        try:
            self._quality = {found.rule_id: found for found in await self.live.ports.rules.quality()}
        except Unavailable as error:
            self.say(str(error), "warn")

    async def _load(self) -> None:
        try:
            loaded = await self.live.ports.alerts.story(self.alert.alert_id)
        except Unavailable as error:
            self._problem = str(error)
            return
        self._problem = "" if loaded is not None else "this alert is no longer in the log's tables"
        if loaded is None or loaded.alert.alert_id != self.alert.alert_id:
            return
        self.alert, self.story = loaded.alert, loaded
        if self._then:
            wanted, self._then = self._then, ""
            await self.run_action(wanted)

    # ------------------------------------------------------------------------------------------ the case

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
        last = next((event for event in reversed(current.history) if event.type in _UNDONE), None)
        if action == "reopen" and (last is None or current.alert.status == "open"):
            self.say("the case is open: there is nothing to undo")
            return
        reason: str | None = ""
        if action in _QUESTIONS:
            named = {"rule": self._rule, "account": self._account, "last": self._told(last)}
            reason = await self.ask(_QUESTIONS[action].format(**named), danger=action == "confirm")
        if reason is None or (not reason.strip() and action not in _REASON_OPTIONAL):
            self.say("nothing done")
            return
        await self._do(self.live.ports.commands.case(action, current.alert, reason.strip(), current.case_version))

    def _told(self, event: CaseEvent | None) -> str:
        if event is None:
            return ""
        verb = event.type.removeprefix("Case").lower()
        return f"'{clean(verb, NAME)}' of {clean(event.actor, NAME)} at {show.day_clock(event.at, self._now_ms)}"

    async def _do(self, command: Awaitable[Verdict]) -> None:
        await self.center.command(command)
        await self._load()
        self.tick()

    def action_next_case(self) -> None:
        """The undecided case behind this one by urgency, from the head of the queue again after the last."""
        row = queue.after(list(self._queue()), self.alert)
        if row is None:
            self.say("no other open case")
            return
        self.alert, self.story, self._ticks = row, None, 0
        self.say(f"{row.rule_id} {row.account_id}, {show.money(row.amount)}")
        self.tick()

    # ------------------------------------------------------------------------------------------ the account

    def action_snooze(self) -> None:
        self.talk(self._snooze(), "case")

    async def _snooze(self) -> None:
        question = f"no alerts of {self._rule} for {self._account} for an hour. Reason (empty = no)"
        reason = await self.ask(question, danger=True)
        if not reason or not reason.strip():
            self.say("nothing done")
            return
        until = self.alert.incident_end + SNOOZE_MS
        await self._silence(until, reason.strip())

    def action_wake(self) -> None:
        if self._stands("snooze"):
            self.talk(self._wake(), "case")
        else:
            self.say(f"{self._rule} is not snoozed for {self._account}")

    async def _wake(self) -> None:
        reason = await self.ask(f"{self._rule} raises alerts for {self._account} again. Reason (empty = no)")
        if not reason or not reason.strip():
            self.say("nothing done")
            return
        await self._silence(0, reason.strip())

    async def _silence(self, until: int, reason: str) -> None:
        alert = self.alert
        await self._do(self.live.ports.commands.snooze(alert.rule_id, alert.account_id, until, reason))

    def _stands(self, effect: str) -> bool:
        return self.story is not None and any(entry.effect == effect for entry in self.story.standing)

    def action_list(self, act: str) -> None:
        if act in ("approve", "refuse") and self.story is not None and not self._stands("proposed"):
            self.say(f"nobody has proposed to block {self._account}")
        else:
            self.talk(self._list(act), "case")

    async def _list(self, act: str) -> None:
        await ask_and_list(self, act, "account", self.alert.account_id)
        await self._load()
        self.tick()

    # ------------------------------------------------------------------------------------------ where it leads

    def action_payments(self) -> None:
        self.app.push_screen(PaymentsScreen(self.alert.alert_id, lambda: self.story))

    def action_event(self) -> None:
        self.go(f"event {self.alert.first_pos}")

    def action_account(self) -> None:
        self.go(f"account {self.alert.account_id}")

    def action_rule(self) -> None:
        self.go(f"rule {self.alert.rule_id}")
