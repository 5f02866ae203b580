"""Rules as files and log want them: deployed at start, looked after, put on and off, paused and resumed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256
from typing import Any

from core.eventlog import EventLog, Meta, Recorded, caused_by
from core.eventlog.advisory import RULES, unlock
from core.rules.switching import is_wanted
from core.workers.task import Status, pause, until_stopped
from ksqldb import rulebook
from ksqldb.client import KsqlClient
from ksqldb.rulebook import RuleState
from schema.events import Event, RuleDeployed, RulePaused, RuleResumed, RuleWanted

CHECK_S = 10.0


class RuleKeeper:
    """One of all workers does this at a time (an advisory lock); the others stand by."""

    name = "rules"

    def __init__(
        self, url: str, dsn_pool: Any, log: EventLog, worker_id: str, topics: Callable[[], Awaitable[None]]
    ) -> None:
        self.status = Status()
        self._url = url
        self._make_topics = (
            topics  # with the settings' partitions and replicas, before the server makes them with its own
        )
        self._pool = dsn_pool
        self._log = log
        self._meta = Meta(actor=f"worker {worker_id}")
        self._wake = asyncio.Event()
        self._obeyed: dict[str, int] = {}

    async def run(self, stop: asyncio.Event) -> None:
        async with self._pool.acquire() as conn:
            while not await conn.fetchval("select pg_try_advisory_lock($1)", RULES):
                self.status.state = "standby"
                if await pause(stop, 2.0):
                    return
            try:
                await self._make_topics()
                async with KsqlClient(self._url) as client:
                    follow = asyncio.create_task(self._follow())
                    await until_stopped(stop, follow, asyncio.create_task(self._keep(client)))
            finally:
                await unlock(conn, RULES)
        self.status.state = "stopped"

    async def _follow(self) -> None:
        async for _ in self._log.subscribe(
            await self._log.head() + 1, types=["RulePaused", "RuleResumed", "RuleWanted"]
        ):
            self._wake.set()

    async def _keep(self, client: KsqlClient) -> None:
        book = rulebook.load()
        while True:
            self._wake.clear()
            histories = {name: await self._history(name) for name in book.rules}
            wanted = [rule.id for rule in book.rules.values() if is_wanted(rule, _events(histories[rule.id]))]
            for state in await rulebook.deploy(client, book, wanted):
                await self._settle(client, state, histories[state.rule.id])
            for state in await rulebook.states(client, book):
                if state.rule.id not in wanted and state.status is not rulebook.Status.ABSENT:
                    await self._take_off(client, state, histories[state.rule.id])
            self.status.state = "running"
            self.status.detail = {"rules": wanted}
            await pause(self._wake, CHECK_S)

    async def _history(self, rule_id: str) -> list[Recorded]:
        return await self._log.read_stream(f"rule-{rule_id}")

    async def _take_off(self, client: KsqlClient, state: RuleState, history: Sequence[Recorded]) -> None:
        """Take a rule off that an operator does not want; one put there by hand, without a word in the log, stays."""
        if any(isinstance(event, RuleWanted) for event in _events(history)):
            await rulebook.undeploy(client, state.rule)

    async def _settle(self, client: KsqlClient, state: RuleState, history: Sequence[Recorded]) -> None:
        """Note a version that is new, and bring the query to what the log says: paused or running."""
        rule, events = state.rule, _events(history)
        deployed = next((event for event in reversed(events) if isinstance(event, RuleDeployed)), None)
        if deployed is None or deployed.version != rule.version:
            digest = sha256(rule.sql.encode()).hexdigest()
            event = RuleDeployed(rule_id=rule.id, version=rule.version, sql_sha256=digest)
            await self._log.append(f"rule-{rule.id}", [event], meta=self._because(history))
        switches = [event for event in events if isinstance(event, RulePaused | RuleResumed)]
        if len(switches) == self._obeyed.get(rule.id, 0):
            return  # what a person did on the server itself since is not undone
        self._obeyed[rule.id] = len(switches)
        if isinstance(switches[-1], RulePaused) and state.status is rulebook.Status.DEPLOYED:
            await rulebook.pause(client, rule)
        elif isinstance(switches[-1], RuleResumed) and state.status is rulebook.Status.PAUSED:
            await rulebook.resume(client, rule)

    def _because(self, history: Sequence[Recorded]) -> Meta:
        """An operator who wanted the rule is the cause of its deployment; else its file is, which no event names."""
        wishes = [recorded for recorded in history if isinstance(recorded.event, RuleWanted)]
        return caused_by(wishes[-1], self._meta.actor) if wishes else self._meta


def _events(history: Sequence[Recorded]) -> list[Event]:
    return [recorded.event for recorded in history]
