"""``read.list_entry``: who is blocked, allowed or snoozed, since when and by whom."""

from __future__ import annotations

from core.projections.projection import Projection

# One row for each (list, kind, party, rule) ever listed; the newest listing holds, and a later lifting ends it.
_TABLES = """
create table list_entry (
    list      text collate "C" not null,
    kind      text collate "C" not null,
    party     text collate "C" not null,
    rule_id   text collate "C" not null,
    active    boolean not null,
    since     timestamptz not null,
    until     timestamptz,
    operator  text not null,
    reason    text not null,
    lifted_at timestamptz,
    lifted_by text,
    first_pos bigint not null,
    last_pos  bigint not null,
    primary key (list, kind, party, rule_id)
) with (fillfactor = 70);
create index on list_entry (party);
"""

_EVENTS = """
    select pos, at, coalesce(meta ->> 'actor', data ->> 'operator', '') as operator,
           coalesce(data ->> 'reason', '') as reason, to_timestamp((data ->> 'until')::bigint / 1000.0) as until,
           case type when 'RuleSnoozed' then 'snooze' else coalesce(data ->> 'list', 'block') end as list,
           coalesce(data ->> 'kind', 'account') as kind, coalesce(data ->> 'party', data ->> 'account_id') as party,
           coalesce(data ->> 'rule_id', '') as rule_id, type in ('AccountUnblocked', 'PartyUnlisted') as lifts
    from event
    where pos > $1 and pos <= $2
      and type in ('AccountBlocked', 'AccountUnblocked', 'PartyListed', 'PartyUnlisted', 'RuleSnoozed')
"""

_LISTED = f"""
with e as ({_EVENTS})
insert into list_entry (list, kind, party, rule_id, active, since, until, operator, reason, first_pos, last_pos)
select distinct on (list, kind, party, rule_id)
       list, kind, party, rule_id, true, at, until, operator, reason, pos, pos
from e
where not lifts
order by list, kind, party, rule_id, pos desc
on conflict (list, kind, party, rule_id) do update set
    active = true, since = excluded.since, until = excluded.until, operator = excluded.operator,
    reason = excluded.reason, lifted_at = null, lifted_by = null, first_pos = excluded.first_pos,
    last_pos = excluded.last_pos
"""

_LIFTED = f"""
with e as ({_EVENTS})
update list_entry l set active = false, lifted_at = u.at, lifted_by = u.operator, last_pos = u.pos
from (
    select distinct on (list, kind, party, rule_id) list, kind, party, rule_id, at, operator, pos
    from e
    where lifts
    order by list, kind, party, rule_id, pos desc
) u
where l.list = u.list and l.kind = u.kind and l.party = u.party and l.rule_id = u.rule_id and l.first_pos < u.pos
"""

LISTED = Projection(
    name="listed",
    version=1,
    types={"AccountBlocked": 1, "AccountUnblocked": 1, "PartyListed": 1, "PartyUnlisted": 1, "RuleSnoozed": 1},
    tables=_TABLES,
    fold=(_LISTED, _LIFTED),
    published={"list_entry": "list, kind, party, rule_id"},
    pace_s=0.1,
)
