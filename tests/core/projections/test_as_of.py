"""The past of an account is what its projections showed then."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import pytest

from core.eventlog import EventLog
from core.projections.account_risk import ACCOUNT_RISK
from core.projections.alert import ALERT
from core.projections.as_of import AccountAt, account_at, position_at
from core.projections.cases import CASES
from core.projections.listed import LISTED
from core.projections.runner import advance
from core.projections.verdict import VERDICT
from tests.core.projections import plain
from tests.core.projections.stories import META, story

FOLDED = (ACCOUNT_RISK, ALERT, VERDICT, CASES, LISTED)


@pytest.mark.parametrize("seed", range(3))
async def test_an_account_in_the_past_is_what_the_projections_showed_then(log: EventLog, pool: Any, seed: int) -> None:
    items = story(seed, 150)
    cut = random.Random(seed).randrange(20, 150)
    await log.append_many(items[:cut])
    async with pool.acquire() as conn:
        pos = await log.head()
        for projection in FOLDED:
            await advance(conn, projection)
        accounts = [f"acc-{number}" for number in range(6)]
        shown = [await _shown(conn, account) for account in accounts]
        await log.append_many(items[cut:])
        for account, then in zip(accounts, shown, strict=True):
            assert _told(await account_at(conn, account, pos)) == then, "while the projections lag"
        for projection in FOLDED:
            await advance(conn, projection)
        for account, then in zip(accounts, shown, strict=True):
            assert _told(await account_at(conn, account, pos)) == then
            assert _told(await account_at(conn, account, await log.head())) == await _shown(conn, account)


@pytest.mark.parametrize("seed", range(100, 106))
async def test_an_account_at_any_position_is_the_plainest_fold_up_to_there(log: EventLog, pool: Any, seed: int) -> None:
    """The property: whatever happened, whoever is asked about and when, the answer is a fold of the events so far."""
    dice = random.Random(seed)
    await log.append_many(story(seed, 160))
    whole = await log.read(1)
    async with pool.acquire() as conn:
        for projection in FOLDED:  # they may stand anywhere
            await advance(conn, projection, limit=dice.randrange(1, 160))
        for _ in range(8):
            pos, account = dice.randrange(len(whole) + 1), f"acc-{dice.randrange(6)}"
            so_far = whole[:pos]
            past = await account_at(conn, account, pos)
            risk = past.risk and tuple(past.risk[name] for name in RISK)
            assert risk == plain.risk(so_far).get(account)
            mine = plain.alerts(so_far, account)
            standing = plain.statuses(so_far)
            assert {a["alert_id"]: (a["status"], a["assignee"]) for a in past.alerts} == {
                alert: standing.get(alert, ("open", None)) for alert in mine
            }
            assert {c["case_id"]: c["acts"] for c in past.cases} == plain.acts_on(so_far, mine)
            entries = {
                (e["list"], e["kind"], e["party"], e["rule_id"]): (e["active"], e["reason"], e["first_pos"])
                for e in past.lists
            }
            assert entries == {key: it for key, it in plain.lists(so_far).items() if key[1:3] == ("account", account)}
            fraud = plain.fraud(so_far, account)
            assert {p["transaction_id"]: p["is_fraud"] for p in past.payments} == fraud


RISK = ("total_transactions", "fraud_transactions", "total_amount")


def _told(past: AccountAt) -> tuple[Any, ...]:
    return past.risk, past.alerts, past.verdicts, past.cases, past.lists


async def _shown(conn: Any, account: str) -> tuple[Any, ...]:
    risk = await conn.fetchrow("select * from read.account_risk where account_id = $1", account)
    found = [
        await conn.fetch(f"select * from read.{table} where {whose} = $1 order by {order}", account)
        for table, whose, order in (
            ("alert", "account_id", "first_pos"),
            ("verdict", "account_id", "transaction_id"),
            ("cases", "account_id", "first_pos"),
            ("list_entry", "kind = 'account' and party", "first_pos"),
        )
    ]
    return (None if risk is None else dict(risk), *([dict(row) for row in rows] for rows in found))


async def test_a_time_is_found_by_its_position(log: EventLog, pool: Any) -> None:
    for item in story(9, 25):
        await log.append(item.stream, item.events, meta=META)
    recorded = await log.read(1)
    async with pool.acquire() as conn:
        assert await position_at(conn, datetime(2020, 1, 1, tzinfo=UTC)) == 0
        assert await position_at(conn, datetime.now(UTC)) == 25
        for one in recorded:
            assert await position_at(conn, one.at) == one.pos
