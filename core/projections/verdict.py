"""``read.verdict``: a person's standing word on each payment that was judged; it reaches ``read.payment`` from here."""

from __future__ import annotations

from core.projections.judged import JUDGED
from core.projections.projection import Projection

_TABLES = """
create table verdict (
    transaction_id text collate "C" primary key,
    account_id     text collate "C" not null,
    case_id        text collate "C" not null,
    fraud          boolean,
    at             timestamptz not null,
    last_pos       bigint not null
);
create index on verdict (last_pos);
"""

_VERDICTS = f"""
with judged as ({JUDGED})
insert into verdict (transaction_id, account_id, case_id, fraud, at, last_pos)
select distinct on (transaction_id) transaction_id, account_id, case_id, fraud, at, pos
from judged
order by transaction_id, pos desc
on conflict (transaction_id) do update set
    case_id = excluded.case_id, fraud = excluded.fraud, at = excluded.at, last_pos = excluded.last_pos
"""

_PAYMENTS = """
update read.payment p set verdict = v.fraud
from verdict v
where v.last_pos > $1 and v.last_pos <= $2 and p.transaction_id = v.transaction_id
  and p.verdict is distinct from v.fraud
"""

VERDICT = Projection(
    name="verdict",
    version=1,
    types={"CaseConfirmed": 1, "CaseDismissed": 1, "CaseReopened": 1, "AlertRaised": 1, "AlertExtended": 1},
    tables=_TABLES,
    fold=(_VERDICTS,),
    effects=(_PAYMENTS,),
    published={"verdict": "transaction_id"},
)
