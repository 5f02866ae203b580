"""The past of an account is what its projections showed then."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import pytest

from core.eventlog import EventLog
from core.projections.account_risk import ACCOUNT_RISK
from core.projections.alert import ALERT
from core.projections.as_of import account_at, position_at
from core.projections.runner import advance
from core.projections.verdict import VERDICT
from tests.core.projections.stories import META, story


@pytest.mark.parametrize("seed", range(3))
async def test_an_account_in_the_past_is_what_the_projections_showed_then(log: EventLog, pool: Any, seed: int) -> None:
    items = story(seed, 150)
    cut = random.Random(seed).randrange(20, 150)
    await log.append_many(items[:cut])
    async with pool.acquire() as conn:
        pos = await log.head()
        for projection in (ACCOUNT_RISK, ALERT, VERDICT):
            await advance(conn, projection)
        accounts = [f"acc-{number}" for number in range(6)]
        shown = [await _shown(conn, account) for account in accounts]
        await log.append_many(items[cut:])
        for projection in (ACCOUNT_RISK, ALERT, VERDICT):
            await advance(conn, projection)
        for account, then in zip(accounts, shown, strict=True):
            past = await account_at(conn, account, pos)
            assert (past.risk, past.alerts, past.verdicts) == then
            now = await account_at(conn, account, await log.head())
            assert (now.risk, now.alerts, now.verdicts) == await _shown(conn, account)


async def _shown(conn: Any, account: str) -> tuple[Any, list[Any], list[Any]]:
    risk = await conn.fetchrow("select * from read.account_risk where account_id = $1", account)
    alerts = await conn.fetch("select * from read.alert where account_id = $1 order by first_pos", account)
    verdicts = await conn.fetch("select * from read.verdict where account_id = $1 order by transaction_id", account)
    return None if risk is None else dict(risk), [dict(row) for row in alerts], [dict(row) for row in verdicts]


async def test_a_time_is_found_by_its_position(log: EventLog, pool: Any) -> None:
    for item in story(9, 25):
        await log.append(item.stream, item.events, meta=META)
    recorded = await log.read(1)
    async with pool.acquire() as conn:
        assert await position_at(conn, datetime(2020, 1, 1, tzinfo=UTC)) == 0
        assert await position_at(conn, datetime.now(UTC)) == 25
        for one in recorded:
            assert await position_at(conn, one.at) == one.pos
