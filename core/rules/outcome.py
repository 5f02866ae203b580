"""Rows of a rule -> incidents and the payments they cover, as the consumer joins them; pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from core.detection.account import Account
from core.detection.incidents import Row, join
from core.replay.scorecard import Outcome, Raised
from core.rules.payments import Known
from schema import alert
from schema.transaction import centavos


class Flagged(NamedTuple):
    """What a rule's rows come to: how many there were, the incidents, the ids of the payments they cover."""

    rows: int
    alerts: list[Raised]
    payments: frozenset[str]


class Accounts:
    """Payments of each account by time, to find those that a window covers."""

    def __init__(self, payments: Sequence[Known]) -> None:
        by_account: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for payment in payments:
            by_account[payment.account_id].append((payment.sent.time, payment.transaction_id))
        self._payments = {name: sorted(found) for name, found in by_account.items()}

    def within(self, account_id: str, start: int, last: int) -> list[str]:
        """Ids of the account's payments with event time in ``[start, last]``."""
        found = self._payments.get(account_id, [])
        first = bisect_left(found, (start, ""))
        return [name for _, name in found[first : bisect_right(found, (last, "\U0010ffff"))]]


def flagged(rows: Iterable[bytes], accounts: Accounts) -> Flagged:
    """Join the rows of one rule."""
    seen = 0
    memory: dict[str, Account] = defaultdict(lambda: Account([]))
    first: dict[str, int] = {}
    covered: dict[str, dict[str, None]] = defaultdict(dict)
    owner: dict[str, tuple[str, str]] = {}
    for raw in rows:
        seen += 1
        row = alert.decode(raw)
        window = None if row.window_start is None or row.window_end is None else (row.window_start, row.window_end)
        time = row.event_time if row.event_time is not None else window[1] - 1 if window else 0
        account = memory[row.account_id]
        account.clock = max(account.clock, time)
        account.forget()
        amount = 0 if row.amount is None else centavos(row.amount)
        incident = join(account, Row(row.rule_id, row.account_id, time, 0, "", row.transaction_id, window, amount))
        first.setdefault(incident.alert_id, time)
        owner[incident.alert_id] = row.rule_id, row.account_id
        names = covered[incident.alert_id]
        if row.transaction_id is not None:
            names[row.transaction_id] = None
        if window is not None:
            names.update(dict.fromkeys(accounts.within(row.account_id, window[0], min(window[1] - 1, time))))
    alerts = [Raised(*owner[name], first[name], tuple(covered[name])) for name in first]
    return Flagged(seen, alerts, frozenset(name for names in covered.values() for name in names))


def outcomes(payments: Iterable[Known], flags: frozenset[str]) -> list[Outcome]:
    """Each payment as decided by this rule alone: reviewed where it is covered."""
    return [
        Outcome(
            p.transaction_id,
            p.account_id,
            p.amount,
            p.sent.time,
            "review" if p.transaction_id in flags else "approve",
            1 if p.transaction_id in flags else 0,
        )
        for p in payments
    ]


def overlap(flags: Mapping[str, frozenset[str]]) -> dict[tuple[str, str], int]:
    """Payments that both rules of a pair flag; ``(a, a)`` is what ``a`` flags at all."""
    names = sorted(flags)
    return {(a, b): len(flags[a] & flags[b]) for at, a in enumerate(names) for b in names[at:]}
