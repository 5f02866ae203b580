"""``read.alert``: the inbox, one row an incident, with the standing of its case."""

from __future__ import annotations

from core.projections.case_status import ACTS, NEWEST
from core.projections.projection import Projection

_TABLES = """
create table alert (
    alert_id       text collate "C" primary key,
    rule_id        text not null,
    account_id     text collate "C" not null,
    incident_start timestamptz not null,
    incident_end   timestamptz not null,
    event_time     timestamptz not null,
    txn_count      int,
    amount         bigint,
    score          int not null,
    decision       text not null,
    severity       text not null,
    status         text not null default 'open',
    assignee       text,
    transactions   text[] not null,
    signals        jsonb not null,
    sources        jsonb not null,
    raised_at      timestamptz not null,
    first_pos      bigint not null,
    last_pos       bigint not null,
    produced_at    timestamptz
) with (fillfactor = 70);
create index on alert (first_pos);
create index on alert (last_pos);
create index on alert (account_id);
"""

# The newest row of an incident holds its totals; the first one says when it was raised.
_INCIDENTS = """
insert into alert as a (alert_id, rule_id, account_id, incident_start, incident_end, event_time, txn_count, amount,
                        score, decision, severity, transactions, signals, sources, raised_at, first_pos, last_pos,
                        produced_at)
select alert_id, data ->> 'rule_id', data ->> 'account_id',
       to_timestamp((data ->> 'incident_start')::bigint / 1000.0),
       to_timestamp((data ->> 'incident_end')::bigint / 1000.0),
       to_timestamp((data ->> 'event_time')::bigint / 1000.0),
       (data ->> 'txn_count')::int, (data ->> 'amount')::bigint, (data ->> 'score')::int,
       data ->> 'decision', data ->> 'severity',
       array(select jsonb_array_elements_text(coalesce(data -> 'transactions', '[]'))),
       coalesce(data -> 'signals', '[]'), coalesce(data -> 'sources', '[]'),
       first_at, first_pos, pos, to_timestamp((first_produced)::bigint / 1000.0)
from (
    select data ->> 'alert_id' as alert_id, data, pos,
           row_number() over newest as age,
           min(pos) over whole as first_pos, min(at) over whole as first_at,
           first_value(data ->> 'produced_at') over oldest as first_produced
    from event
    where pos > $1 and pos <= $2 and type in ('AlertRaised', 'AlertExtended')
    window whole as (partition by data ->> 'alert_id'),
           newest as (partition by data ->> 'alert_id' order by pos desc),
           oldest as (partition by data ->> 'alert_id' order by pos)
) e
where age = 1
order by alert_id
on conflict (alert_id) do update set
    incident_start = excluded.incident_start, incident_end = excluded.incident_end, event_time = excluded.event_time,
    txn_count = excluded.txn_count, amount = excluded.amount, score = excluded.score, decision = excluded.decision,
    severity = excluded.severity, transactions = excluded.transactions, signals = excluded.signals,
    sources = excluded.sources, last_pos = excluded.last_pos
"""

_CASES = f"""
update alert a set status = c.status, assignee = c.assignee, last_pos = greatest(a.last_pos, c.pos)
from ({NEWEST}) c
where a.alert_id = c.case_id and a.first_pos < c.pos
"""

ALERT = Projection(
    name="alert",
    version=1,
    types={"AlertRaised": 1, "AlertExtended": 1, **ACTS},
    tables=_TABLES,
    fold=(_INCIDENTS, _CASES),
    published={"alert": "alert_id"},
)
