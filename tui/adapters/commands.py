"""Operator actions: each appends one event with the version it expects, so that two operators cannot both win."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING

from schema import events
from tui.adapters.database import Database
from tui.ports import Alert, Done, Refused, Unavailable, Verdict

if TYPE_CHECKING:
    from core.eventlog.record import Verdict as LogVerdict


def case_event(action: str, case_id: str, operator: str, reason: str) -> events.Event:
    """The event of a case action."""
    match action:
        case "claim":
            return events.CaseClaimed(case_id=case_id, operator=operator)
        case "confirm":
            return events.CaseConfirmed(case_id=case_id, operator=operator, reason=reason)
        case "dismiss":
            return events.CaseDismissed(case_id=case_id, operator=operator, reason=reason)
        case "escalate":
            return events.CaseEscalated(case_id=case_id, operator=operator, reason=reason)
        case "reopen":
            return events.CaseReopened(case_id=case_id, operator=operator, reason=reason)
        case "note":
            return events.CaseNoted(case_id=case_id, operator=operator, text=reason)
    raise ValueError(f"there is no case action {action!r}")


def rule_event(act: str, rule_id: str, operator: str) -> events.Event:
    """The event that whoever keeps the rules obeys."""
    match act:
        case "deploy" | "undeploy":
            return events.RuleWanted(rule_id=rule_id, wanted=act == "deploy", operator=operator)
        case "pause":
            return events.RulePaused(rule_id=rule_id, operator=operator)
        case "resume":
            return events.RuleResumed(rule_id=rule_id, operator=operator)
    raise ValueError(f"there is no rule action {act!r}")


_LISTED = {
    "block": "blocked",
    "unblock": "unblocked",
    "allow": "allowed",
    "disallow": "no longer allowed",
    "approve": "blocked, as it was proposed",
    "refuse": "not blocked, the proposal is refused",
}
_DID = {
    "claim": "claimed",
    "confirm": "confirmed as fraud",
    "dismiss": "dismissed",
    "escalate": "escalated",
    "reopen": "reopened",
    "note": "noted",
}


_ACTS = {
    "CaseClaimed": "claimed the case",
    "CaseConfirmed": "confirmed fraud",
    "CaseDismissed": "dismissed the case",
    "CaseEscalated": "escalated the case",
    "CaseReopened": "reopened the case",
    "CaseNoted": "wrote a note",
    "BlockProposed": "proposed a block",
    "BlockRefused": "refused the block",
    "AccountBlocked": "had it blocked",
    "AccountUnblocked": "unblocked it",
}
"""What somebody did, by its event."""


class LogCommands:
    def __init__(self, database: Database, operator: str) -> None:
        self._database = database
        self._operator = operator

    async def _append(
        self, stream: str, event: events.Event, version: int | None, story: str | None, seen: int | None
    ) -> LogVerdict:
        import asyncpg

        from core.eventlog.act import command, perform
        from core.eventlog.record import event_name

        cause = None if seen is None else event_name(seen)
        item = command(stream, [event], self._operator, expected_version=version, story=story, cause=cause)
        try:
            return await perform(self._database.log, item)
        except (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.PostgresError) as error:
            raise Unavailable(f"PostgreSQL: nothing was written: {error or type(error).__name__}") from error

    async def _do(
        self,
        stream: str,
        event: events.Event,
        done: str,
        version: int | None = None,
        story: str | None = None,
        seen: int | None = None,
    ) -> Verdict:
        """``story``: what the act is part of; ``seen``: the position that showed its doer why."""
        from core.eventlog import Conflict

        verdict = await self._append(stream, event, version, story, seen)
        if isinstance(verdict, Conflict):
            return Refused(f"somebody was faster: {await self._last_act(stream)}; nothing was written, look again")
        return Done(f"{done} (log {verdict.last_pos})")

    async def _last_act(self, stream: str) -> str:
        """Who did what last: ``bia confirmed: the holder says so``."""
        import asyncpg

        try:
            history = await self._database.log.read_stream(stream)
        except (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.PostgresError):
            return f"{stream} has changed"
        for recorded in reversed(history):
            event = recorded.event
            if verb := _ACTS.get(type(event).__name__):
                reason = getattr(event, "reason", "") or getattr(event, "text", "")
                return f"{recorded.meta.actor} {verb}" + (f": {reason}" if reason else "")
        return f"{stream} has changed"

    async def launch(self, scenario: str, seed: int, given: Mapping[str, object] | None = None) -> Verdict:
        from core.scenarios import runs
        from core.scenarios.registry import UnknownScenario

        try:
            event = runs.request(scenario, seed, given)
        except UnknownScenario as error:
            return Refused(str(error))
        return await self._do(runs.stream_of(event.run_id), event, f"asked for {scenario}, seed {seed}", 0)

    def stop_run(self, run_id: str) -> Awaitable[Verdict]:
        event = events.ScenarioStopped(run_id=run_id, operator=self._operator)
        return self._do(f"scenario-{run_id}", event, "asked to stop the run")

    def set_traffic(self, rate: int) -> Awaitable[Verdict]:
        event = events.TrafficRateSet(rate=rate, operator=self._operator)
        return self._do("scenario-traffic", event, f"normal traffic: {rate}/s asked for")

    def case(self, action: str, alert: Alert, reason: str, expected_version: int) -> Awaitable[Verdict]:
        return self._case(action, alert, reason, expected_version)

    async def _case(self, action: str, alert: Alert, reason: str, expected_version: int) -> Verdict:
        if action == "claim" and alert.status == "claimed":
            return Refused(f"the case is claimed by {alert.assignee} already")
        event = case_event(action, alert.alert_id, self._operator, reason)
        undo = "; u undoes it" if action not in ("reopen", "note") else ""
        done = f"{alert.rule_id} {alert.account_id}: {_DID[action]}{undo}"
        return await self._do(f"case-{alert.alert_id}", event, done, expected_version, alert.alert_id, alert.last_pos)

    def snooze(self, rule_id: str, account_id: str, until: int, reason: str) -> Awaitable[Verdict]:
        event = events.RuleSnoozed(
            rule_id=rule_id, account_id=account_id, until=until, operator=self._operator, reason=reason
        )
        silent = "raises alerts again" if until == 0 else "is silent for an hour"
        return self._do(f"rule-{rule_id}", event, f"{rule_id} {silent} for {account_id}")

    def list_party(self, act: str, kind: str, party: str, reason: str) -> Awaitable[Verdict]:
        return self._list(act, kind, party, reason)

    async def _list(self, act: str, kind: str, party: str, reason: str) -> Verdict:
        """Under the policy that holds: where it asks for four eyes, a block is only proposed."""
        import asyncpg

        from core.cases import acting, lists

        log, done = self._database.log, _LISTED[act]
        try:
            match act:
                case "block":
                    if await lists.block(log, kind, party, self._operator, reason) == lists.PROPOSED:
                        done = "block proposed; another operator approves it"
                case "unblock":
                    await lists.unblock(log, kind, party, self._operator, reason)
                case "allow":
                    await lists.allow(log, kind, party, self._operator, reason)
                case "disallow":
                    await lists.disallow(log, kind, party, self._operator, reason)
                case "approve":
                    await lists.approve(log, kind, party, self._operator)
                case "refuse":
                    await lists.refuse(log, kind, party, self._operator, reason)
        except acting.Refused as refused:
            if act not in ("approve", "refuse"):
                return Refused(str(refused))
            return Refused(f"{refused} ({await self._last_act(f'{kind}-{party}')})")
        except (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.PostgresError) as error:
            raise Unavailable(f"PostgreSQL: nothing was written: {error or type(error).__name__}") from error
        return Done(f"{kind} {party}: {done}")

    def switch_rule(self, act: str, rule_id: str) -> Awaitable[Verdict]:
        return self._do(f"rule-{rule_id}", rule_event(act, rule_id, self._operator), f"{rule_id}: {act} asked for")
