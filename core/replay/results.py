"""What a stretch of work left in PostgreSQL, read back for the report."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any, NamedTuple

import msgspec

from core.detection.digest import decisions_digest
from core.eventlog import EventLog
from core.replay.report import Percentiles
from core.replay.scorecard import Outcome, Raised
from schema.events import AlertExtended, AlertRaised, PaymentDecided
from schema.text import escaped

_PAGE = 20_000
_TYPES = ("PaymentDecided", "AlertRaised", "AlertExtended")


class Since(NamedTuple):
    """A moment before the work: the log's head, and the end of each partition of the payments' topic."""

    position: int
    offsets: Mapping[int, int]


class Results(NamedTuple):
    """Standing decisions and alerts of the payments sent since."""

    outcomes: list[Outcome]
    alerts: list[Raised]
    digest: str
    decisions: dict[str, int]
    alerts_by_rule: dict[str, int]


async def collect(log: EventLog, since: Since, only: Container[str] | None = None) -> Results:
    """Fold the log from ``since`` on; about 4 us an event. ``only``: of these payments, and alerts that name one."""
    decided: dict[str, PaymentDecided] = {}
    alerts: dict[str, tuple[int, AlertRaised | AlertExtended]] = {}
    position = since.position + 1
    while batch := await log.read(position, _PAGE, types=_TYPES):
        for recorded in batch:
            event = recorded.event
            if isinstance(event, PaymentDecided):
                if only is None or event.transaction_id in only:
                    decided[event.transaction_id] = event
            elif isinstance(event, AlertRaised | AlertExtended) and (
                only is None or any(name in only for name in event.transactions)
            ):
                first = alerts[event.alert_id][0] if event.alert_id in alerts else event.event_time
                alerts[event.alert_id] = first, event
        position = batch[-1].pos + 1
    decisions = {"approve": 0, "review": 0, "block": 0}
    for event in decided.values():
        decisions[event.decision] += 1
    rules: dict[str, int] = {}
    for _, alert in alerts.values():
        rules[alert.rule_id] = rules.get(alert.rule_id, 0) + 1
    return Results(
        [
            Outcome(e.transaction_id, e.account_id, e.amount, e.event_time, e.decision, e.score, e.merchant_id)
            for e in decided.values()
        ],
        [Raised(alert.rule_id, alert.account_id, first, alert.transactions) for first, alert in alerts.values()],
        decisions_digest((e.transaction_id, e.decision, e.score, e.signals) for e in decided.values()),
        decisions,
        dict(sorted(rules.items())),
    )


_NEW = (
    " from read.payment p join unnest($1::int[], $2::bigint[]) as s (partition, begin)"
    ' on p.partition = s.partition and p."offset" >= s.begin'
)


async def count_rows(pool: Any, since: Since) -> int:
    """Payments taken in since."""
    count: int = await pool.fetchval("select count(*)" + _NEW, *_arrays(since))
    return count


async def latencies(pool: Any, since: Since) -> Percentiles:
    """From the producer's clock to the writing of the decision, milliseconds."""
    row = await pool.fetchrow(
        "select percentile_cont(array[0.5, 0.99]) within group"
        " (order by extract(epoch from p.ingested_at - p.produced_at) * 1000) as found"
        + _NEW
        + " and p.produced_at is not null",
        *_arrays(since),
    )
    found = row["found"]
    return Percentiles(*(round(value, 1) for value in found)) if found and found[0] is not None else Percentiles()


async def dead_letters(pool: Any, cluster: str, topic: str, since: Since) -> int:
    """Records of the topic refused since."""
    count: int = await pool.fetchval(
        "select count(*) from ops.dead_letter d join unnest($1::int[], $2::bigint[]) as s (partition, begin)"
        ' on d.partition = s.partition and d."offset" >= s.begin where d.cluster_id = $3 and d.topic = $4',
        *_arrays(since),
        cluster,
        topic,
    )
    return count


def _arrays(since: Since) -> tuple[list[int], list[int]]:
    return list(since.offsets), list(since.offsets.values())


def json_line(flat: Mapping[str, object]) -> str:
    """The report as one line."""
    return escaped(msgspec.json.encode(flat).decode())
