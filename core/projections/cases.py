"""``read.cases``: how each case that a person took up was handled, and how long it took."""

from __future__ import annotations

from core.projections.case_status import ACT_NAMES, ACTS, STATUS
from core.projections.projection import Projection

_TABLES = """
create table cases (
    case_id     text collate "C" primary key,
    account_id  text collate "C",
    rule_id     text,
    status      text not null,
    assignee    text,
    opened_at   timestamptz,
    taken_at    timestamptz not null,
    closed_at   timestamptz,
    closed_by   text,
    reason      text,
    acts        int not null,
    notes       int not null,
    last_actor  text not null,
    last_at     timestamptz not null,
    first_pos   bigint not null,
    last_pos    bigint not null
) with (fillfactor = 70);
create index on cases (account_id);
create index on cases (last_pos);
"""

# Notes leave the standing as it is. The alert says whose case it is, as far as it was known when the case was taken up.
_CASES = f"""
insert into cases as c (case_id, account_id, rule_id, status, assignee, opened_at, taken_at, closed_at, closed_by,
                        reason, acts, notes, last_actor, last_at, first_pos, last_pos)
select e.case_id, a.account_id, a.rule_id, coalesce(s.status, 'open'), s.assignee, a.opened_at, e.taken_at,
       s.closed_at, s.closed_by, s.reason, e.acts, e.notes, e.last_actor, e.last_at, e.first_pos, e.last_pos
from (
    select data ->> 'case_id' as case_id, count(*) as acts, count(*) filter (where type = 'CaseNoted') as notes,
           min(pos) as first_pos, max(pos) as last_pos, (array_agg(at order by pos))[1] as taken_at,
           (array_agg(at order by pos desc))[1] as last_at,
           (array_agg(coalesce(meta ->> 'actor', data ->> 'operator', '') order by pos desc))[1] as last_actor,
           max(pos) filter (where type <> 'CaseNoted') as standing_pos
    from event
    where pos > $1 and pos <= $2
      and type in ({ACT_NAMES}, 'CaseNoted')
    group by data ->> 'case_id'
) e
left join lateral (
    select data ->> 'account_id' as account_id, data ->> 'rule_id' as rule_id, at as opened_at
    from event
    where stream = 'alert-' || e.case_id and pos < e.first_pos and type in ('AlertRaised', 'AlertExtended')
    order by version
    limit 1
) a on true
left join lateral (
    select {STATUS} as status,
           case when type <> 'CaseReopened' then data ->> 'operator' end as assignee,
           case when type in ('CaseConfirmed', 'CaseDismissed') then at end as closed_at,
           case when type in ('CaseConfirmed', 'CaseDismissed') then data ->> 'operator' end as closed_by,
           nullif(data ->> 'reason', '') as reason
    from event
    where pos = e.standing_pos
) s on true
order by e.case_id
on conflict (case_id) do update set
    status = case when excluded.acts > excluded.notes then excluded.status else c.status end,
    assignee = case when excluded.acts > excluded.notes then excluded.assignee else c.assignee end,
    closed_at = case when excluded.acts > excluded.notes then excluded.closed_at else c.closed_at end,
    closed_by = case when excluded.acts > excluded.notes then excluded.closed_by else c.closed_by end,
    reason = case when excluded.acts > excluded.notes then excluded.reason else c.reason end,
    acts = c.acts + excluded.acts, notes = c.notes + excluded.notes, last_actor = excluded.last_actor,
    last_at = excluded.last_at, last_pos = excluded.last_pos
"""

CASES = Projection(
    name="cases",
    version=1,
    types={"AlertRaised": 1, "AlertExtended": 1, "CaseNoted": 1, **ACTS},
    tables=_TABLES,
    fold=(_CASES,),
    published={"cases": "case_id"},
    pace_s=0.1,
)
