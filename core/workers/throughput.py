"""A row a second of what was decided and how long it took, written with the batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import time
from typing import Any

from schema.events import PaymentDecided


class Throughput:
    """Counts by the wall-clock second of the commit. Latency is from ``produced_at`` to the writing of the decision;
    payments without that time have none. A revised decision counts under its new name and no longer under the one
    before, so that a second may take back what earlier ones counted and sums over many are of standing decisions."""

    async def add(self, conn: Any, decisions: Sequence[PaymentDecided], before: Mapping[str, str], alerts: int) -> None:
        """Add a batch to its second; several workers may add to the same one. ``before`` has what stood so far of
        the payments that were decided in earlier batches."""
        if not decisions and not alerts:
            return
        now = time()
        counts = {"approve": 0, "review": 0, "block": 0}
        latencies: list[float] = []
        payments = blocked = 0
        for decided in decisions:
            former = before.get(decided.transaction_id)
            counts[decided.decision] += 1
            blocked += decided.amount * ((decided.decision == "block") - (former == "block"))
            if former is not None:
                counts[former] -= 1
            else:
                payments += 1
                if decided.produced_at is not None:
                    latencies.append(now * 1000 - decided.produced_at)
        latencies.sort()
        await conn.execute(
            "insert into read.throughput_second as t (second, payments, approve, review, block, alerts, latency_p50_ms,"
            " latency_p99_ms, amount_blocked)"
            " values (date_trunc('second', to_timestamp($1)), $2, $3, $4, $5, $6, $7, $8, $9)"
            " on conflict (second) do update set payments = t.payments + excluded.payments,"
            " approve = t.approve + excluded.approve, review = t.review + excluded.review,"
            " block = t.block + excluded.block, alerts = t.alerts + excluded.alerts,"
            " latency_p50_ms = coalesce((t.latency_p50_ms * t.payments + excluded.latency_p50_ms * excluded.payments)"
            "   / nullif(t.payments + excluded.payments, 0), excluded.latency_p50_ms, t.latency_p50_ms),"
            " latency_p99_ms = greatest(t.latency_p99_ms, excluded.latency_p99_ms),"
            " amount_blocked = t.amount_blocked + excluded.amount_blocked",
            now,
            payments,
            counts["approve"],
            counts["review"],
            counts["block"],
            alerts,
            percentile(latencies, 0.5),
            percentile(latencies, 0.99),
            blocked,
        )


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """The value below which ``share`` of an ordered sequence lies; None of nothing."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None
