"""Block and allow lists: accounts, merchants, payees and devices, with an end or without, by one operator or two."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.cases.acting import Refused, append
from core.cases.policy import policy
from core.eventlog import Conflict, EventLog, Recorded
from core.eventlog.act import command, perform
from core.eventlog.record import event_name
from schema.events import (
    AccountBlocked,
    AccountUnblocked,
    BlockProposed,
    BlockRefused,
    Event,
    PartyListed,
    PartyUnlisted,
    RuleSnoozed,
)

KINDS = ("account", "merchant", "payee", "device")
BLOCK, ALLOW = "block", "allow"
BLOCKED, PROPOSED = "blocked", "proposed"
TRIES = 20
"""Of a decision on an account that keeps paying meanwhile."""


async def block(log: EventLog, kind: str, party: str, operator: str, reason: str, until: int | None = None) -> str:
    """Payments of the party are blocked from now on, until event time ``until`` (epoch ms) if given.

    Returns "blocked"; where the policy asks for four eyes "proposed": another operator must ``approve``. Raises
    ``Refused``.
    """
    _check(kind, party, reason, "block")
    if not (await policy(log)).four_eyes:
        event = _blocked(kind, party, operator, reason, until)
        await append(log, command(f"{kind}-{party}", [event], operator))
        return BLOCKED

    def proposing(history: Sequence[Recorded]) -> Event:
        if (standing := proposal(history)) is not None:
            raise Refused(
                f"{standing.operator} has proposed to block this {kind} already; another operator approves it"
            )
        return BlockProposed(kind=kind, party=party, operator=operator, reason=reason, until=until)

    await _settle(log, kind, party, operator, proposing)
    return PROPOSED


async def approve(log: EventLog, kind: str, party: str, operator: str) -> None:
    """The second pair of eyes: what was proposed becomes a block."""

    def approving(history: Sequence[Recorded]) -> Event:
        standing = _standing(history, kind, party)
        if standing.operator == operator:
            raise Refused(f"{operator} proposed it: somebody else must approve")
        return _blocked(kind, party, standing.operator, standing.reason, standing.until, operator)

    await _settle(log, kind, party, operator, approving)


async def refuse(log: EventLog, kind: str, party: str, operator: str, reason: str) -> None:
    """Turn a proposal down, or withdraw one's own."""
    if not reason.strip():
        raise Refused("to refuse a block takes a reason: --reason '...'")

    def refusing(history: Sequence[Recorded]) -> Event:
        _standing(history, kind, party)
        return BlockRefused(kind=kind, party=party, operator=operator, reason=reason)

    await _settle(log, kind, party, operator, refusing)


async def unblock(log: EventLog, kind: str, party: str, operator: str, reason: str) -> None:
    """Lift the block. One operator may: what is lifted wrongly is blocked again by the next payment's own signals."""
    _check(kind, party, reason, "unblock")
    if not stands(await log.read_stream(f"{kind}-{party}"), BLOCK):
        raise Refused(f"{kind} {party} is not blocked")
    event: Event = AccountUnblocked(account_id=party, reason=reason)
    if kind != "account":
        event = PartyUnlisted(list=BLOCK, kind=kind, party=party, operator=operator, reason=reason)
    await append(log, command(f"{kind}-{party}", [event], operator))


async def allow(log: EventLog, kind: str, party: str, operator: str, reason: str, until: int | None = None) -> None:
    """No block of this party holds from now on, until event time ``until`` if given, whoever sets one."""
    _check(kind, party, reason, "allow")
    event = PartyListed(list=ALLOW, kind=kind, party=party, operator=operator, reason=reason, until=until)
    await append(log, command(f"{kind}-{party}", [event], operator))


async def disallow(log: EventLog, kind: str, party: str, operator: str, reason: str) -> None:
    """Take the party off the allow list."""
    _check(kind, party, reason, "disallow")
    if not stands(await log.read_stream(f"{kind}-{party}"), ALLOW):
        raise Refused(f"{kind} {party} is not on the allow list")
    event = PartyUnlisted(list=ALLOW, kind=kind, party=party, operator=operator, reason=reason)
    await append(log, command(f"{kind}-{party}", [event], operator))


async def snooze(log: EventLog, rule_id: str, account_id: str, until: int, operator: str, reason: str) -> None:
    """The rule raises nothing on the account and gives no points there until event time ``until`` (epoch ms)."""
    event = RuleSnoozed(rule_id=rule_id, account_id=account_id, until=until, operator=operator, reason=reason)
    await append(log, command(f"rule-{rule_id}", [event], operator))


def stands(history: Sequence[Recorded], name: str) -> bool:
    """Whether the party has an entry on the list of that name, by its stream; one past its end still counts."""
    for recorded in reversed(history):
        event = recorded.event
        if isinstance(event, AccountBlocked | AccountUnblocked) and name == BLOCK:
            return isinstance(event, AccountBlocked)
        if isinstance(event, PartyListed | PartyUnlisted) and event.list == name:
            return isinstance(event, PartyListed)
    return False


def proposal(history: Sequence[Recorded]) -> BlockProposed | None:
    """The proposal that waits for a second pair of eyes, by the party's stream."""
    recorded = _proposed(history)
    event = None if recorded is None else recorded.event
    return event if isinstance(event, BlockProposed) else None


def _proposed(history: Sequence[Recorded]) -> Recorded | None:
    for recorded in reversed(history):
        event = recorded.event
        if isinstance(event, BlockProposed):
            return recorded
        if isinstance(event, AccountBlocked | BlockRefused) or (isinstance(event, PartyListed) and event.list == BLOCK):
            return None
    return None


async def _settle(
    log: EventLog, kind: str, party: str, operator: str, decide: Callable[[Sequence[Recorded]], Event]
) -> None:
    """Append what ``decide`` makes of the party's history, and of nothing newer.

    An account's payments come into the same stream: what they push aside is decided again, on the history with them.
    """
    if kind not in KINDS:
        raise Refused(f"{kind!r} is none of {', '.join(KINDS)}")
    stream = f"{kind}-{party}"
    for _ in range(TRIES):
        history = await log.read_stream(stream)
        waiting = _proposed(history)
        item = command(
            stream,
            [decide(history)],
            operator,
            expected_version=len(history),
            story=None if waiting is None else waiting.meta.correlation_id,
            cause=None if waiting is None else event_name(waiting.pos),
        )
        if not isinstance(await perform(log, item), Conflict):
            return
    raise Refused(f"something happens to {kind} {party} all the time; try again")


def _standing(history: Sequence[Recorded], kind: str, party: str) -> BlockProposed:
    standing = proposal(history)
    if standing is None:
        raise Refused(f"nobody has proposed to block {kind} {party}")
    return standing


def _blocked(
    kind: str, party: str, operator: str, reason: str, until: int | None, approver: str | None = None
) -> Event:
    if kind == "account":
        return AccountBlocked(account_id=party, reason=reason, until=until, approver=approver)
    return PartyListed(
        list=BLOCK, kind=kind, party=party, operator=operator, reason=reason, until=until, approver=approver
    )


def _check(kind: str, party: str, reason: str, action: str) -> None:
    if kind not in KINDS:
        raise Refused(f"{kind!r} is none of {', '.join(KINDS)}")
    if not party.strip():
        raise Refused(f"say which {kind}")
    if not reason.strip():
        article = "an" if kind == "account" else "a"
        raise Refused(f"to {action} {article} {kind} takes a reason: --reason '...'")
