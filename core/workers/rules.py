"""Rules as the log wants them: deployed at start, looked after, paused and resumed when an operator says so."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from typing import Any

from core.eventlog import EventLog, Meta
from core.workers.task import Status, pause, until_stopped
from ksqldb import rulebook
from ksqldb.client import KsqlClient
from ksqldb.rulebook import RuleState
from schema.events import RuleDeployed, RulePaused, RuleResumed

CHECK_S = 10.0
_LOCK = 5391010


class RuleKeeper:
    """One of all workers does this at a time (an advisory lock); the others stand by."""

    name = "rules"

    def __init__(self, url: str, dsn_pool: Any, log: EventLog, worker_id: str) -> None:
        self.status = Status()
        self._url = url
        self._pool = dsn_pool
        self._log = log
        self._meta = Meta(actor=f"worker {worker_id}")
        self._wake = asyncio.Event()
        self._obeyed: dict[str, int] = {}

    async def run(self, stop: asyncio.Event) -> None:
        async with self._pool.acquire() as conn:
            while not await conn.fetchval("select pg_try_advisory_lock($1)", _LOCK):
                self.status.state = "standby"
                if await pause(stop, 2.0):
                    return
            try:
                async with KsqlClient(self._url) as client:
                    follow = asyncio.create_task(self._follow())
                    await until_stopped(stop, follow, asyncio.create_task(self._keep(client)))
            finally:
                if not conn.is_closed():
                    await conn.execute("select pg_advisory_unlock($1)", _LOCK)
        self.status.state = "stopped"

    async def _follow(self) -> None:
        async for _ in self._log.subscribe(await self._log.head() + 1, types=["RulePaused", "RuleResumed"]):
            self._wake.set()

    async def _keep(self, client: KsqlClient) -> None:
        book = rulebook.load()
        while True:
            self._wake.clear()
            for state in await rulebook.deploy(client, book):
                await self._settle(client, state)
            self.status.state = "running"
            self.status.detail = {"rules": [state.rule.id for state in await rulebook.states(client, book)]}
            await pause(self._wake, CHECK_S)

    async def _settle(self, client: KsqlClient, state: RuleState) -> None:
        """Note a version that is new, and bring the query to what the log says: paused or running."""
        rule = state.rule
        history = [recorded.event for recorded in await self._log.read_stream(f"rule-{rule.id}")]
        deployed = next((event for event in reversed(history) if isinstance(event, RuleDeployed)), None)
        if deployed is None or deployed.version != rule.version:
            digest = sha256(rule.sql.encode()).hexdigest()
            event = RuleDeployed(rule_id=rule.id, version=rule.version, sql_sha256=digest)
            await self._log.append(f"rule-{rule.id}", [event], meta=self._meta)
        switches = [event for event in history if isinstance(event, RulePaused | RuleResumed)]
        if len(switches) == self._obeyed.get(rule.id, 0):
            return  # what a person did on the server itself since is not undone
        self._obeyed[rule.id] = len(switches)
        if isinstance(switches[-1], RulePaused) and state.status is rulebook.Status.DEPLOYED:
            await rulebook.pause(client, rule)
        elif isinstance(switches[-1], RuleResumed) and state.status is rulebook.Status.PAUSED:
            await rulebook.resume(client, rule)
