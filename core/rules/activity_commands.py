"""``streamguard rules activity`` and ``overlap``: the figures that the Rules screen shows."""

from __future__ import annotations

from core.eventlog import roles
from core.eventlog.connect import connected
from core.output import note, print_rows
from core.rules.activity import activity, overlap
from core.rules.quality import quality

DONE, NO = 0, 1
ALERTS = 20_000
_COLUMNS = (
    *("rule_id", "alerts", "open", "confirmed", "dismissed", "judged", "precision", "known", "recall", "frauds"),
    *("amount", "by_hour"),
)


async def show_activity(dsn: str, hours: int, *, as_json: bool) -> int:
    """Each rule's alerts, what people and labels say of them, and its last hours; 1 when none has raised any."""
    async with connected(dsn, roles.READER) as conn:
        busy = await activity(conn, hours)
        known = {found.rule_id: found for found in await quality(conn, ALERTS)}
    if not busy.rules:
        note("no rule has raised an alert yet")
        return NO
    rows = []
    for one in busy.rules:
        found = known.get(one.rule_id)
        rows.append(
            (
                one.rule_id,
                one.alerts,
                one.open,
                one.confirmed,
                one.dismissed,
                _share(one.judged),
                _share(found.precision if found else None),
                found.known if found else 0,
                _share(found.recall if found else None),
                found.frauds if found else None,
                one.amount / 100,
                list(one.by_hour) if as_json else " ".join(map(str, one.by_hour)),
            )
        )
    print_rows(_COLUMNS, rows, as_json)
    return DONE


async def show_overlap(dsn: str, *, as_json: bool) -> int:
    """How many payments two rules both name, a pair a row; 1 when no alert names any."""
    async with connected(dsn, roles.READER) as conn:
        found = await overlap(conn, ALERTS)
    rows = [
        (one, other, found.shared[i][j], _share(found.shared[i][j] / found.shared[i][i]))
        for i, one in enumerate(found.rules)
        for j, other in enumerate(found.rules)
        if i != j and found.shared[i][j]
    ]
    if not found.rules:
        note("no alert has named a payment yet")
        return NO
    print_rows(("rule", "also_named_by", "payments", "share"), rows, as_json)
    return DONE


def _share(share: float | None) -> float | None:
    return None if share is None else round(share, 4)
