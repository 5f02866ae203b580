"""``streamguard alerts``, ``cases`` and ``accounts``: list, show, act."""

from __future__ import annotations

from collections.abc import Sequence
from time import time

import msgspec

from core.cases import acting, lists, policy
from core.detection.features import FEATURES
from core.eventlog.connect import opened
from core.output import note, print_json, print_rows
from ksqldb import rulebook
from schema.events import CasePolicySet

DONE, NO = 0, 1
_DID = {
    "claim": "claimed",
    "confirm": "confirmed as fraud",
    "dismiss": "dismissed",
    "escalate": "escalated",
    "reopen": "reopened",
    "note": "noted",
    lists.BLOCKED: "blocked",
    lists.PROPOSED: "a block, to be approved by another operator, was proposed",
    "unblock": "unblocked",
    "allow": "allowed",
    "disallow": "no longer allowed",
    "approve": "the block was approved",
    "refuse": "the block was refused",
}
_LIST = (
    "select alert_id, raised_at, severity, rule_id, account_id, txn_count, (amount / 100.0)::numeric(16, 2) as amount,"
    " score, decision, status, assignee from read.alert"
    " where ($1::text is null or status = $1) and ($2::text is null or rule_id = $2)"
    " and ($3::text is null or account_id = $3) order by first_pos desc limit $4"
)
_RAISED = "select exists (select from read.alert where rule_id = $1)"
_COLUMNS = (
    "alert_id",
    "raised_at",
    "severity",
    "rule_id",
    "account_id",
    "txn_count",
    "amount",
    "score",
    "decision",
    "status",
    "assignee",
)


async def list_alerts(
    dsn: str, status: str | None, rule: str | None, account: str | None, limit: int, *, as_json: bool
) -> int:
    """The newest alerts first."""
    async with opened(dsn) as (pool, _):
        rows = await pool.fetch(_LIST, status, rule, account, limit)
    print_rows(_COLUMNS, [tuple(row) for row in rows], as_json)
    return DONE


async def show_alert(dsn: str, alert_id: str, *, as_json: bool) -> int:
    """One alert: its reasons, payments and history."""
    async with opened(dsn) as (pool, log):
        row = await pool.fetchrow("select * from read.alert where alert_id = $1", alert_id)
        if row is None:
            note(f"there is no alert {alert_id!r}")
            return NO
        payments = await pool.fetch(
            "select transaction_id, event_time, (amount / 100.0)::numeric(16, 2) as amount, channel, merchant_id,"
            " payee_id, decision, score from read.payment where transaction_id = any($1)"
            " order by event_time, transaction_id",
            row["transactions"],
        )
        history = await log.read_stream(f"case-{alert_id}")
    signals = msgspec.json.decode(row["signals"])
    if as_json:
        shown = {name: value for name, value in dict(row).items() if name not in ("signals", "sources")}
        print_json(
            {
                **shown,
                "signals": signals,
                "sources": msgspec.json.decode(row["sources"]),
                "payments": [dict(payment) for payment in payments],
                "history": [{"type": r.type, "at": r.at, "by": r.meta.actor} for r in history],
            }
        )
        return DONE
    print_rows(
        ("alert", "rule", "account", "score", "decision", "status", "assignee"),
        [(alert_id, row["rule_id"], row["account_id"], row["score"], row["decision"], row["status"], row["assignee"])],
    )
    print()
    print_rows(
        ("why", "points", "value", "threshold"),
        [(f"{s['id']}: {s['reason']}", s["points"], s.get("value"), s.get("threshold")) for s in signals],
    )
    print()
    columns = ("transaction_id", "event_time", "amount", "channel", "merchant_id", "payee_id", "decision", "score")
    print_rows(columns, [tuple(payment) for payment in payments])
    if history:
        print()
        print_rows(("event", "at", "by"), [(r.type, r.at, r.meta.actor) for r in history])
    return DONE


async def act_on_case(
    dsn: str, action: str, case_id: str, operator: str, text: str, transactions: Sequence[str]
) -> int:
    """Claim, confirm, dismiss, escalate, reopen or note a case."""
    async with opened(dsn) as (pool, log):
        try:
            await acting.act(pool, log, action, case_id, operator, text, transactions)
        except acting.Refused as error:
            note(str(error))
            return NO
    note(f"{case_id}: {_DID[action]} by {operator}")
    return DONE


async def list_accounts(dsn: str, limit: int, *, as_json: bool) -> int:
    """Accounts by their share of fraud."""
    columns = (
        "account_id",
        "total_transactions",
        "fraud_transactions",
        "fraud_rate",
        "total_amount",
        "max_score",
        "last_transaction_at",
    )
    async with opened(dsn) as (pool, _):
        rows = await pool.fetch(
            f"select {', '.join(columns)} from public.account_risk_profile"
            " order by fraud_rate desc nulls last, fraud_transactions desc, account_id limit $1",
            limit,
        )
    print_rows(columns, [tuple(row) for row in rows], as_json)
    return DONE


async def show_account(dsn: str, account_id: str, *, as_json: bool) -> int:
    """An account's profile, its alerts and its last payments."""
    async with opened(dsn) as (pool, _):
        profile = await pool.fetchrow("select * from public.account_risk_profile where account_id = $1", account_id)
        alerts = await pool.fetch(_LIST, None, None, account_id, 20)
        payments = await pool.fetch(
            "select transaction_id, event_time, amount, channel, merchant_id, payee_id, decision, score, is_fraud"
            " from public.transactions where account_id = $1 order by event_time desc limit 20",
            account_id,
        )
    if profile is None and not payments:
        note(f"nothing is known of account {account_id!r}")
        return NO
    if as_json:
        print_json(
            {
                **(dict(profile) if profile else {"account_id": account_id}),
                "alerts": [dict(row) for row in alerts],
                "payments": [dict(row) for row in payments],
            }
        )
        return DONE
    if profile:
        print_rows(tuple(profile.keys()), [tuple(profile)])
        print()
    print_rows(_COLUMNS, [tuple(row) for row in alerts])
    print()
    print_rows(tuple(payments[0].keys()) if payments else ("transaction_id",), [tuple(row) for row in payments])
    return DONE


async def change_list(
    dsn: str, action: str, kind: str, party: str, operator: str, reason: str, lasting: int | None = None
) -> int:
    """block, unblock, allow, disallow, approve or refuse; ``lasting`` ms from now, None = until it is lifted."""
    until = None if lasting is None else int(time() * 1000) + lasting
    done = action
    async with opened(dsn) as (_, log):
        try:
            match action:
                case "block":
                    done = await lists.block(log, kind, party, operator, reason, until)
                case "allow":
                    await lists.allow(log, kind, party, operator, reason, until)
                case "unblock":
                    await lists.unblock(log, kind, party, operator, reason)
                case "disallow":
                    await lists.disallow(log, kind, party, operator, reason)
                case "approve":
                    await lists.approve(log, kind, party, operator)
                case "refuse":
                    await lists.refuse(log, kind, party, operator, reason)
        except acting.Refused as error:
            note(str(error))
            return NO
    note(f"{kind} {party}: {_DID[done]} by {operator}")
    return DONE


async def show_policy(dsn: str, *, as_json: bool) -> int:
    """How cases are worked."""
    async with opened(dsn) as (_, log):
        found = await policy.policy(log)
    print_rows(
        ("four_eyes", "limit_s", "default", "set_by"),
        [(found.four_eyes, None if found.limit_ms is None else found.limit_ms / 1000, found.default, found.operator)],
        as_json,
    )
    return DONE


async def set_policy(
    dsn: str, operator: str, four_eyes: bool | None, limit: int | None, default: str | None, *, no_limit: bool
) -> int:
    """Change what is given, keep the rest."""
    async with opened(dsn) as (_, log):
        found = await policy.policy(log)
        wanted = CasePolicySet(
            four_eyes=found.four_eyes if four_eyes is None else four_eyes,
            limit_ms=None if no_limit else found.limit_ms if limit is None else limit,
            default=default or found.default,
            operator=operator,
        )
        try:
            await policy.set_policy(log, wanted)
        except acting.Refused as error:
            note(str(error))
            return NO
    return await show_policy(dsn, as_json=False)


async def snooze_rule(dsn: str, rule_id: str, account_id: str, lasting: int, operator: str, reason: str) -> int:
    """Silence a rule on an account for ``lasting`` ms; 0 wakes it."""
    async with opened(dsn) as (pool, log):
        known = {*rulebook.load().rules, *(feature.id for feature in FEATURES)}
        if rule_id not in known and not await pool.fetchval(_RAISED, rule_id):
            note(f"there is no rule {rule_id!r}; there are {', '.join(sorted(known))}")
            return NO
        await lists.snooze(log, rule_id, account_id, int(time() * 1000) + lasting, operator, reason)
    note(f"{rule_id} is {'silent' if lasting else 'awake'} on {account_id}")
    return DONE
