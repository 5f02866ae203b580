"""Every rule there is: the files for ksqlDB with their standing on the server, and the features of the workers."""

from __future__ import annotations

import inspect
from dataclasses import dataclass

from core.detection.features import FEATURES
from ksqldb import rulebook
from ksqldb.client import KsqlClient
from ksqldb.rulebook import RuleState

BUILT_IN = "built in"
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RuleEntry:
    """``kind``: "ksqldb" (a file) or "feature" (built in, always on). ``deploy``: default, optional or built in.
    ``status``: deployed, paused, outdated, failed, absent, "built in", or "unknown" where no server was asked.
    ``score``: points, 0-1000; of a feature the most it can give. ``queries``: their ids on the server."""

    id: str
    title: str
    severity: str
    score: int
    threshold: float | None
    catches: str
    kind: str
    deploy: str
    status: str
    version: str | None = None
    sql: str | None = None
    queries: tuple[str, ...] = ()


async def catalogue(client: KsqlClient | None) -> list[RuleEntry]:
    """Rules first, then features. Raises ``KsqlClientError`` where the server does not answer."""
    book = rulebook.load()
    if client is None:
        found = [_of_file(RuleState(rule, rulebook.Status.ABSENT), UNKNOWN) for rule in book.rules.values()]
    else:
        found = [_of_file(state, state.status.value) for state in await rulebook.states(client, book)]
    return [*found, *_features()]


def _of_file(state: RuleState, status: str) -> RuleEntry:
    rule = state.rule
    return RuleEntry(
        rule.id,
        rule.title,
        rule.severity,
        rule.score,
        rule.threshold,
        rule.catches,
        "ksqldb",
        rule.deploy,
        status,
        rule.version,
        rule.sql.strip(),
        state.queries,
    )


def _features() -> list[RuleEntry]:
    entries = []
    for feature in FEATURES:
        text = " ".join((inspect.getdoc(inspect.getmodule(feature)) or "").split())
        title, _, catches = text.partition(". ")
        points = getattr(inspect.getmodule(feature), "POINTS", 0)
        severity = "critical" if points >= 800 else "warning" if points >= 400 else "info"
        entries.append(
            RuleEntry(
                feature.id, title.rstrip("."), severity, points, None, catches or title, "feature", BUILT_IN, BUILT_IN
            )
        )
    return entries
