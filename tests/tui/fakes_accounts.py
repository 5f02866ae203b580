"""Accounts and their events in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from core.cases.timeline import Moment
from tui.ports import Listed, Unavailable
from tui.screens.accounts.port import AlertThen, Profile, Then

NOW_MS = 1_784_556_134_000
HOUR_MS = 3_600_000


def profile(number: int, **changes: object) -> Profile:
    made = Profile(
        account_id=f"acc-{4400 + number:06}",
        payments=23 + number * 7,
        frauds=max(0, 6 - number),
        rate=max(0, 6 - number) * 100 / (23 + number * 7),
        amount=202_400 + number * 91_300,
        max_score=970 - number * 61,
        last_payment=NOW_MS - number * 40_000,
        blocked="confirmed takeover" if number == 1 else "",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def moments(account_id: str, count: int = 30) -> list[Moment]:
    """A payment every 20 minutes; each tenth raises an alert, which a person takes up, and a block ends it."""
    made: list[Moment] = []
    for number in range(count):
        at = NOW_MS - (count - number) * HOUR_MS // 3
        position = 1_000 + number * 40
        hot = number % 10 == 9
        made.append(
            Moment(
                position,
                at + 31,
                at,
                "payment",
                "PIX m-88: own_amount new_payee" if hot else "CREDIT m-12",
                f"tx-{number}",
                740_000 if hot else 10_200 + number * 700,
                640 if hot else 20,
                "review" if hot else "approve",
            )
        )
        if hot:
            made.append(
                Moment(
                    position + 1,
                    at + 60,
                    at,
                    "alert",
                    "high_amount",
                    f"alert-{number}",
                    740_000,
                    640,
                    "review",
                )
            )
            made.append(
                Moment(position + 2, at + 90_000, at + 90_000, "case", "claimed", f"alert-{number}", actor="ana")
            )
    end = NOW_MS - 60_000
    made.append(Moment(9_000, end, end, "action", "blocked: confirmed takeover", account_id, actor="ana"))
    return made


@dataclass
class FakeAccounts:
    failure: str = ""
    rows: list[Profile] = field(default_factory=lambda: [profile(n) for n in range(12)])
    listed: list[Listed] = field(
        default_factory=lambda: [
            Listed("merchant", "m-88", "block", "17 confirmed frauds in a week", NOW_MS - HOUR_MS, None, "ana"),
            Listed("account", "acc-004401", "block", "confirmed takeover", NOW_MS - 60_000, None, "ana"),
            Listed("device", "d-1", "allow", "the branch's terminal", NOW_MS - 86_400_000, NOW_MS + 86_400_000, "bo"),
        ]
    )
    events: list[Moment] = field(default_factory=lambda: moments("acc-004400"))
    asked: list[int] = field(default_factory=list)
    """Positions that ``as_of`` was asked for."""

    def _check(self) -> None:
        if self.failure:
            raise Unavailable(self.failure)

    async def riskiest(self, order: str, limit: int) -> Sequence[Profile]:
        self._check()
        keys = {
            "risk": lambda row: row.rate or 0,
            "frauds": lambda row: row.frauds,
            "score": lambda row: row.max_score,
            "amount": lambda row: row.amount,
            "newest": lambda row: row.last_payment or 0,
        }
        return sorted(self.rows, key=keys[order], reverse=True)[:limit]

    async def find(self, text: str, limit: int) -> Sequence[Profile]:
        self._check()
        return [row for row in self.rows if row.account_id.startswith(text)][:limit]

    async def profile(self, account_id: str) -> Profile | None:
        self._check()
        return next((row for row in self.rows if row.account_id == account_id), None)

    async def timeline(self, account_id: str, limit: int) -> Sequence[Moment]:
        self._check()
        return self.events[-limit:]

    async def as_of(self, account_id: str, position: int) -> Then:
        self._check()
        self.asked.append(position)
        past = [moment for moment in self.events if moment.position <= position]
        payments = [moment for moment in past if moment.kind == "payment"]
        alerts = [moment for moment in past if moment.kind == "alert"]
        return Then(
            position=position,
            at=past[-1].at if past else None,
            payments=len(payments),
            frauds=len(alerts),
            amount=sum(moment.amount or 0 for moment in payments),
            max_score=max((moment.score or 0 for moment in payments), default=None),
            last_payment=payments[-1].event_time if payments else None,
            alerts=tuple(AlertThen(a.what, "claimed", a.decision, a.score or 0) for a in alerts),
            frauds_known=0,
            cleared=0,
        )

    async def position_at(self, at: int) -> int:
        return max((moment.position for moment in self.events if moment.at <= at), default=0)

    async def lists(self, limit: int) -> Sequence[Listed]:
        self._check()
        return self.listed[:limit]
