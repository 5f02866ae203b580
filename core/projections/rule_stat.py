"""``read.rule`` and ``read.rule_stat``: each rule's standing, and what became of the alerts it raised, by the hour."""

from __future__ import annotations

from core.projections.case_status import ACTS, NEWEST
from core.projections.projection import Projection

# rule_version and rule_alert are what the two others are made of.
_TABLES = """
create table rule (
    rule_id     text collate "C" primary key,
    version     text not null,
    sql_sha256  text not null,
    deployed_at timestamptz not null,
    paused      boolean not null default false,
    switched_at timestamptz,
    switched_by text,
    last_pos    bigint not null
) with (fillfactor = 70);

create table rule_version (
    rule_id   text collate "C" not null,
    first_pos bigint not null,
    version   text not null,
    primary key (rule_id, first_pos)
);

create table rule_alert (
    alert_id  text collate "C" primary key,
    rule_id   text collate "C" not null,
    version   text collate "C" not null,
    hour      timestamptz not null,
    status    text not null default 'open',
    rows      int not null,
    amount    bigint,
    first_pos bigint not null,
    last_pos  bigint not null
) with (fillfactor = 70);
create index on rule_alert (rule_id, version, hour);
create index on rule_alert (last_pos);

create table rule_stat (
    rule_id   text collate "C" not null,
    version   text collate "C" not null,
    hour      timestamptz not null,
    alerts    int not null,
    extended  int not null,
    open      int not null,
    claimed   int not null,
    confirmed int not null,
    dismissed int not null,
    escalated int not null,
    amount    bigint not null,
    last_pos  bigint not null,
    primary key (rule_id, version, hour)
) with (fillfactor = 70);
create index on rule_stat (hour);
"""

_VERSIONS = """
insert into rule_version (rule_id, first_pos, version)
select data ->> 'rule_id', pos, data ->> 'version'
from event
where pos > $1 and pos <= $2 and type = 'RuleDeployed'
"""

_DEPLOYED = """
insert into rule (rule_id, version, sql_sha256, deployed_at, last_pos)
select distinct on (data ->> 'rule_id') data ->> 'rule_id', data ->> 'version', data ->> 'sql_sha256', at, pos
from event
where pos > $1 and pos <= $2 and type = 'RuleDeployed'
order by data ->> 'rule_id', pos desc
on conflict (rule_id) do update set
    version = excluded.version, sql_sha256 = excluded.sql_sha256, deployed_at = excluded.deployed_at,
    last_pos = excluded.last_pos
"""

# Only a rule that was deployed before can be switched: so the answer does not depend on how the log is cut.
_SWITCHED = """
update rule r set
    paused = s.paused, switched_at = s.at, switched_by = s.operator, last_pos = greatest(r.last_pos, s.pos)
from (
    select distinct on (data ->> 'rule_id') data ->> 'rule_id' as rule_id, type = 'RulePaused' as paused, at, pos,
           data ->> 'operator' as operator
    from event
    where pos > $1 and pos <= $2 and type in ('RulePaused', 'RuleResumed')
    order by data ->> 'rule_id', pos desc
) s
where r.rule_id = s.rule_id and exists (
    select from rule_version v where v.rule_id = s.rule_id and v.first_pos < s.pos
)
"""

_ALERTS = """
insert into rule_alert as a (alert_id, rule_id, version, hour, rows, amount, first_pos, last_pos)
select e.alert_id, e.rule_id, coalesce(v.version, ''), e.hour, e.rows, e.amount, e.first_pos, e.last_pos
from (
    select data ->> 'alert_id' as alert_id, count(*) as rows, min(pos) as first_pos, max(pos) as last_pos,
           (array_agg(data ->> 'rule_id' order by pos))[1] as rule_id,
           date_trunc('hour', to_timestamp((array_agg((data ->> 'event_time')::bigint order by pos))[1] / 1000.0),
                      'UTC') as hour,
           (array_agg((data ->> 'amount')::bigint order by pos desc))[1] as amount
    from event
    where pos > $1 and pos <= $2 and type in ('AlertRaised', 'AlertExtended')
    group by data ->> 'alert_id'
) e
left join lateral (
    select version from rule_version v
    where v.rule_id = e.rule_id and v.first_pos < e.first_pos
    order by v.first_pos desc
    limit 1
) v on true
order by e.alert_id
on conflict (alert_id) do update set
    rows = a.rows + excluded.rows, amount = excluded.amount, last_pos = excluded.last_pos
"""

_CASES = f"""
update rule_alert a set status = c.status, last_pos = greatest(a.last_pos, c.pos)
from ({NEWEST}) c
where a.alert_id = c.case_id and a.first_pos < c.pos
"""

_STATS = """
insert into rule_stat (rule_id, version, hour, alerts, extended, open, claimed, confirmed, dismissed, escalated, amount,
                       last_pos)
select rule_id, version, hour, count(*), sum(rows) - count(*), count(*) filter (where status = 'open'),
       count(*) filter (where status = 'claimed'), count(*) filter (where status = 'confirmed'),
       count(*) filter (where status = 'dismissed'), count(*) filter (where status = 'escalated'),
       coalesce(sum(amount), 0), max(last_pos)
from rule_alert
where (rule_id, version, hour) in (
    select distinct rule_id, version, hour from rule_alert where last_pos > $1 and last_pos <= $2
)
group by rule_id, version, hour
order by rule_id, version, hour
on conflict (rule_id, version, hour) do update set
    alerts = excluded.alerts, extended = excluded.extended, open = excluded.open, claimed = excluded.claimed,
    confirmed = excluded.confirmed, dismissed = excluded.dismissed, escalated = excluded.escalated,
    amount = excluded.amount, last_pos = excluded.last_pos
"""

RULE_STAT = Projection(
    name="rule_stat",
    version=1,
    types={"RuleDeployed": 1, "RulePaused": 1, "RuleResumed": 1, "AlertRaised": 1, "AlertExtended": 1, **ACTS},
    tables=_TABLES,
    fold=(_VERSIONS, _DEPLOYED, _SWITCHED, _ALERTS, _CASES, _STATS),
    published={"rule": "rule_id", "rule_stat": "rule_id, version, hour"},
    pace_s=0.25,
)
