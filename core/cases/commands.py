"""``streamguard alerts``, ``cases``, ``accounts`` and ``scenarios``: list, show, act."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from random import SystemRandom
from time import time
from typing import Any
from uuid import uuid4

import msgspec

from core.cases import acting, lists, policy
from core.eventlog import EventLog, Meta
from core.output import note, print_json, print_rows
from core.scenarios import registry
from core.workers.host import connect
from schema.events import CasePolicySet, ScenarioRequested, ScenarioStopped

DONE, NO = 0, 1
_LIST = (
    "select alert_id, raised_at, severity, rule_id, account_id, txn_count, amount / 100.0 as amount, score, decision,"
    " status, assignee from read.alert where ($1::text is null or status = $1) and ($2::text is null or rule_id = $2)"
    " and ($3::text is null or account_id = $3) order by first_pos desc limit $4"
)
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


@asynccontextmanager
async def opened(dsn: str) -> AsyncIterator[tuple[Any, EventLog]]:
    """A pool and the log over it."""
    pool = await connect(dsn)
    log = EventLog(pool)
    try:
        yield pool, log
    finally:
        await log.close()
        await pool.close()


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
            "select transaction_id, event_time, amount / 100.0 as amount, channel, merchant_id, payee_id, decision,"
            " score from read.payment where transaction_id = any($1) order by event_time, transaction_id",
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
    note(f"{case_id}: {action} by {operator}")
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
    said = "a block was proposed; another operator approves it" if done == lists.PROPOSED else done
    note(f"{kind} {party}: {said} ({operator})")
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
    async with opened(dsn) as (_, log):
        await lists.snooze(log, rule_id, account_id, int(time() * 1000) + lasting, operator, reason)
    note(f"{rule_id} is {'silent' if lasting else 'awake'} on {account_id}")
    return DONE


def list_scenarios(*, as_json: bool) -> int:
    """Every scenario with what should catch it."""
    rows = [(s.id, s.title, ", ".join(s.caught_by), s.hard, s.story) for s in registry.SCENARIOS.values()]
    print_rows(("scenario", "title", "caught_by", "hard", "story"), rows, as_json)
    return DONE


async def scenario_runs(dsn: str, limit: int, *, as_json: bool) -> int:
    """Runs with their verdicts, the newest first."""
    columns = (
        "run_id",
        "scenario",
        "seed",
        "status",
        "requested_at",
        "expected",
        "caught",
        "missed",
        "false_alerts",
        "time_to_detect_ms",
        "money_lost",
    )
    async with opened(dsn) as (pool, _):
        rows = await pool.fetch(
            f"select {', '.join(columns)} from read.scenario_run order by requested_at desc limit $1", limit
        )
    print_rows(columns, [tuple(row) for row in rows], as_json)
    return DONE


async def launch_scenario(
    dsn: str, name: str, seed: int | None, settings: Sequence[str], operator: str, *, wait: bool
) -> int:
    """Ask for a run; a scenario worker serves it. With ``wait``: exit 0 when everything expected was caught."""
    registry.find(name)
    parameters = {key: _value(text) for key, _, text in (setting.partition("=") for setting in settings)}
    chosen = SystemRandom().randrange(1 << 31) if seed is None else seed
    registry.check(name, parameters)
    run_id = f"{name.replace('_', '-')}-{uuid4().hex[:8]}"
    event = ScenarioRequested(run_id=run_id, scenario=name, seed=chosen, parameters=parameters)
    async with opened(dsn) as (pool, log):
        await log.append(f"scenario-{run_id}", [event], meta=Meta(actor=operator), expected_version=0)
        note(f"{run_id}: requested with seed {chosen}")
        if not wait:
            return DONE
        while True:
            row = await pool.fetchrow("select * from read.scenario_run where run_id = $1", run_id)
            if row is not None and row["status"] in ("scored", "failed", "stopped"):
                break
            await asyncio.sleep(0.2)
    if row["status"] != "scored":
        note(f"{run_id}: {row['status']} {row['reason'] or ''}")
        return NO
    print_rows(("run_id", "expected", "caught", "missed"), [(run_id, row["expected"], row["caught"], row["missed"])])
    return DONE if row["missed"] == 0 else NO


async def stop_scenario(dsn: str, run_id: str, operator: str) -> int:
    """End a run that is under way."""
    async with opened(dsn) as (_, log):
        history = await log.read_stream(f"scenario-{run_id}")
        if not history:
            note(f"there is no run {run_id!r}")
            return NO
        event = ScenarioStopped(run_id=run_id, operator=operator)
        await log.append(f"scenario-{run_id}", [event], meta=Meta(actor=operator))
    note(f"{run_id}: stopped by {operator}")
    return DONE


def _value(text: str) -> float | int | str | bool:
    """A parameter's text as the number or truth value that it looks like."""
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
