"""Rules: what the server has of them, what became of their alerts, and backtests in a process of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tui.adapters.database import Database
from tui.adapters.ksql import ClientKsql
from tui.ports import Unavailable
from tui.screens.rules.port import Rule, Trial

if TYPE_CHECKING:
    from core.rules.activity import Busy, Overlap
    from core.rules.backtest import Backtest
    from core.rules.quality import Quality

ALERTS = 20_000
"""The newest alerts, among which overlap and quality are counted."""


class LogRules:
    def __init__(self, database: Database, ksql: ClientKsql) -> None:
        self._database = database
        self._ksql = ksql

    async def catalogue(self) -> Sequence[Rule]:
        from core.rules.catalogue import catalogue
        from ksqldb.client import KsqlClientError

        try:
            found = await catalogue(self._ksql.connected)
        except (Unavailable, KsqlClientError):
            found = await catalogue(None)
        return [
            Rule(
                id=rule.id,
                title=rule.title,
                severity=rule.severity,
                score=rule.score,
                threshold=rule.threshold,
                catches=rule.catches,
                kind=rule.kind,
                deploy=rule.deploy,
                status=rule.status,
                version=rule.version or "",
                sql=rule.sql or "",
                queries=rule.queries,
            )
            for rule in found
        ]

    async def activity(self, hours: int) -> Busy:
        from core.rules.activity import activity

        return await activity(self._database, hours)

    async def quality(self) -> Sequence[Quality]:
        from core.rules.quality import quality

        return await quality(self._database, ALERTS)

    async def overlap(self) -> Overlap:
        from core.rules.activity import overlap

        return await overlap(self._database, ALERTS)

    async def backtest(self, trial: Trial, on_note: Callable[[str], None]) -> Backtest:
        from core.rules.backtest import BacktestFailed, BacktestRequest, backtest

        if trial.file:
            request = BacktestRequest(rule=trial.rule_id, file=trial.file)
        else:
            request = BacktestRequest(rule=trial.rule_id, dsn=self._database.dsn, last_ms=trial.last_ms)
        try:
            return await backtest(request, lambda share, words: on_note(f"{share:.0%} {words}"))
        except BacktestFailed as error:
            raise Unavailable(f"backtest: {error}") from error
