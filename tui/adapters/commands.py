"""Operator actions: each appends one event with the version it expects, so that two operators cannot both win."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

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
}
_DID = {
    "claim": "claimed",
    "confirm": "confirmed as fraud",
    "dismiss": "dismissed",
    "escalate": "escalated",
    "reopen": "reopened",
    "note": "noted",
}


class LogCommands:
    def __init__(self, database: Database, operator: str) -> None:
        self._database = database
        self._operator = operator

    async def _append(self, stream: str, event: events.Event, version: int | None = None) -> LogVerdict:
        import asyncpg

        from core.eventlog import Meta

        command: UUID = uuid4()
        meta = Meta(actor=self._operator, correlation_id=str(command), command_id=command)
        try:
            return await self._database.log.append(
                stream, [event], meta=meta, expected_version=version, command_id=command
            )
        except (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.PostgresError) as error:
            raise Unavailable(f"PostgreSQL: nothing was written: {error or type(error).__name__}") from error

    async def _do(self, stream: str, event: events.Event, done: str, version: int | None = None) -> Verdict:
        from core.eventlog import Conflict

        verdict = await self._append(stream, event, version)
        if isinstance(verdict, Conflict):
            return Refused(f"somebody was faster: {stream} is at version {verdict.actual_version}; look again")
        return Done(f"{done} (log {verdict.last_pos})")

    def launch(self, scenario: str, seed: int) -> Awaitable[Verdict]:
        return self._launch(scenario, seed)

    async def _launch(self, scenario: str, seed: int) -> Verdict:
        from core.scenarios.registry import UnknownScenario, find

        try:
            find(scenario)
        except UnknownScenario as error:
            return Refused(str(error))
        run_id = f"{scenario}-{uuid4().hex[:12]}"
        event = events.ScenarioRequested(run_id=run_id, scenario=scenario, seed=seed)
        return await self._do(f"scenario-{run_id}", event, f"asked for {scenario}, seed {seed}", 0)

    def stop_run(self, run_id: str) -> Awaitable[Verdict]:
        event = events.ScenarioStopped(run_id=run_id, operator=self._operator)
        return self._do(f"scenario-{run_id}", event, "asked to stop the run")

    def set_traffic(self, rate: int) -> Awaitable[Verdict]:
        event = events.TrafficRateSet(rate=rate, operator=self._operator)
        return self._do("scenario-traffic", event, f"normal traffic: {rate}/s asked for")

    def case(self, action: str, alert: Alert, reason: str, expected_version: int) -> Awaitable[Verdict]:
        event = case_event(action, alert.alert_id, self._operator, reason)
        done = f"{alert.rule_id} {alert.account_id}: {_DID[action]}"
        return self._do(f"case-{alert.alert_id}", event, done, expected_version)

    def snooze(self, rule_id: str, account_id: str, until: int, reason: str) -> Awaitable[Verdict]:
        event = events.RuleSnoozed(
            rule_id=rule_id, account_id=account_id, until=until, operator=self._operator, reason=reason
        )
        return self._do(f"rule-{rule_id}", event, f"{rule_id} is silent for {account_id} for an hour")

    def block(self, account_id: str, reason: str, until: int | None) -> Awaitable[Verdict]:
        return self._list("block", "account", account_id, reason, until)

    def unblock(self, account_id: str, reason: str) -> Awaitable[Verdict]:
        return self._list("unblock", "account", account_id, reason)

    def list_party(self, act: str, kind: str, party: str, reason: str) -> Awaitable[Verdict]:
        return self._list(act, kind, party, reason)

    async def _list(self, act: str, kind: str, party: str, reason: str, until: int | None = None) -> Verdict:
        """Under the policy that holds: where it asks for four eyes, a block is only proposed."""
        import asyncpg

        from core.cases import acting, lists

        log, done = self._database.log, _LISTED[act]
        try:
            match act:
                case "block":
                    if await lists.block(log, kind, party, self._operator, reason, until) == lists.PROPOSED:
                        done = "block proposed; another operator approves it (streamguard lists approve)"
                case "unblock":
                    await lists.unblock(log, kind, party, self._operator, reason)
                case "allow":
                    await lists.allow(log, kind, party, self._operator, reason)
                case "disallow":
                    await lists.disallow(log, kind, party, self._operator, reason)
        except acting.Refused as refused:
            return Refused(str(refused))
        except (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.PostgresError) as error:
            raise Unavailable(f"PostgreSQL: nothing was written: {error or type(error).__name__}") from error
        return Done(f"{kind} {party}: {done}")

    def switch_rule(self, act: str, rule_id: str) -> Awaitable[Verdict]:
        return self._do(f"rule-{rule_id}", rule_event(act, rule_id, self._operator), f"{rule_id}: {act} asked for")
