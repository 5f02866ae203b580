"""The clerk: a case that nobody has closed within the policy's time limit gets the default action."""

from __future__ import annotations

import asyncio
from typing import Any

from core.cases.acting import on_case
from core.cases.policy import STREAM, policy
from core.eventlog import Appended, EventLog
from core.eventlog.act import perform
from core.eventlog.advisory import CLERK, unlock
from core.workers.task import Status, pause, until_stopped
from schema.events import CaseDismissed, CaseEscalated, CasePolicySet, Event

ACTOR = "time limit"
CHECK_S = 5.0
_AT_ONCE = 500
# The time of a case runs from its alert, and anew from whatever a person did to it.
_OVERDUE = """
select a.alert_id, a.last_pos, coalesce(c.version, 0) as version
from read.alert a
left join lateral (
    select version, at from log.event where stream = 'case-' || a.alert_id order by version desc limit 1
) c on true
where a.status in ('open', 'claimed') and a.raised_at < clock_timestamp() - $1 * interval '1 millisecond'
  and (c.at is null or c.at < clock_timestamp() - $1 * interval '1 millisecond')
order by a.first_pos
limit $2
"""


class Clerk:
    """One of all workers does this at a time (an advisory lock); the others stand by."""

    name = "clerk"

    def __init__(self, pool: Any, log: EventLog) -> None:
        self.status = Status()
        self._pool = pool
        self._log = log
        self._wake = asyncio.Event()
        self._closed = 0

    async def run(self, stop: asyncio.Event) -> None:
        async with self._pool.acquire() as conn:
            while not await conn.fetchval("select pg_try_advisory_lock($1)", CLERK):
                self.status.state = "standby"
                if await pause(stop, 2.0):
                    return
            try:
                await until_stopped(stop, asyncio.create_task(self._follow()), asyncio.create_task(self._keep()))
            finally:
                await unlock(conn, CLERK)
        self.status.state = "stopped"

    async def _follow(self) -> None:
        async for _ in self._log.subscribe(await self._log.head() + 1, prefix=STREAM):
            self._wake.set()

    async def _keep(self) -> None:
        while True:
            self._wake.clear()
            standing = await policy(self._log)
            if standing.limit_ms is None:
                self.status.state = "idle"
                await self._wake.wait()
                continue
            self.status.state = "running"
            self._closed += await close_overdue(self._pool, self._log, standing)
            self.status.detail = {"limit_s": standing.limit_ms / 1000, "closed": self._closed}
            await pause(self._wake, CHECK_S)


async def close_overdue(pool: Any, log: EventLog, standing: CasePolicySet) -> int:
    """Act on what is overdue by now; a case that a person touches at the same moment is theirs. Returns how many."""
    acted = 0
    for row in await pool.fetch(_OVERDUE, standing.limit_ms, _AT_ONCE):
        event = _action(row["alert_id"], standing)
        item = on_case(event, row["alert_id"], ACTOR, row["version"], row["last_pos"])
        acted += isinstance(await perform(log, item), Appended)
    return acted


def _action(case_id: str, standing: CasePolicySet) -> Event:
    reason = f"nobody closed it within {(standing.limit_ms or 0) / 3_600_000:g} h"
    kind = CaseDismissed if standing.default == "dismiss" else CaseEscalated
    return kind(case_id=case_id, operator=ACTOR, reason=reason)
