"""Acting on a case: one event, appended against the version its writer has seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.eventlog import Conflict, EventLog, Item
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
    row = await pool.fetchrow(
        "select status, assignee, transactions, last_pos from read.alert where alert_id = $1", case_id
    )
    if row is None:
        raise Refused(f"there is no alert {case_id!r}; `streamguard alerts list` shows those there are")
    if action == "claim" and row["status"] == "claimed":
        raise Refused(f"the case is claimed by {row['assignee']} already")
    if action == "reopen" and row["status"] == "open":
        raise Refused("the case is open already")
    if foreign := [name for name in transactions if name not in row["transactions"]]:
        raise Refused(f"payment {foreign[0]!r} is not part of this case")
    history = await log.read_stream(f"case-{case_id}")
    event = case_event(action, case_id, operator, text, transactions)
    await append(log, on_case(event, case_id, operator, len(history), row["last_pos"]))


def on_case(event: Event, case_id: str, actor: str, version: int, seen: int) -> Item:
    """What is done to a case: part of its alert's story, because of the alert as it stood at position ``seen``."""
    return command(f"case-{case_id}", [event], actor, expected_version=version, story=case_id, cause=event_name(seen))


async def append(log: EventLog, item: Item) -> None:
    """Append what an operator did; raises ``Refused`` when the version expected is no longer the stream's."""
    if isinstance(await perform(log, item), Conflict):
        raise Refused("somebody else acted at the same moment; look again")
