"""How busy each rule is, and which rules find the same payments: from ``read.rule_stat`` and ``read.alert``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

HOUR_MS = 3_600_000


class Connection(Protocol):
    """A connection, a pool, or whatever else answers queries with rows."""

    async def fetch(self, query: str, *arguments: object) -> list[Any]: ...


@dataclass(frozen=True, slots=True)
class Activity:
    """Alerts of one rule. ``by_hour`` ends with the newest hour of event time in which any rule raised one.

    ``confirmed`` and ``dismissed`` are what people decided of all its alerts; ``amount`` centavos.
    """

    rule_id: str
    by_hour: tuple[int, ...]
    alerts: int
    open: int
    confirmed: int
    dismissed: int
    amount: int

    @property
    def judged(self) -> float | None:
        """The share of its decided alerts that people confirmed; None where nothing was decided."""
        decided = self.confirmed + self.dismissed
        return self.confirmed / decided if decided else None


@dataclass(frozen=True, slots=True)
class Busy:
    """All rules that ever raised an alert; ``until`` is the end of the newest hour, epoch ms, None without alerts."""

    until: int | None
    rules: tuple[Activity, ...]


@dataclass(frozen=True, slots=True)
class Overlap:
    """Payments that alerts of two rules name: ``shared[i][j]`` for ``rules[i]`` and ``rules[j]``; the diagonal is all
    of one rule's."""

    rules: tuple[str, ...]
    shared: tuple[tuple[int, ...], ...]


_STATS = """
select rule_id, hour, sum(alerts)::int as alerts, sum(open + claimed + escalated)::int as open,
       sum(confirmed)::int as confirmed, sum(dismissed)::int as dismissed, sum(amount)::bigint as amount
from read.rule_stat group by rule_id, hour
"""

_SHARED = """
with named as (
    select distinct a.rule_id, t.id
    from (select rule_id, transactions from read.alert order by first_pos desc limit $1) a
    cross join lateral unnest(a.transactions) as t (id)
)
select a.rule_id as one, b.rule_id as other, count(*)::int as payments
from named a join named b using (id) group by a.rule_id, b.rule_id
"""


async def activity(conn: Connection, hours: int) -> Busy:
    """Every rule's alerts in total and over the last ``hours`` hours of event time, by rule id."""
    rows = await conn.fetch(_STATS)
    if not rows:
        return Busy(None, ())
    newest = max(row["hour"] for row in rows)
    by_rule: dict[str, list[Any]] = {}
    for row in rows:
        by_rule.setdefault(row["rule_id"], []).append(row)
    return Busy(
        round(newest.timestamp() * 1000) + HOUR_MS,
        tuple(_activity(rule_id, mine, newest, hours) for rule_id, mine in sorted(by_rule.items())),
    )


def _activity(rule_id: str, rows: list[Any], newest: Any, hours: int) -> Activity:
    counts = [0] * hours
    for row in rows:
        ago = round((newest - row["hour"]).total_seconds()) // 3600
        if ago < hours:
            counts[hours - 1 - ago] += row["alerts"]

    def total(name: str) -> int:
        return sum(row[name] for row in rows)

    return Activity(
        rule_id, tuple(counts), total("alerts"), total("open"), total("confirmed"), total("dismissed"), total("amount")
    )


async def overlap(conn: Connection, alerts: int) -> Overlap:
    """Over the newest ``alerts`` alerts."""
    rows = await conn.fetch(_SHARED, alerts)
    counts = {(row["one"], row["other"]): row["payments"] for row in rows}
    rules = tuple(sorted({row["one"] for row in rows}))
    return Overlap(rules, tuple(tuple(counts.get((one, other), 0) for other in rules) for one in rules))
