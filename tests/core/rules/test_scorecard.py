"""The live scorecard counts only what is known."""

from __future__ import annotations

from typing import Any

from core.replay.scorecard import Outcome, Raised, Truth
from core.rules.scorecard import live_scorecard, summed

DAY = 86_400_000


def test_rules_are_scored_on_judged_payments_only() -> None:
    outcomes = [Outcome(f"t{n}", "a", 100, n * 2 * DAY // 9, "review" if n < 3 else "approve", 400) for n in range(10)]
    truth = {"t0": Truth(True, "s"), "t1": Truth(False), "t9": Truth(True, "s")}
    alerts = [Raised("r", "a", 0, ("t0",)), Raised("r", "a", 1, ("t1",)), Raised("q", "a", 2, ("t2", "t0"))]
    found = summed(outcomes, alerts, truth, 0, 2 * DAY)
    assert (found.payments, found.labelled, found.frauds, found.alerts) == (10, 3, 2, 3)
    assert (found.alerts_per_1000, found.alerts_per_day) == (300.0, 1.5)
    assert found.decisions == {"approve": 7, "review": 3, "block": 0}
    assert [(r.rule, r.precision, r.recall) for r in found.rules] == [("q", 1.0, 0.5), ("r", 0.5, 0.5)]
    assert found.overlap == {"q & r": 1}
    assert found.score is not None
    assert (found.score.precision, found.score.recall) == (0.6667, 0.5)


async def test_a_label_counts_once_it_is_known_and_a_verdict_goes_before_it(pool: Any) -> None:
    for n in range(3):
        await pool.execute(
            'insert into read.payment (transaction_id, account_id, amount, event_time, partition, "offset", decision,'
            " score) values ($1, 'a', 100, to_timestamp($2), 0, $2, 'review', 400)",
            f"t{n}",
            n,
        )
        await pool.execute(
            "insert into detection.label (transaction_id, account_id, is_fraud, known_at)"
            " values ($1, 'a', true, to_timestamp($2))",
            f"t{n}",
            100 * n,
        )
    early = await live_scorecard(pool, 0, 50_000)
    assert (early.payments, early.labelled, early.frauds) == (3, 1, 1)
    await pool.execute("update read.payment set verdict = false where transaction_id = 't0'")
    later = await live_scorecard(pool, 0, 150_000)
    assert (later.labelled, later.frauds) == (2, 1)
    assert (await live_scorecard(pool, 10_000, 20_000)).score is None
