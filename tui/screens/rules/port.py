"""What the Rules screen needs. Shares lie between 0 and 1 and are None where nothing is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from core.rules.activity import Busy, Overlap
from core.rules.quality import Quality

if TYPE_CHECKING:
    from core.rules.backtest import Backtest


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule's file with its standing on the server, or a feature built into the workers.

    ``kind`` is ksqldb or feature; ``status`` deployed, paused, outdated, failed, absent, built in or unknown.
    """

    id: str
    title: str
    severity: str
    score: int
    threshold: float | None
    catches: str
    kind: str
    deploy: str
    status: str
    version: str = ""
    sql: str = ""
    queries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trial:
    """What to run a rule over: the payments of the last ``last_ms``, or a labelled ``file``."""

    rule_id: str
    last_ms: int = 86_400_000
    file: str = ""


class RulesPort(Protocol):
    async def catalogue(self) -> Sequence[Rule]:
        """Every rule; their status is unknown while ksqlDB does not answer."""

    async def activity(self, hours: int) -> Busy: ...

    async def quality(self) -> Sequence[Quality]: ...

    async def overlap(self) -> Overlap: ...

    async def backtest(self, trial: Trial, on_note: Callable[[str], None]) -> Backtest:
        """Run a rule over what was; ``on_note`` hears how far it is. Cancelling ends it. Raises ``Unavailable``."""
