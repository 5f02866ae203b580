"""What the Accounts screen needs. Times are epoch milliseconds, money is centavos, rates are per cent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from core.cases.timeline import Moment
from tui.ports import Listed

ORDERS = ("risk", "frauds", "score", "amount", "newest")
"""What the risk table can be sorted by, the highest first."""


@dataclass(frozen=True, slots=True)
class Profile:
    """An account by its payments; ``blocked`` is the reason of the block that stands, empty when none does.

    ``proposed`` is that of a block which one operator wants and another has to approve.
    """

    account_id: str
    payments: int
    frauds: int
    rate: float | None
    amount: int
    max_score: int
    last_payment: int | None
    blocked: str = ""
    proposed: str = ""


@dataclass(frozen=True, slots=True)
class AlertThen:
    rule_id: str
    status: str
    decision: str
    score: int


@dataclass(frozen=True, slots=True)
class Then:
    """An account as it stood after a position of the log; ``frauds_known`` and ``cleared`` are people's verdicts."""

    position: int
    at: int | None
    payments: int
    frauds: int
    amount: int
    max_score: int | None
    last_payment: int | None
    alerts: tuple[AlertThen, ...]
    frauds_known: int
    cleared: int


class AccountsPort(Protocol):
    async def riskiest(self, order: str, limit: int) -> Sequence[Profile]:
        """By one of ``ORDERS``, the highest first."""

    async def find(self, text: str, limit: int) -> Sequence[Profile]:
        """Accounts whose names begin with the text, by name."""

    async def profile(self, account_id: str) -> Profile | None: ...

    async def timeline(self, account_id: str, limit: int) -> Sequence[Moment]:
        """Its newest events, in the order of the log."""

    async def as_of(self, account_id: str, position: int) -> Then:
        """As it stood when the log ended at ``position``: the same folds over its own events up to there."""

    async def position_at(self, at: int) -> int:
        """The last position of the log at or before a time; 0 when there is none."""

    async def lists(self, limit: int) -> Sequence[Listed]:
        """What waits for a second operator, then what is blocked and allowed now, the newest first."""
