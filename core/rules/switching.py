"""Switching rules: an operator's wish in the log, which the worker that keeps the rules obeys within seconds."""

from __future__ import annotations

from collections.abc import Iterable

from core.eventlog import EventLog
from core.eventlog.act import command, perform
from ksqldb import rulebook
from ksqldb.rulebook import Rule
from schema.events import Event, RulePaused, RuleResumed, RuleWanted


async def want(log: EventLog, rule_id: str, operator: str, *, wanted: bool) -> None:
    """Have a rule on the server, or off it. Raises ``RuleFileError`` for an id that no file has."""
    await _say(log, RuleWanted(rule_id=rulebook.load().rule(rule_id).id, wanted=wanted, operator=operator), operator)


async def pause(log: EventLog, rule_id: str, operator: str) -> None:
    """Hold a rule; what comes meanwhile waits in the topic."""
    await _say(log, RulePaused(rule_id=rulebook.load().rule(rule_id).id, operator=operator), operator)


async def resume(log: EventLog, rule_id: str, operator: str) -> None:
    """Let a rule go on."""
    await _say(log, RuleResumed(rule_id=rulebook.load().rule(rule_id).id, operator=operator), operator)


def is_wanted(rule: Rule, history: Iterable[Event]) -> bool:
    """Whether the rule belongs on the server: by the last wish in its stream, else by its file."""
    wishes = [event for event in history if isinstance(event, RuleWanted)]
    return wishes[-1].wanted if wishes else rule.deploy == "default"


async def _say(log: EventLog, event: RuleWanted | RulePaused | RuleResumed, operator: str) -> None:
    await perform(log, command(f"rule-{event.rule_id}", [event], operator))
