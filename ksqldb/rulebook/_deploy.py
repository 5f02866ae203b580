"""Rules on a server: deploy, pause, resume, undeploy, and what its own lists say is there.

Everything is decided by what SHOW QUERIES, SHOW STREAMS and SHOW TABLES say, never by what was sent: a real server may
refuse a statement it has run, or take 45 seconds for one. All of it may be repeated.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from ksqldb.client import KsqlClient, KsqlServerError, KsqlUnavailable, RunningQuery
from ksqldb.rulebook._files import Rule, Rulebook

T = TypeVar("T")
Progress = Callable[[str], None]

PATIENCE = 90.0
INTERNAL, INTERNAL_TRIES = 50000, 3
_TOPIC_CLAUSE = re.compile(r"(KAFKA_TOPIC\s*=\s*'([^']+)',\s*PARTITIONS\s*=\s*)(\d+)")
# What a rule reads while it is deployed begins with the first record: a rule that starts late, or again, misses nothing
# (what is raised twice collapses by alert id). No cache and frequent commits let a real server emit every change soon.
PROPERTIES: dict[str, object] = {
    "auto.offset.reset": "earliest",
    "ksql.streams.commit.interval.ms": 100,
    "ksql.streams.cache.max.bytes.buffering": 0,
}


class Status(Enum):
    DEPLOYED = "deployed"
    PAUSED = "paused"
    OUTDATED = "outdated"  # another version runs, or parts of it are missing
    FAILED = "failed"  # the server says that its query is in error
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class RuleState:
    """``queries`` are the ids of the rule's own queries on the server."""

    rule: Rule
    status: Status
    queries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Source:
    kind: str
    name: str
    topic: str


@dataclass(frozen=True, slots=True)
class _Found:
    """What a server's lists hold."""

    queries: list[RunningQuery]
    sources: list[_Source]

    def queries_of(self, rule: Rule) -> list[RunningQuery]:
        own = [s.name for s in self.sources_of(rule)]
        return [q for q in self.queries if q.id.startswith(rule.query_prefix) or any(s in own for s in q.sinks)]

    def sources_of(self, rule: Rule) -> list[_Source]:
        name = rule.id.upper()
        return [s for s in self.sources if s.name == name or s.name.startswith(name + "_")]

    def state_of(self, rule: Rule) -> RuleState:
        queries, sources = self.queries_of(rule), self.sources_of(rule)
        ids = tuple(q.id for q in queries)
        if not queries and not sources:
            return RuleState(rule, Status.ABSENT)
        if rule.query_id not in ids or {s.name for s in sources} != set(rule.creates):
            return RuleState(rule, Status.OUTDATED, ids)
        if any(q.status in ("ERROR", "UNRESPONSIVE") for q in queries):
            return RuleState(rule, Status.FAILED, ids)
        paused = any(q.status == "PAUSED" for q in queries)
        return RuleState(rule, Status.PAUSED if paused else Status.DEPLOYED, ids)


async def _look(client: KsqlClient) -> _Found:
    sources = [
        _Source(s["type"], s["name"], s["topic"])
        for entity in await client.execute("SHOW STREAMS; SHOW TABLES;")
        for s in (*entity.get("streams", ()), *entity.get("tables", ()))
    ]
    return _Found([q for q in await client.queries() if q.kind != "PUSH"], sources)


async def _patiently(act: Callable[[], Awaitable[T]], patience: float = PATIENCE) -> T:
    """Repeat what fails for reasons that pass: a server that starts, is busy or cannot be reached for now.

    An internal error (500) is tried again a few times only: a real server gives one under load, but also for what will
    never work, such as a wrong partition count.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + patience
    pause, internal = 0.2, 0
    while True:
        try:
            return await act()
        except KsqlUnavailable:
            if loop.time() + pause > end:
                raise
        except KsqlServerError as problem:
            internal += problem.error_code == INTERNAL
            if not problem.retryable or internal > INTERNAL_TRIES or loop.time() + pause > end:
                raise
        await asyncio.sleep(pause)
        pause = min(pause * 2, 5.0)


async def states(client: KsqlClient, book: Rulebook) -> list[RuleState]:
    """Each rule's state on the server."""
    found = await _look(client)
    return [found.state_of(rule) for rule in book.rules.values()]


async def deploy(
    client: KsqlClient,
    book: Rulebook,
    rule_ids: Sequence[str] | None = None,
    progress: Progress = lambda text: None,
    patience: float = PATIENCE,
) -> list[RuleState]:
    """Bring the rules named (otherwise those on by default) to their files' version; what is there stays untouched.

    Raises ``KsqlServerError`` for a statement that the server refuses and ``KsqlUnavailable`` beyond ``patience``
    seconds without a server.
    """
    wanted = [book.rule(rule_id) for rule_id in rule_ids] if rule_ids is not None else book.defaults()
    made = await _patiently(lambda: _topics(client), patience)
    for statement in book.sources:
        await _send(client, _fitted(statement, made), patience)
    done: list[RuleState] = []
    for rule in wanted:
        state = (await _patiently(lambda: _look(client), patience)).state_of(rule)
        if state.status in (Status.OUTDATED, Status.FAILED):
            progress(f"{rule.id}: {state.status.value}, replacing it")
            await undeploy(client, rule, patience)
        if state.status not in (Status.DEPLOYED, Status.PAUSED):
            state = await _deploy_one(client, rule, patience)
        progress(f"{rule.id}: {state.status.value} ({rule.query_id})")
        done.append(state)
    return done


async def _topics(client: KsqlClient) -> dict[str, int]:
    """Topic -> partitions, of all that the server shows."""
    entities = await client.execute("SHOW TOPICS;")
    return {topic["name"]: len(topic["replicaInfo"]) for entity in entities for topic in entity.get("topics", ())}


def _fitted(statement: str, made: Mapping[str, int]) -> str:
    """The statement with the partitions its topic has: over a topic that exists, a server refuses another number."""

    def fit(clause: re.Match[str]) -> str:
        return f"{clause[1]}{made.get(clause[2], clause[3])}"

    return _TOPIC_CLAUSE.sub(fit, statement)


async def _deploy_one(client: KsqlClient, rule: Rule, patience: float) -> RuleState:
    try:
        for statement in rule.statements():
            await _send(client, statement, patience)
    except KsqlServerError:
        # Refused, perhaps because an earlier try of the same statement, or another control center, came first.
        state = (await _patiently(lambda: _look(client), patience)).state_of(rule)
        if state.status is not Status.DEPLOYED:
            raise
        return state
    return (await _patiently(lambda: _look(client), patience)).state_of(rule)


async def _send(client: KsqlClient, statement: str, patience: float) -> None:
    await _patiently(lambda: client.execute(statement, properties=PROPERTIES), patience)


async def undeploy(client: KsqlClient, rule: Rule, patience: float = PATIENCE) -> None:
    """Take the rule and everything it made off the server, with the topics that nothing else reads.

    First its INSERT query ends, then what reads goes before what is read; a source that is still read is refused and
    gets its turn after its reader.
    """
    found = await _patiently(lambda: _look(client), patience)
    for query in found.queries_of(rule):
        if query.id.startswith(rule.query_prefix):
            await _ended(client, query.id, patience)
    left = sorted(found.sources_of(rule), key=lambda s: (s.kind == "TABLE", s.name))
    others = [s.topic for s in found.sources if s not in left]
    while left:
        dropped: list[_Source] = []
        refusal: KsqlServerError | None = None
        for source in left:
            shared = others + [s.topic for s in left if s is not source and s not in dropped]
            delete = "" if source.topic in shared else " DELETE TOPIC"
            drop = f"DROP {source.kind} IF EXISTS `{source.name}`{delete};"
            try:
                await _send(client, drop, patience)
                dropped.append(source)
            except KsqlServerError as problem:
                refusal = problem
        if refusal and not dropped:
            raise refusal
        left = [s for s in left if s not in dropped]


async def _ended(client: KsqlClient, query_id: str, patience: float) -> None:
    async def terminate() -> None:
        try:
            await client.terminate(query_id)
        except KsqlServerError:
            if any(q.id == query_id for q in await client.queries()):
                raise

    await _patiently(terminate, patience)


async def pause(client: KsqlClient, rule: Rule) -> None:
    """Hold the rule's queries; what comes meanwhile waits in the topic."""
    for query in (await _look(client)).queries_of(rule):
        if query.status != "PAUSED":
            await client.pause(query.id)


async def resume(client: KsqlClient, rule: Rule) -> None:
    for query in (await _look(client)).queries_of(rule):
        if query.status == "PAUSED":
            await client.resume(query.id)
