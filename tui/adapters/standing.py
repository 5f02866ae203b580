"""What holds for a party: blocks, allowances and snoozes from ``read.list_entry``, proposals from ``read.audit``."""

from __future__ import annotations

from typing import Any

from tui.adapters.database import Database, epoch_ms, epoch_ms_or_none, moment
from tui.ports import Listed

# A proposal stands while nothing newer in the party's stream has settled it.
_PROPOSED = """
select kind, party, 'proposed' as list, reason, at as since, until, actor as operator from (
    select distinct on (stream) stream, action, reason, at, actor, data ->> 'kind' as kind, data ->> 'party' as party,
           to_timestamp((data ->> 'until')::bigint / 1000.0) as until, pos
    from read.audit
    where (action in ('BlockProposed', 'BlockRefused', 'AccountBlocked')
           or action = 'PartyListed' and data ->> 'list' = 'block')
      and ($1::text is null or subject = $1)
    order by stream, pos desc
) newest
where action = 'BlockProposed'
order by pos desc
limit $2
"""
_LISTED = """
select kind, party, list, case when list = 'snooze' then rule_id || ': ' || reason else reason end as reason,
       since, until, operator
from read.list_entry
where active
"""


def _listed(row: Any) -> Listed:
    return Listed(
        kind=row["kind"],
        party=row["party"],
        effect=row["list"],
        reason=row["reason"],
        since=epoch_ms(row["since"]),
        until=epoch_ms_or_none(row["until"]),
        actor=row["operator"],
    )


async def proposed(database: Database, limit: int, party: str | None = None) -> list[Listed]:
    """Blocks that wait for a second operator, the newest first; of one party when it is named."""
    return [_listed(row) for row in await database.fetch(_PROPOSED, party, limit)]


async def listed(database: Database, limit: int) -> list[Listed]:
    """What is blocked and allowed now, the newest first."""
    rows = await database.fetch(
        f"{_LISTED} and list in ('block', 'allow') and (until is null or until > now())"
        " order by first_pos desc limit $1",
        limit,
    )
    return [_listed(row) for row in rows]


async def of_account(database: Database, account_id: str, rule_id: str, event_time: int) -> tuple[Listed, ...]:
    """What holds for the account: proposals, blocks, allowances, and a snooze of the rule at the event time (ms)."""
    rows = await database.fetch(
        f"{_LISTED} and kind = 'account' and party = $1"
        " and (list in ('block', 'allow') and (until is null or until > now())"
        "      or list = 'snooze' and rule_id = $2 and until > $3)"
        " order by list, first_pos desc",
        account_id,
        rule_id,
        moment(event_time / 1000),
    )
    waiting = [entry for entry in await proposed(database, 1, account_id) if entry.kind == "account"]
    return (*waiting, *(_listed(row) for row in rows))
