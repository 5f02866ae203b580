"""An account as it stood at a position of the log or at a time: the same folds, over its own events up to there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.eventlog.archive import need_all
from core.projections.account_risk import ACCOUNT_RISK
from core.projections.alert import ALERT
from core.projections.runner import fold_range
from core.projections.verdict import VERDICT


@dataclass(frozen=True)
class AccountAt:
    """Rows are column -> value; ``risk`` is ``None`` for an account that had no payment yet."""

    pos: int
    at: datetime | None
    risk: dict[str, Any] | None
    alerts: list[dict[str, Any]]
    verdicts: list[dict[str, Any]]


async def position_at(conn: Any, when: datetime) -> int:
    """The last position appended at or before ``when``; 0 when there is none. Times rise with positions."""
    low, high = 0, int(await conn.fetchval("select pos from log.head"))
    while low < high:
        middle = (low + high + 1) // 2
        if await conn.fetchval("select at from log.event where pos = $1", middle) <= when:
            low = middle
        else:
            high = middle - 1
    return low


async def account_at(conn: Any, account_id: str, pos: int) -> AccountAt:
    """Fold the account's payments, alerts and cases up to ``pos``; leaves nothing behind.

    Reads by stream, so the cost is that of the account's own events, however long the log is.
    """
    await need_all(conn)
    transaction = conn.transaction(isolation="repeatable_read")
    await transaction.start()
    try:
        await conn.execute(
            "create temp table event (like log.event) on commit drop; create index on pg_temp.event (stream, version)"
        )
        await conn.execute(
            "insert into pg_temp.event select * from log.event where pos <= $2 and stream = any("
            "  array['account-' || $1::text] || array("
            "    select unnest(array['alert-' || alert_id, 'case-' || alert_id]) from read.alert"
            "    where account_id = $1))",
            account_id,
            pos,
        )
        await conn.execute("set local search_path = pg_temp, pg_catalog")
        for projection in (ACCOUNT_RISK, ALERT, VERDICT):
            await conn.execute(projection.tables)
            await fold_range(conn, projection, 0, pos, live=False)
        risk = await conn.fetchrow("select * from account_risk where account_id = $1", account_id)
        alerts = await conn.fetch("select * from alert order by first_pos")
        verdicts = await conn.fetch("select * from verdict order by transaction_id")
        at = await conn.fetchval("select at from log.event where pos = $1", pos)
        return AccountAt(
            pos,
            at,
            None if risk is None else dict(risk),
            [dict(row) for row in alerts],
            [dict(row) for row in verdicts],
        )
    finally:
        await transaction.rollback()
