"""``read.account_risk`` and the view ``account_risk_profile``: what an account has paid and how much of it is fraud."""

from __future__ import annotations

from core.projections.judged import JUDGED
from core.projections.projection import Projection

# standing holds only payments that were ever flagged or judged; all others are approved and in nobody's doubt.
_TABLES = """
create table account_risk (
    account_id          text collate "C" primary key,
    total_transactions  bigint not null,
    fraud_transactions  bigint not null default 0,
    total_amount        bigint not null,
    max_score           int not null,
    last_transaction_at timestamptz not null,
    last_pos            bigint not null
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

create table standing (
    transaction_id text collate "C" primary key,
    account_id     text collate "C" not null,
    flagged        boolean not null default false,
    verdict        boolean,
    last_pos       bigint not null
);
create index on standing (account_id);
create index on standing (last_pos);
"""

_PAYMENTS = """
insert into account_risk as r (account_id, total_transactions, total_amount, max_score, last_transaction_at, last_pos)
select data ->> 'account_id', count(*) filter (where not data ? 'revision'),
       coalesce(sum((data ->> 'amount')::bigint) filter (where not data ? 'revision'), 0),
       max((data ->> 'score')::int), to_timestamp(max((data ->> 'event_time')::bigint) / 1000.0), max(pos)
from event
where pos > $1 and pos <= $2 and type = 'PaymentDecided'
group by data ->> 'account_id'
order by data ->> 'account_id'
on conflict (account_id) do update set
    total_transactions = r.total_transactions + excluded.total_transactions,
    total_amount = r.total_amount + excluded.total_amount,
    max_score = greatest(r.max_score, excluded.max_score),
    last_transaction_at = greatest(r.last_transaction_at, excluded.last_transaction_at),
    last_pos = excluded.last_pos
"""

_FLAGGED = """
insert into standing as s (transaction_id, account_id, flagged, last_pos)
select distinct on (data ->> 'transaction_id')
       data ->> 'transaction_id', data ->> 'account_id', data ->> 'decision' in ('review', 'block'), pos
from event
where pos > $1 and pos <= $2 and type = 'PaymentDecided'
  and (data ->> 'decision' in ('review', 'block') or data ? 'revision')
order by data ->> 'transaction_id', pos desc
on conflict (transaction_id) do update set
    flagged = excluded.flagged, last_pos = greatest(s.last_pos, excluded.last_pos)
"""

_JUDGED = f"""
with judged as ({JUDGED})
insert into standing as s (transaction_id, account_id, verdict, last_pos)
select distinct on (transaction_id) transaction_id, account_id, fraud, pos
from judged
order by transaction_id, pos desc
on conflict (transaction_id) do update set
    verdict = excluded.verdict, last_pos = greatest(s.last_pos, excluded.last_pos)
"""

_FRAUD = """
update account_risk r set fraud_transactions = s.fraud, last_pos = greatest(r.last_pos, s.last_pos)
from (
    select account_id, count(*) filter (where coalesce(verdict, flagged)) as fraud, max(last_pos) as last_pos
    from standing
    where account_id in (select account_id from standing where last_pos > $1 and last_pos <= $2)
    group by account_id
) s
where r.account_id = s.account_id
"""

_PROFILE = """
select account_id, total_transactions, fraud_transactions,
       round(fraud_transactions * 100.0 / total_transactions, 2) as fraud_rate,
       (total_amount / 100.0)::numeric(16, 2) as total_amount, max_score, last_transaction_at
from read.account_risk
where total_transactions > 0
"""

ACCOUNT_RISK = Projection(
    name="account_risk",
    version=1,
    types={
        "PaymentDecided": 1,
        "CaseConfirmed": 1,
        "CaseDismissed": 1,
        "CaseReopened": 1,
        "AlertRaised": 1,
        "AlertExtended": 1,
    },
    tables=_TABLES,
    fold=(_PAYMENTS, _FLAGGED, _JUDGED, _FRAUD),
    published={"account_risk": "account_id"},
    public={"account_risk_profile": _PROFILE},
    pace_s=0.1,
)
