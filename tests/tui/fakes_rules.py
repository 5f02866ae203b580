"""Rules, their figures and a backtest in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from core.rules.activity import Activity, Busy, Overlap
from core.rules.backtest import Backtest, Example, Flips
from core.rules.quality import Quality
from tui.ports import Unavailable
from tui.screens.rules.port import Rule, Trial

NOW_MS = 1_784_556_134_000
SQL = """CREATE TABLE IF NOT EXISTS high_velocity AS
SELECT account_id, COUNT(*) AS txn_count -- of a minute
FROM transactions
WINDOW HOPPING (SIZE 60 SECONDS, ADVANCE BY 10 SECONDS)
GROUP BY account_id
HAVING COUNT(*) > 3;"""


def rules() -> list[Rule]:
    return [
        Rule(
            "high_velocity",
            "More than 3 payments within a minute",
            "warning",
            500,
            3.0,
            "A fourth payment of an account within 60 seconds of event time.",
            "ksqldb",
            "default",
            "deployed",
            "3f2a77c1",
            SQL,
            ("high_velocity_3f2a77c1",),
        ),
        Rule(
            "high_amount",
            "Payment above R$ 3,000",
            "warning",
            400,
            3000.0,
            "One payment of more than R$ 3,000.",
            "ksqldb",
            "default",
            "paused",
            "91bb0d42",
            "INSERT INTO fraud_alerts SELECT * FROM transactions WHERE amount > 3000;",
            ("high_amount_91bb0d42",),
        ),
        Rule("structuring", "Just under", "info", 200, None, "Sums.", "ksqldb", "optional", "absent", "1", "SELECT 1;"),
        Rule(
            "geo_velocity", "Too far too fast", "warning", 450, None, "Two places.", "feature", "built in", "built in"
        ),
        Rule("new_device", "A new device", "info", 220, None, "First seen.", "feature", "built in", "built in"),
    ]


def backtest_of(trial: Trial) -> Backtest:
    example = Example(
        transaction_id="t-1",
        account_id="acc-000123",
        amount=320_000,
        event_time=NOW_MS - 7_200_000,
        channel="PIX",
        is_fraud=True,
        rules=("high_amount",),
    )
    return Backtest(
        rule_id=trial.rule_id,
        version="3f2a77c1",
        data=trial.file or "the last 24 h",
        transactions=120_400,
        labelled=118_000,
        frauds=512,
        days=1.0,
        rows=940,
        alerts=301,
        alerts_per_day=301.0,
        flagged=1_204,
        precision=0.62,
        recall=0.31,
        f1=0.41,
        false_positive_rate=0.0021,
        recall_by_scenario={"card_testing": 0.91, "app_scam": 0.04},
        compared_with=("high_velocity", "high_amount"),
        gained=Flips(payments=41, frauds=30, honest=9, examples=(example,)),
        lost=Flips(payments=7, frauds=1, honest=6, examples=()),
        elapsed_s=4.1,
        rate_tx_s=29_400.0,
    )


@dataclass
class FakeRules:
    failure: str = ""
    rows: list[Rule] = field(default_factory=rules)
    busy: Busy = field(
        default_factory=lambda: Busy(
            NOW_MS // 3_600_000 * 3_600_000 + 3_600_000,
            (
                Activity("high_velocity", tuple((i * 7) % 13 for i in range(24)), 1_204, 12, 40, 9, 98_122_000),
                Activity("high_amount", tuple(i % 3 for i in range(24)), 310, 2, 6, 31, 210_400_000),
                Activity("geo_velocity", (0,) * 23 + (2,), 18, 1, 0, 0, 1_900_000),
            ),
        )
    )
    found: list[Quality] = field(
        default_factory=lambda: [
            Quality("high_velocity", 212, 165, 480, 900),
            Quality("high_amount", 97, 12, 20, 900),
        ]
    )
    shared: Overlap = field(
        default_factory=lambda: Overlap(
            ("geo_velocity", "high_amount", "high_velocity"), ((18, 12, 0), (12, 310, 41), (0, 41, 5_210))
        )
    )
    gate: asyncio.Event | None = None
    """When set, a backtest notes its progress and then waits here."""
    trials: list[Trial] = field(default_factory=list)

    def _check(self) -> None:
        if self.failure:
            raise Unavailable(self.failure)

    async def catalogue(self) -> Sequence[Rule]:
        self._check()
        return self.rows

    async def activity(self, hours: int) -> Busy:
        self._check()
        return self.busy

    async def quality(self) -> Sequence[Quality]:
        self._check()
        return self.found

    async def overlap(self) -> Overlap:
        self._check()
        return self.shared

    async def backtest(self, trial: Trial, on_note: Callable[[str], None]) -> Backtest:
        self._check()
        self.trials.append(trial)
        on_note("40 % of 120.400 payments")
        if self.gate is not None:
            await self.gate.wait()
        return backtest_of(trial)
