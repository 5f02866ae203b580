"""Supervised work on the whole pipeline: services, a worker process, and knowing when all of it is done."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from core.eventlog import EventLog
from core.kafka.admin import admin_client, ensure_topics, topics
from core.kafka.connection import Kafka, cluster_id
from core.replay.report import Report
from core.replay.results import Results, Since, count_rows, dead_letters, latencies
from core.settings import Settings
from core.stack.client import Step, ensure_stack
from core.workers.host import connect
from core.workers.names import TASKS
from core.workers.outlast import PatientReads, outlast
from core.workers.sender import TOPICS
from core.workers.supervisor import Supervisor
from schema import alert, transaction

READY_WITHIN_S = 90.0
QUERY_GROUPS = "_confluent-ksql-"
_POLL_S = 0.05
_QUIET_S = 0.4
# Where the engine does not say how far its queries have read, silence must do, and takes longer to be believed.
_SILENT_S = 2.0


class NotReady(Exception):
    """The workers did not come up in time; the text says which task and why."""


@dataclass
class Session:
    """Everything at hand. ``supervisor`` keeps the worker process of this session."""

    kafka: Kafka
    ksqldb: str
    cluster: str
    pool: PatientReads
    log: EventLog
    supervisor: Supervisor
    consumer: Any

    async def since(self) -> Since:
        """Now, as a mark to count from."""
        ends = await self.ends(transaction.TOPIC)
        return Since(await self.log.head(), {partition: end for (_, partition), end in ends.items()})

    async def ends(self, *names: str) -> dict[tuple[str, int], int]:
        """Next offset to be written of every partition of the topics."""

        async def ask() -> dict[tuple[str, int], int]:
            counts = await topics(self.kafka)
            every = [TopicPartition(name, part) for name in names for part in range(counts.get(name, 0))]
            found = await self.consumer.end_offsets(every) if every else {}
            return {(tp.topic, tp.partition): end for tp, end in found.items()}

        return await outlast(ask)

    async def committed(self) -> dict[tuple[str, int], int]:
        """Next offset that the inlet will take in, by topic and partition."""
        rows = await self.pool.fetch(
            "select topic, partition, next_offset from ops.koff where cluster_id = $1", self.cluster
        )
        return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}

    async def taken_in(self, upto: Mapping[tuple[str, int], int]) -> bool:
        """Whether the inlet has committed everything before these offsets."""
        done = await self.committed()
        return all(done.get(lane, 0) >= offset for lane, offset in upto.items())

    async def queries_behind(self) -> int | None:
        """Payments that ksqlDB's slowest query has yet to read; None where its groups are not to be seen."""
        ends = await self.ends(transaction.TOPIC)
        partitions = [TopicPartition(*lane) for lane in ends]
        behind: list[int] = []
        try:
            async with admin_client(self.kafka) as admin:
                groups = [name for name, *_ in await admin.list_consumer_groups() if name.startswith(QUERY_GROUPS)]
                for group in groups:
                    found = await admin.list_consumer_group_offsets(group, partitions=partitions)
                    read = {tp: meta.offset for tp, meta in found.items() if meta.offset >= 0}
                    if read:
                        behind.append(sum(max(0, end - read.get(TopicPartition(*k), 0)) for k, end in ends.items()))
        except KafkaError:
            return None
        return max(behind, default=None)

    async def settle(self, within: float, tell: Callable[[str], None] = lambda text: None) -> bool:
        """Wait until every record is taken in, ksqlDB has read all payments and no rule row is on its way.

        False when ``within`` seconds pass without all of that.
        """
        clock = asyncio.get_running_loop().time
        deadline = clock() + within
        quiet_since, seen = clock(), await self.ends(*TOPICS)
        while clock() < deadline:
            behind = await self.queries_behind()
            ends = await self.ends(*TOPICS)
            if ends != seen or (behind or 0) > 0 or not await self.taken_in(ends):
                quiet_since, seen = clock(), ends
            elif clock() - quiet_since >= (_SILENT_S if behind is None else _QUIET_S):
                return True
            tell(f"rule rows {sum(end for lane, end in ends.items() if lane[0] == alert.TOPIC):,}")
            await asyncio.sleep(_POLL_S)
        return False

    async def report(self, since: Since, sent: int, elapsed: float, results: Results) -> Report:
        """What has become of ``sent`` payments since, over ``elapsed`` seconds; scores are for the caller to add."""
        rows = await count_rows(self.pool, since)
        refused = await dead_letters(self.pool, self.cluster, transaction.TOPIC, since)
        return Report(
            transactions=sent,
            rows=rows,
            lost=sent - rows - refused,
            duplicates=max(0, rows - len(results.outcomes)),
            dead_letters=refused,
            alerts=len(results.alerts),
            alerts_by_rule=results.alerts_by_rule,
            decisions=results.decisions,
            decisions_digest=results.digest,
            elapsed_s=round(elapsed, 2),
            rate_tx_s=round(rows / max(elapsed, 0.001), 1),
            latency_ms=await latencies(self.pool, since),
        )

    async def ready(self, tasks: Sequence[str], tell: Callable[[str], None] = lambda text: None) -> None:
        """Wait until the session's worker runs these tasks and its rules are deployed; raises ``NotReady``."""
        waiting = list(tasks)
        detail = ""
        try:
            async with asyncio.timeout(READY_WITHIN_S):
                while waiting:
                    rows = await self.pool.fetch(
                        "select task, state, detail ->> 'error' as error, pid from ops.worker_status"
                        " where updated_at > clock_timestamp() - interval '3 seconds'"
                    )
                    up = {r["task"] for r in rows if r["state"] in ("running", "idle", "waiting", "standby")}
                    mine = [r for r in rows if r["pid"] == self.supervisor.pid]
                    failing = [f"{r['task']}: {r['error']}" for r in mine if r["error"] and r["task"] not in up]
                    still = [task for task in tasks if task not in up]
                    if still != waiting or failing:
                        tell(f"waiting for {', '.join(still)}" if still else "the workers are up")
                    waiting, detail = still, "; ".join(failing)
                    await asyncio.sleep(_POLL_S)
        except TimeoutError:
            raise NotReady(
                f"{', '.join(waiting)} did not come up within {READY_WITHIN_S:.0f} s"
                + (f" ({detail})" if detail else "")
            ) from None


@asynccontextmanager
async def session(
    settings: Settings,
    tell: Callable[[Step], None],
    only: Sequence[str] = TASKS,
    topic_configs: Mapping[str, str] | None = None,
) -> AsyncIterator[Session]:
    """Services at hand and a worker process running; both end with the session, unless others hold the services."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))  # stdout is for the answer
    async with AsyncExitStack() as stack:
        services = await ensure_stack(settings, tell)
        stack.push_async_callback(services.close)
        addresses = services.addresses
        kafka = settings.cluster(addresses.kafka)
        pool = await connect(addresses.postgres)
        stack.push_async_callback(pool.close)
        log = EventLog(pool)
        stack.push_async_callback(log.close)
        await ensure_topics(kafka, dict.fromkeys(TOPICS, kafka.partitions), topic_configs)
        consumer = AIOKafkaConsumer(**kafka.options(), enable_auto_commit=False)
        await consumer.start()
        stack.push_async_callback(consumer.stop)
        environment = settings.environment_at(addresses.kafka, addresses.ksqldb, addresses.postgres)
        supervisor = await stack.enter_async_context(
            Supervisor(environment, settings.home / "logs" / "workers.log", only)
        )
        cluster = await cluster_id(kafka)
        yield Session(kafka, addresses.ksqldb, cluster, PatientReads(pool), log, supervisor, consumer)
