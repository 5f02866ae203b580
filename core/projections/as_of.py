"""An account as it stood at a position of the log or at a time: the same folds, over its own events up to there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.eventlog.archive import need_all
from core.projections.account_risk import ACCOUNT_RISK
from core.projections.alert import ALERT
from core.projections.cases import CASES
from core.projections.listed import LISTED
from core.projections.runner import fold_range
from core.projections.verdict import VERDICT

PAYMENTS = 50

# The projections say which alerts and snoozes concern the account; of what they have not folded yet, the log does.
_EVENTS = """
insert into pg_temp.event
select * from log.event
where pos <= $2 and stream = any(
    array['account-' || $1::text] || array(
        select unnest(array['alert-' || alert_id, 'case-' || alert_id]) from (
            select alert_id from read.alert where account_id = $1
            union
            select data ->> 'alert_id' from log.event
            where pos > (select pos from ops.projection where name = 'alert' and live) and pos <= $2
              and type in ('AlertRaised', 'AlertExtended') and data ->> 'account_id' = $1
        ) alert
    )
)
union all
select * from log.event
where pos <= $2 and type = 'RuleSnoozed' and data ->> 'account_id' = $1 and stream = any(array(
    select 'rule-' || rule_id from read.list_entry where kind = 'account' and party = $1 and list = 'snooze'
    union
    select stream from log.event
    where pos > (select pos from ops.projection where name = 'listed' and live) and pos <= $2 and type = 'RuleSnoozed'
      and data ->> 'account_id' = $1
))
"""

# The decision that stood, and a person's word on it where there was one.
_PAYMENTS = """
select p.transaction_id, p.amount, p.channel, p.merchant_id, p.payee_id,
       to_timestamp(p.event_time / 1000.0) as event_time, p.decision, p.score,
       coalesce(v.fraud, p.decision in ('review', 'block')) as is_fraud
from (
    select distinct on (data ->> 'transaction_id')
           data ->> 'transaction_id' as transaction_id, (data ->> 'amount')::bigint as amount,
           data ->> 'channel' as channel, data ->> 'merchant_id' as merchant_id, data ->> 'payee_id' as payee_id,
           (data ->> 'event_time')::bigint as event_time, data ->> 'decision' as decision,
           (data ->> 'score')::int as score
    from event
    where type = 'PaymentDecided' and stream = 'account-' || $1::text
    order by data ->> 'transaction_id', pos desc
) p
left join verdict v using (transaction_id)
order by p.event_time desc, p.transaction_id
limit $2
"""


@dataclass(frozen=True)
class AccountAt:
    """Rows are column -> value; ``risk`` is ``None`` for an account that had no payment yet.

    ``lists`` are its entries on lists, lifted ones too; ``payments`` the newest by their event time.
    """

    pos: int
    at: datetime | None
    risk: dict[str, Any] | None
    alerts: list[dict[str, Any]]
    verdicts: list[dict[str, Any]]
    cases: list[dict[str, Any]]
    lists: list[dict[str, Any]]
    payments: list[dict[str, Any]]


async def position_at(conn: Any, when: datetime) -> int:
    """The last position appended at or before ``when``; 0 when there is none. Times rise with positions.

    Raises ``core.eventlog.archive.Archived`` where the database does not hold the log from its beginning.
    """
    await need_all(conn)
    low, high = 0, int(await conn.fetchval("select pos from log.head"))
    while low < high:
        middle = (low + high + 1) // 2
        if await conn.fetchval("select at from log.event where pos = $1", middle) <= when:
            low = middle
        else:
            high = middle - 1
    return low


async def account_at(conn: Any, account_id: str, pos: int) -> AccountAt:
    """Fold the account's payments, alerts, cases and list entries up to ``pos``; leaves nothing behind.

    Reads by stream, so the cost is that of the account's own events, however long the log is. Raises
    ``core.eventlog.archive.Archived`` where the database does not hold the log from its beginning.
    """
    await need_all(conn)
    transaction = conn.transaction(isolation="repeatable_read")
    await transaction.start()
    try:
        await conn.execute("set transaction read write")  # temporary tables, also in a session that only reads
        await conn.execute(
            "create temp table event (like log.event) on commit drop; create index on pg_temp.event (stream, version)"
        )
        await conn.execute(_EVENTS, account_id, pos)
        await conn.execute("set local search_path = pg_temp, pg_catalog")
        for projection in (ACCOUNT_RISK, ALERT, VERDICT, CASES, LISTED):
            await conn.execute(projection.tables)
            await fold_range(conn, projection, 0, pos, live=False)
        risk = await conn.fetchrow("select * from account_risk where account_id = $1", account_id)
        at = await conn.fetchval("select at from log.event where pos = $1", pos)

        async def rows(query: str, *arguments: object) -> list[dict[str, Any]]:
            return [dict(row) for row in await conn.fetch(query, *arguments)]

        return AccountAt(
            pos,
            at,
            None if risk is None else dict(risk),
            await rows("select * from alert order by first_pos"),
            await rows("select * from verdict order by transaction_id"),
            await rows("select * from cases order by first_pos"),
            await rows("select * from list_entry order by first_pos"),
            await rows(_PAYMENTS, account_id, PAYMENTS),
        )
    finally:
        await transaction.rollback()
