"""Projections of the event log: one file each, one runner, rebuilt and proven from the log alone."""

from core.projections import account_risk, alert, scenario_run, verdict
from core.projections.projection import Projection

PROJECTIONS: tuple[Projection, ...] = (
    alert.ALERT,
    scenario_run.SCENARIO_RUN,
    verdict.VERDICT,
    account_risk.ACCOUNT_RISK,
)

__all__ = ["PROJECTIONS", "Projection"]
