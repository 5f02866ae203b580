"""What a run reports: counts, decisions and their digest, latency, and with labels the score."""

from __future__ import annotations

import msgspec


class Percentiles(msgspec.Struct, frozen=True, omit_defaults=False):
    p50: float | None = None
    p99: float | None = None


class DetectTime(msgspec.Struct, frozen=True):
    p50: float | None = None
    p90: float | None = None


class ScenarioLine(msgspec.Struct, frozen=True):
    """One scenario's incidents; ``time_to_detect_s`` is the median in event time over those caught."""

    name: str
    expected: int
    caught: int
    missed: int
    time_to_detect_s: float | None = None
    money_lost_centavos: int | None = None
    false_alerts: int | None = None


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """Against ground truth. ``precision``: alerts that name a fraudulent payment, of all alerts. ``recall``: fraudulent
    payments that stand at review or block or are named by an alert, of all. ``false_positive_rate``: honest payments so
    treated, of all honest ones. Shares lie between 0 and 1.
    """

    precision: float | None
    recall: float | None
    f1: float | None
    alerts_per_day: float
    recall_by_scenario: dict[str, float]
    card_precision: dict[str, float]
    false_positive_rate: float | None
    time_to_detect_s: DetectTime
    money_lost_centavos: int
    scenarios: list[ScenarioLine]
    precision_by_rule: dict[str, float]
    flagged_precision: float | None
    """Fraudulent among the payments that stand at review or block."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """``latency_ms``: from ``produced_at`` to the writing of the decision, wall clock; null where not measured.

    ``repeated``: payments that had been taken in before, or stand in the file twice; they are judged once.
    """

    transactions: int
    rows: int
    lost: int
    duplicates: int
    dead_letters: int
    alerts: int
    alerts_by_rule: dict[str, int]
    decisions: dict[str, int]
    decisions_digest: str
    elapsed_s: float
    rate_tx_s: float
    latency_ms: Percentiles
    repeated: int = 0
    complete: bool = True
    score: Score | None = None
    scenarios: list[ScenarioLine] | None = None

    def flat(self) -> dict[str, object]:
        """The report as one JSON object, the score's fields beside the others."""
        built: dict[str, object] = msgspec.to_builtins(self)
        score = built.pop("score")
        if built["scenarios"] is None:
            del built["scenarios"]
        return built if score is None else {**built, **msgspec.to_builtins(score)}


def overview(report: Report) -> list[tuple[str, object]]:
    """Counts and times as rows of what and value."""
    return [
        ("payments sent", report.transactions),
        ("rows", report.rows),
        ("lost", report.lost),
        ("duplicates", report.duplicates),
        ("taken in before", report.repeated),
        ("dead letters", report.dead_letters),
        ("seconds", report.elapsed_s),
        ("payments/s", report.rate_tx_s),
        ("latency p50 ms", report.latency_ms.p50),
        ("latency p99 ms", report.latency_ms.p99),
        ("alerts", report.alerts),
        *((f"  {rule}", count) for rule, count in report.alerts_by_rule.items()),
        *((f"decision {name}", count) for name, count in report.decisions.items()),
        ("decisions digest", report.decisions_digest[:16]),
    ]
