"""Acting on a case: one event, appended against the version its writer has seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.eventlog import Conflict, EventLog, Item, Recorded
from core.eventlog.act import command, perform
from core.eventlog.record import event_name
from schema.events import (
    CaseClaimed,
    CaseConfirmed,
    CaseDismissed,
    CaseEscalated,
    CaseNoted,
    CaseReopened,
    Event,
)

_STANDS: dict[type[Event], str] = {
    CaseClaimed: "claimed",
    CaseConfirmed: "confirmed",
    CaseDismissed: "dismissed",
    CaseEscalated: "escalated",
    CaseReopened: "open",
}


class Refused(Exception):
    """The action does not fit what the log says; the text says why and what stands."""


def case_event(action: str, case_id: str, operator: str, text: str, transactions: Sequence[str] = ()) -> Event:
    """The event of an action: claim, confirm, dismiss, escalate, reopen or note. Raises ``Refused`` without a reason
    where one is due."""
    if action in ("dismiss", "note") and not text.strip():
        raise Refused(f"to {action} a case takes a reason: --reason '...'")
    match action:
        case "claim":
            return CaseClaimed(case_id=case_id, operator=operator)
        case "confirm":
            return CaseConfirmed(case_id=case_id, operator=operator, reason=text, transactions=tuple(transactions))
        case "dismiss":
            return CaseDismissed(case_id=case_id, operator=operator, reason=text)
        case "escalate":
            return CaseEscalated(case_id=case_id, operator=operator, reason=text)
        case "reopen":
            return CaseReopened(case_id=case_id, operator=operator, reason=text)
        case "note":
            return CaseNoted(case_id=case_id, operator=operator, text=text)
    raise Refused(f"a case cannot be made to {action!r}")


async def act(
    pool: Any, log: EventLog, action: str, case_id: str, operator: str, text: str, transactions: Sequence[str] = ()
) -> None:
    """Append the action's event to the case; of two operators at once the second is refused."""
    row = await pool.fetchrow("select transactions, last_pos from read.alert where alert_id = $1", case_id)
    if row is None:
        raise Refused(f"there is no alert {case_id!r}; `streamguard alerts list` shows those there are")
    if foreign := [name for name in transactions if name not in row["transactions"]]:
        raise Refused(f"payment {foreign[0]!r} is not part of this case")
    history = await log.read_stream(f"case-{case_id}")
    event = case_event(action, case_id, operator, text, transactions)
    if objection := against(action, *standing(history), in_part=bool(transactions)):
        raise Refused(objection)
    await append(log, on_case(event, case_id, operator, len(history), row["last_pos"]))


def standing(history: Sequence[Recorded]) -> tuple[str, str]:
    """The case's status by its stream, and who gave it: open, claimed, confirmed, dismissed or escalated."""
    for recorded in reversed(history):
        if (status := _STANDS.get(type(recorded.event))) is not None:
            return status, recorded.meta.actor
    return "open", ""


def against(action: str, status: str, by: str, *, in_part: bool = False) -> str | None:
    """Why the action does not fit the case as it stands; None where it does. What is closed is reopened first, but
    more of its payments can be confirmed."""
    if action == "reopen" and status == "open":
        return "the case is open already"
    if action == "claim" and status == "claimed":
        return f"the case is claimed by {by} already"
    if status not in ("confirmed", "dismissed") or action in ("reopen", "note"):
        return None
    if action == "confirm" and status == "confirmed" and in_part:
        return None
    return f"{by} has {status} the case; reopening it undoes that first"


def on_case(event: Event, case_id: str, actor: str, version: int, seen: int) -> Item:
    """What is done to a case: part of its alert's story, because of the alert as it stood at position ``seen``."""
    return command(f"case-{case_id}", [event], actor, expected_version=version, story=case_id, cause=event_name(seen))


async def append(log: EventLog, item: Item) -> None:
    """Append what an operator did; raises ``Refused`` when the version expected is no longer the stream's."""
    if isinstance(await perform(log, item), Conflict):
        raise Refused("somebody else acted at the same moment; look again")
