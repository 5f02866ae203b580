"""``read.scenario_run``: every run an operator asked for, how far it is and its verdict."""

from __future__ import annotations

from core.projections.projection import Projection

_TABLES = """
create table scenario_run (
    run_id            text collate "C" primary key,
    scenario          text not null,
    seed              bigint not null,
    parameters        jsonb not null,
    status            text not null,
    worker            text,
    requested_at      timestamptz not null,
    transactions      int,
    expected          int,
    caught            int,
    missed            int,
    false_alerts      int,
    time_to_detect_ms bigint,
    detected_wall_ms  bigint,
    money_lost        bigint,
    reason            text,
    last_pos          bigint not null,
    caught_by         jsonb
) with (fillfactor = 70);
create index on scenario_run (requested_at);
"""

_REQUESTED = """
insert into scenario_run (run_id, scenario, seed, parameters, status, requested_at, last_pos)
select data ->> 'run_id', data ->> 'scenario', (data ->> 'seed')::bigint, coalesce(data -> 'parameters', '{}'),
       'requested', at, pos
from event
where pos > $1 and pos <= $2 and type = 'ScenarioRequested'
order by 1
on conflict (run_id) do nothing
"""

# The events of a run follow one another, each naming fields the others do not: the newest value of a field wins.
_PROGRESS = """
update scenario_run r set
    status = e.status, last_pos = e.last_pos,
    worker = coalesce(e.fields ->> 'worker', r.worker),
    transactions = coalesce((e.fields ->> 'transactions')::int, r.transactions),
    expected = coalesce(e.expected, r.expected),
    caught = coalesce((e.fields ->> 'caught')::int, r.caught),
    missed = coalesce((e.fields ->> 'missed')::int, r.missed),
    false_alerts = coalesce((e.fields ->> 'false_alerts')::int, r.false_alerts),
    time_to_detect_ms = coalesce((e.fields ->> 'time_to_detect_ms')::bigint, r.time_to_detect_ms),
    detected_wall_ms = coalesce((e.fields ->> 'detected_wall_ms')::bigint, r.detected_wall_ms),
    money_lost = case when e.scored then coalesce((e.fields ->> 'money_lost')::bigint, 0) else r.money_lost end,
    reason = coalesce(e.fields ->> 'reason', r.reason),
    caught_by = coalesce(e.fields -> 'caught_by', r.caught_by)
from (
    select data ->> 'run_id' as run_id, max(pos) as last_pos, bool_or(type = 'ScenarioScored') as scored,
           (array_agg(case type when 'ScenarioClaimed' then 'claimed' when 'ScenarioSent' then 'sent'
                                when 'ScenarioScored' then 'scored' when 'ScenarioFailed' then 'failed'
                                else 'stopped' end order by pos desc))[1] as status,
           (array_agg(case jsonb_typeof(data -> 'expected') when 'array' then jsonb_array_length(data -> 'expected')
                           else (data ->> 'expected')::int end order by pos desc)
               filter (where data ? 'expected'))[1] as expected,
           jsonb_object_agg(f.key, f.value order by pos) as fields
    from event, jsonb_each(data) as f
    where pos > $1 and pos <= $2
      and type in ('ScenarioClaimed', 'ScenarioSent', 'ScenarioScored', 'ScenarioFailed', 'ScenarioStopped')
    group by data ->> 'run_id'
) e
where r.run_id = e.run_id
"""

SCENARIO_RUN = Projection(
    name="scenario_run",
    version=2,
    types={
        "ScenarioRequested": 1,
        "ScenarioClaimed": 1,
        "ScenarioSent": 1,
        "ScenarioScored": 1,
        "ScenarioFailed": 1,
        "ScenarioStopped": 1,
    },
    tables=_TABLES,
    fold=(_REQUESTED, _PROGRESS),
    published={"scenario_run": "run_id"},
)
