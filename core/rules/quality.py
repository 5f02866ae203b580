"""How right each rule is, against the labels and the people's verdicts that are known by now."""

from __future__ import annotations

from dataclasses import dataclass

from core.rules.activity import Connection

# A person's word goes before a label.
_QUALITY = """
with recent as materialized (
    select alert_id, rule_id, transactions from read.alert order by first_pos desc limit $1
),
truth as materialized (
    select coalesce(v.transaction_id, l.transaction_id) as id, coalesce(v.fraud, l.is_fraud) as fraud
    from (select transaction_id, is_fraud from detection.label where known_at <= now()) l
    full join (select transaction_id, fraud from read.verdict where fraud is not null) v using (transaction_id)
),
named as (
    select r.rule_id, r.alert_id, t.id, k.fraud
    from recent r cross join lateral unnest(r.transactions) as t (id) join truth k on k.id = t.id
),
alerts as (
    select rule_id, count(*) as known, count(*) filter (where fraud) as fraud
    from (select rule_id, alert_id, bool_or(fraud) as fraud from named group by rule_id, alert_id) a
    group by rule_id
)
select a.rule_id, a.known::int as known, a.fraud::int as fraud,
       (select count(distinct n.id) from named n where n.rule_id = a.rule_id and n.fraud)::int as found,
       (select count(*) from truth where fraud)::int as frauds
from alerts a
"""


@dataclass(frozen=True, slots=True)
class Quality:
    """Against what is known by now: of ``known`` alerts ``fraud`` are right; of ``frauds`` payments ``found`` ones."""

    rule_id: str
    known: int
    fraud: int
    found: int
    frauds: int

    @property
    def precision(self) -> float:
        return self.fraud / self.known

    @property
    def recall(self) -> float | None:
        return self.found / self.frauds if self.frauds else None


async def quality(conn: Connection, alerts: int) -> list[Quality]:
    """Rules with at least one alert whose truth is known, among the newest ``alerts`` alerts."""
    return [Quality(*row.values()) for row in await conn.fetch(_QUALITY, alerts)]
