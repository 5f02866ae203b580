"""What an act makes of a case's standing, in SQL: what several projections fold."""

from __future__ import annotations

ACTS = {"CaseClaimed": 1, "CaseConfirmed": 1, "CaseDismissed": 1, "CaseEscalated": 1, "CaseReopened": 1}
"""Events that change the standing of a case -> the newest version known."""

ACT_NAMES = ", ".join(f"'{name}'" for name in ACTS)

STATUS = (
    "case type when 'CaseClaimed' then 'claimed' when 'CaseConfirmed' then 'confirmed'"
    " when 'CaseDismissed' then 'dismissed' when 'CaseEscalated' then 'escalated' else 'open' end"
)
"""The status after an event with the columns of the log."""

NEWEST = f"""
    select distinct on (data ->> 'case_id') data ->> 'case_id' as case_id, {STATUS} as status,
           case when type <> 'CaseReopened' then data ->> 'operator' end as assignee, pos
    from event
    where pos > $1 and pos <= $2 and type in ({ACT_NAMES})
    order by data ->> 'case_id', pos desc
"""
"""The standing of each case that the range changes: case_id, status, assignee, pos."""
