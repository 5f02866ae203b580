"""``streamguard accounts timeline`` and ``lists show``: what the Accounts screen shows beside the risk table."""

from __future__ import annotations

from datetime import UTC, datetime

from core.cases.timeline import timeline
from core.eventlog import roles
from core.eventlog.connect import connected
from core.output import note, print_rows
from schema.transaction import reais

DONE, NO = 0, 1
_MOMENT = ("position", "at", "event_time", "kind", "what", "subject", "amount", "score", "decision", "actor")
_LISTED = ("list", "kind", "party", "reason", "since", "until", "operator")


async def show_timeline(dsn: str, account_id: str, limit: int, *, as_json: bool) -> int:
    """Payments, changed decisions, alerts, cases and blocks of an account in the order of the log; 1 when none."""
    async with connected(dsn, roles.READER) as conn:
        moments = await timeline(conn, account_id, limit)
    if not moments:
        note(f"nothing is known of account {account_id!r}")
        return NO
    print_rows(
        _MOMENT,
        [
            (
                m.position,
                _instant(m.at),
                _instant(m.event_time),
                m.kind,
                m.what,
                m.subject,
                None if m.amount is None else reais(m.amount),
                m.score,
                m.decision,
                m.actor,
            )
            for m in moments
        ],
        as_json,
    )
    return DONE


async def show_lists(dsn: str, *, as_json: bool) -> int:
    """Who is blocked or allowed now, the newest first."""
    async with connected(dsn, roles.READER) as conn:
        rows = await conn.fetch(
            f"select {', '.join(_LISTED)} from read.list_entry where active and list in ('block', 'allow')"
            " and (until is null or until > now()) order by first_pos desc"
        )
    print_rows(_LISTED, [tuple(row) for row in rows], as_json)
    return DONE


def _instant(epoch_ms: int) -> datetime:
    return datetime.fromtimestamp(epoch_ms / 1000, UTC)
