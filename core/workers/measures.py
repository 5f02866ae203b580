"""What a worker has done since it began, for its metrics page: plain numbers, no clock and no registry of their own."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from schema.events import PaymentDecided

BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


@dataclass
class Measures:
    """Counts batches as they are handled; one that the database then refuses is counted again with its next try.

    ``latency`` has one count a bucket of ``BUCKETS_S`` and one for what took longer, from ``produced_at`` to the
    decision; ``last_produced_ms`` is of the newest payment decided.
    """

    payments: int = 0
    alerts: int = 0
    decisions: Counter[str] = field(default_factory=Counter)
    latency: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS_S) + 1))
    latency_sum_s: float = 0.0
    last_produced_ms: int | None = None

    def add(self, decisions: Sequence[PaymentDecided], alerts: int, now_ms: float) -> None:
        """Take in the decisions of a batch, made at ``now_ms`` since the epoch."""
        self.alerts += alerts
        for decided in decisions:
            self.decisions[decided.decision] += 1
            if decided.revision == 0:
                self.payments += 1
                if decided.produced_at is not None:
                    took = max(0.0, (now_ms - decided.produced_at) / 1000)
                    self.latency[bisect_left(BUCKETS_S, took)] += 1
                    self.latency_sum_s += took
                    self.last_produced_ms = max(self.last_produced_ms or 0, decided.produced_at)

    def lag_s(self, records: int, now_ms: float) -> float | None:
        """Seconds the consumer is behind, with ``records`` still to read; None where payments do not tell."""
        if records == 0:
            return 0.0
        return None if self.last_produced_ms is None else max(0.0, (now_ms - self.last_produced_ms) / 1000)
