"""`streamguard accounts show --at` and `--position`: an account in the past. It returns an exit code."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from core.eventlog import roles
from core.eventlog.connect import connected
from core.output import harmless, note, print_json, print_rows
from core.projections.as_of import account_at, position_at
from schema.transaction import reais

DONE, NO = 0, 1
_ALERT = ("alert_id", "rule_id", "score", "decision", "status", "assignee", "raised_at")
_VERDICT = ("transaction_id", "fraud", "case_id", "at")
_CASE = ("case_id", "status", "assignee", "acts", "notes", "closed_at")
_ENTRY = ("list", "rule_id", "active", "until", "operator", "reason")
_PAYMENT = ("transaction_id", "event_time", "amount", "channel", "decision", "score", "is_fraud")


async def show_account_at(
    dsn: str, account_id: str, *, when: datetime | None = None, position: int | None = None, as_json: bool = False
) -> int:
    """An account as it stood at a time or a position: totals, alerts, cases, verdicts, list entries, payments.

    1 when it was unknown then.
    """
    async with connected(dsn, roles.READER) as conn:
        if position is None:
            position = (
                await conn.fetchval("select pos from log.head") if when is None else await position_at(conn, when)
            )
        found = await account_at(conn, account_id, position)
    if found.risk is None and not found.alerts and not found.lists:
        note(f"account {account_id} is not known at position {position:,}")
        return NO
    if as_json:
        print_json(asdict(found))
        return DONE
    risk = found.risk or {}
    print(f"{harmless(account_id)} at position {found.pos:,}, {found.at:%Y-%m-%d %H:%M:%S %Z}")
    print_rows(
        ("payments", "fraud", "total", "highest_score", "last_payment"),
        [
            (
                risk.get("total_transactions", 0),
                risk.get("fraud_transactions", 0),
                reais(risk.get("total_amount", 0)),
                risk.get("max_score"),
                risk.get("last_transaction_at"),
            )
        ],
    )
    for columns, rows in (
        (_ALERT, found.alerts),
        (_CASE, found.cases),
        (_VERDICT, found.verdicts),
        (_ENTRY, found.lists),
        (_PAYMENT, [{**row, "amount": reais(row["amount"])} for row in found.payments]),
    ):
        if rows:
            print()
            print_rows(columns, [[row[name] for name in columns] for row in rows])
    return DONE
