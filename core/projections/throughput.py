"""``read.throughput_minute``: what was decided in each minute, by the wall clock of the commit."""

from __future__ import annotations

from core.projections.projection import Projection

_TABLES = """
create table throughput_minute (
    minute         timestamptz primary key,
    payments       bigint not null,
    approve        bigint not null,
    review         bigint not null,
    block          bigint not null,
    revised        bigint not null,
    amount         bigint not null,
    amount_blocked bigint not null,
    alerts         bigint not null,
    last_pos       bigint not null
) with (fillfactor = 70);
"""

# A payment counts where it was first decided; a later revision of it is only counted as one.
_MINUTES = """
insert into throughput_minute as t
       (minute, payments, approve, review, block, revised, amount, amount_blocked, alerts, last_pos)
select minute, count(*) filter (where first), count(*) filter (where first and decision = 'approve'),
       count(*) filter (where first and decision = 'review'), count(*) filter (where first and decision = 'block'),
       count(*) filter (where not first), coalesce(sum(amount) filter (where first), 0),
       coalesce(sum(amount) filter (where first and decision = 'block'), 0),
       count(*) filter (where type = 'AlertRaised'), max(pos)
from (
    select pos, type, date_trunc('minute', at, 'UTC') as minute, data ->> 'decision' as decision,
           (data ->> 'amount')::bigint as amount,
           case when type = 'PaymentDecided' then not data ? 'revision' end as first
    from event
    where pos > $1 and pos <= $2 and type in ('PaymentDecided', 'AlertRaised')
) e
group by minute
order by minute
on conflict (minute) do update set
    payments = t.payments + excluded.payments, approve = t.approve + excluded.approve,
    review = t.review + excluded.review, block = t.block + excluded.block, revised = t.revised + excluded.revised,
    amount = t.amount + excluded.amount, amount_blocked = t.amount_blocked + excluded.amount_blocked,
    alerts = t.alerts + excluded.alerts, last_pos = excluded.last_pos
"""

THROUGHPUT = Projection(
    name="throughput",
    version=1,
    types={"PaymentDecided": 1, "AlertRaised": 1},
    tables=_TABLES,
    fold=(_MINUTES,),
    published={"throughput_minute": "minute"},
    pace_s=0.5,
)
