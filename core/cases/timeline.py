"""Everything that happened to one account, from the log: payments, changed decisions, alerts, cases and blocks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import msgspec

_NEWEST = """
select e.pos, e.type, e.at, e.data::text as data, coalesce(e.meta ->> 'actor', '') as actor
from unnest(
    array['account-' || $1::text] || array(
        select unnest(array['alert-' || alert_id, 'case-' || alert_id]) from read.alert where account_id = $1
    )
) as s (name)
cross join lateral (
    select pos, type, at, data, meta from log.event where stream = s.name order by version desc limit $2
) e
order by e.pos desc
limit $2
"""


@dataclass(frozen=True, slots=True)
class Moment:
    """One event of an account. ``kind`` is payment, decision, alert, case or action; times are epoch ms.

    ``event_time`` is when it took place, ``at`` when the log took it in; ``amount`` centavos, ``score`` 0-1000.
    ``subject`` is the payment, alert or account that it is about.
    """

    position: int
    at: int
    event_time: int
    kind: str
    what: str
    subject: str
    amount: int | None = None
    score: int | None = None
    decision: str = ""
    actor: str = ""


class Connection(Protocol):
    """A connection, a pool, or whatever else answers queries with rows."""

    async def fetch(self, query: str, *arguments: object) -> list[Any]: ...


async def timeline(conn: Connection, account_id: str, limit: int) -> list[Moment]:
    """The newest ``limit`` events of the account, in the order of the log."""
    rows = await conn.fetch(_NEWEST, account_id, limit)
    return [moment(row["pos"], row["type"], _ms(row["at"]), row["data"], row["actor"]) for row in reversed(rows)]


def moment(position: int, event_type: str, at: int, data: str, actor: str) -> Moment:
    """An event as the timeline tells it; ``data`` is its JSON as it stands in the log, of any version."""
    event: dict[str, Any] = msgspec.json.decode(data)
    reason = str(event.get("reason") or event.get("text") or "")
    match event_type:
        case "PaymentDecided":
            return _payment(position, at, event)
        case "AlertRaised" | "AlertExtended":
            grew = " grew" if event_type == "AlertExtended" else ""
            count = event.get("txn_count") or 1
            return Moment(
                position,
                at,
                event["event_time"],
                "alert",
                f"{event['rule_id']}{grew}" + (f", {count} payments" if count > 1 else ""),
                event["alert_id"],
                event.get("amount"),
                event["score"],
                event["decision"],
            )
        case "AccountBlocked" | "AccountUnblocked":
            verb = event_type.removeprefix("Account").lower()
            return Moment(position, at, at, "action", _with(verb, reason), event["account_id"], actor=actor)
    if event_type.startswith("Case"):
        verb = event_type.removeprefix("Case").lower()
        return Moment(position, at, at, "case", _with(verb, reason), event.get("case_id", ""), actor=actor)
    return Moment(position, at, at, "action", _with(event_type, reason), event.get("account_id", ""), actor=actor)


def _payment(position: int, at: int, event: dict[str, Any]) -> Moment:
    party = event.get("merchant_id") or event.get("payee_id") or ""
    place = " ".join(part for part in (event.get("channel"), party) if part)
    changed = bool(event.get("revision"))
    reasons = [s["id"] for s in sorted(event.get("signals", ()), key=lambda s: -s["points"]) if s["points"]]
    why = f": {' '.join(reasons[:3])}" if reasons else ""
    return Moment(
        position,
        at,
        event["event_time"],
        "decision" if changed else "payment",
        f"now {event['decision']}{why}" if changed else f"{place}{why}",
        event["transaction_id"],
        event["amount"],
        event["score"],
        event["decision"],
    )


def _with(verb: str, reason: str) -> str:
    return f"{verb}: {reason}" if reason else verb


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
