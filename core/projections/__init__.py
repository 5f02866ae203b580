"""Projections of the event log: one file each, one runner, rebuilt and proven from the log alone."""

from core.projections import account_risk, alert, audit, cases, listed, rule_stat, scenario_run, throughput, verdict
from core.projections.projection import Projection

PROJECTIONS: tuple[Projection, ...] = (
    alert.ALERT,
    scenario_run.SCENARIO_RUN,
    verdict.VERDICT,
    cases.CASES,
    listed.LISTED,
    account_risk.ACCOUNT_RISK,
    rule_stat.RULE_STAT,
    throughput.THROUGHPUT,
    audit.AUDIT,
)

__all__ = ["PROJECTIONS", "Projection"]
