"""A person's word on payments, as rows: what several projections fold."""

from __future__ import annotations

JUDGED = """
    select e.pos, e.at, e.data ->> 'case_id' as case_id, alert.account_id, t.transaction_id,
           case e.type when 'CaseConfirmed' then true when 'CaseDismissed' then false end as fraud
    from event e
    cross join lateral (
        select a.data ->> 'account_id' as account_id, a.data -> 'transactions' as transactions
        from event a
        where a.stream = 'alert-' || (e.data ->> 'case_id') and a.pos < e.pos
          and a.type in ('AlertRaised', 'AlertExtended')
        order by a.version desc
        limit 1
    ) alert
    cross join lateral jsonb_array_elements_text(
        coalesce(nullif(e.data -> 'transactions', '[]'), alert.transactions, '[]')
    ) as t (transaction_id)
    where e.pos > $1 and e.pos <= $2 and e.type in ('CaseConfirmed', 'CaseDismissed', 'CaseReopened')
"""
"""Fraud is true, false, or null for a case reopened. A case names payments, or means all its alert had by then."""
