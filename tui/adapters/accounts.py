"""Accounts: their risk from ``read.account_risk``, their lists from ``read.list_entry``, their events from the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tui.adapters import standing
from tui.adapters.database import Database, epoch_ms_or_none, moment
from tui.ports import Listed
from tui.screens.accounts.port import AlertThen, Profile, Then

if TYPE_CHECKING:
    from core.cases.timeline import Moment

_PROFILE = """
select r.account_id, r.total_transactions, r.fraud_transactions,
       case when r.total_transactions > 0 then r.fraud_transactions * 100.0 / r.total_transactions end as rate,
       r.total_amount, r.max_score, r.last_transaction_at, coalesce(l.reason, '') as blocked
from read.account_risk r
left join read.list_entry l on l.list = 'block' and l.kind = 'account' and l.party = r.account_id and l.active
     and (l.until is null or l.until > now())
"""
_ORDERS = {
    "risk": "rate desc nulls last, r.fraud_transactions desc",
    "frauds": "r.fraud_transactions desc, rate desc nulls last",
    "score": "r.max_score desc, r.fraud_transactions desc",
    "amount": "r.total_amount desc",
    "newest": "r.last_transaction_at desc",
}


PROPOSALS = 1_000


def _profile_of(row: Any) -> Profile:
    return Profile(
        account_id=row["account_id"],
        payments=row["total_transactions"],
        frauds=row["fraud_transactions"],
        rate=None if row["rate"] is None else float(row["rate"]),
        amount=row["total_amount"],
        max_score=row["max_score"],
        last_payment=epoch_ms_or_none(row["last_transaction_at"]),
        blocked=row["blocked"],
    )


def _proposed(entry: Listed) -> str:
    return f"{entry.reason} ({entry.actor})"


class LogAccounts:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def riskiest(self, order: str, limit: int) -> Sequence[Profile]:
        rows = await self._database.fetch(f"{_PROFILE} order by {_ORDERS[order]}, r.account_id limit $1", limit)
        return await self._with_proposals(rows)

    async def find(self, text: str, limit: int) -> Sequence[Profile]:
        rows = await self._database.fetch(
            f"{_PROFILE} where starts_with(r.account_id, $1) order by r.account_id limit $2", text, limit
        )
        return await self._with_proposals(rows)

    async def _with_proposals(self, rows: Sequence[Any]) -> list[Profile]:
        waiting = {
            entry.party: _proposed(entry)
            for entry in await standing.proposed(self._database, PROPOSALS)
            if entry.kind == "account"
        }
        return [replace(profile, proposed=waiting.get(profile.account_id, "")) for profile in map(_profile_of, rows)]

    async def profile(self, account_id: str) -> Profile | None:
        row = await self._database.fetch_row(f"{_PROFILE} where r.account_id = $1", account_id)
        return None if row is None else (await self._with_proposals([row]))[0]

    async def timeline(self, account_id: str, limit: int) -> Sequence[Moment]:
        from core.cases.timeline import timeline

        return await timeline(self._database, account_id, limit)

    async def as_of(self, account_id: str, position: int) -> Then:
        from core.projections.as_of import account_at

        found = await self._database.use(lambda conn: account_at(conn, account_id, position))
        risk = found.risk or {}
        verdicts = [row["fraud"] for row in found.verdicts]
        return Then(
            position=found.pos,
            at=epoch_ms_or_none(found.at),
            payments=risk.get("total_transactions", 0),
            frauds=risk.get("fraud_transactions", 0),
            amount=risk.get("total_amount", 0),
            max_score=risk.get("max_score"),
            last_payment=epoch_ms_or_none(risk.get("last_transaction_at")),
            alerts=tuple(AlertThen(a["rule_id"], a["status"], a["decision"], a["score"]) for a in found.alerts),
            frauds_known=verdicts.count(True),
            cleared=verdicts.count(False),
        )

    async def position_at(self, at: int) -> int:
        from core.projections.as_of import position_at

        return await self._database.use(lambda conn: position_at(conn, moment(at / 1000)))

    async def lists(self, limit: int) -> Sequence[Listed]:
        waiting = await standing.proposed(self._database, limit)
        return [*waiting, *await standing.listed(self._database, limit - len(waiting))]
