"""A worker process: its tasks, each restartable on its own, and a status row a second for each."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import structlog

from core.eventlog import EventLog, roles
from core.eventlog.connect import connected
from core.kafka.admin import ensure_topics
from core.kafka.connection import Kafka
from core.workers.clerk import Clerk
from core.workers.consume import Consumer
from core.workers.names import TASKS
from core.workers.producer import Producer
from core.workers.projector import Projector
from core.workers.rules import RuleKeeper
from core.workers.scenario import ScenarioWorker
from core.workers.sender import TOPICS
from core.workers.task import Task, keep_running, pause

STATUS_S = 1.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Services:
    """Where everything is: the Kafka cluster, ksqlDB's URL, PostgreSQL's address, the file that witnesses seals."""

    kafka: Kafka
    ksqldb: str
    postgres: str
    witness: Path


def worker_id() -> str:
    """A name unique among running workers."""
    return f"{socket.gethostname()}-{os.getpid()}"


async def connect(dsn: str) -> Any:
    """A pool on a migrated database. Raises ``LogUnreachable`` or ``MigrationError``."""
    async with connected(dsn):
        pass
    return await asyncpg.create_pool(
        dsn,
        min_size=1,
        max_size=12,
        init=roles.assuming(roles.WORKER),
        # A plan made while the tables were small scans them whole long after they have grown.
        server_settings={"plan_cache_mode": "force_custom_plan"},
    )


async def host(services: Services, only: Sequence[str], stop: asyncio.Event, http: str | None = None) -> None:
    """Run the tasks named until ``stop``; batches in hand are finished first. ``http``: HOST:PORT of its pages."""
    name = worker_id()
    pool = await connect(services.postgres)
    log = EventLog(pool)
    try:
        tasks = [_make(task, services, pool, log, name) for task in only]
        running = [asyncio.create_task(keep_running(task, stop)) for task in tasks]
        reporting = asyncio.create_task(_report(pool, name, tasks))
        if http is not None:
            running.append(asyncio.create_task(_publish(http, tasks, stop)))
        await asyncio.gather(*running)
        reporting.cancel()
        await asyncio.gather(reporting, return_exceptions=True)
        await _write(pool, name, tasks)
    finally:
        await log.close()
        await pool.close()


async def _publish(address: str, tasks: Sequence[Task], stop: asyncio.Event) -> None:
    from core.workers.http import publish  # a web server is loaded only where one is asked for

    try:
        await publish(address, tasks, stop)
    except BaseException:
        stop.set()
        raise


def _make(task: str, services: Services, pool: Any, log: EventLog, name: str) -> Task:
    kafka, dsn = services.kafka, services.postgres
    match task:
        case "producer":
            return Producer(kafka, pool, log, name)
        case "consumer":
            return Consumer(kafka, dsn, pool, log, name)
        case "scenario":
            return ScenarioWorker(kafka, pool, log, name)
        case "projector":
            return Projector(pool, log, services.witness)
        case "rules":
            return RuleKeeper(
                services.ksqldb, pool, log, name, partial(ensure_topics, kafka, dict.fromkeys(TOPICS, kafka.partitions))
            )
        case "clerk":
            return Clerk(pool, log)
    raise ValueError(f"there is no worker task {task!r}; there are {', '.join(TASKS)}")


async def _report(pool: Any, name: str, tasks: Sequence[Task]) -> None:
    never = asyncio.Event()
    while True:
        try:
            await _write(pool, name, tasks)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            _log.warning("the status could not be written", error=str(error))
        await pause(never, STATUS_S)


async def _write(pool: Any, name: str, tasks: Sequence[Task]) -> None:
    await pool.executemany(
        "insert into ops.worker_status (worker_id, task, state, detail, restarts, pid, host)"
        " values ($1, $2, $3, $4, $5, $6, $7) on conflict (worker_id, task) do update set state = excluded.state,"
        " detail = excluded.detail, restarts = excluded.restarts, updated_at = clock_timestamp()",
        [
            (
                name,
                task.name,
                task.status.state,
                msgspec.json.encode(task.status.detail).decode(),
                task.status.restarts,
                os.getpid(),
                socket.gethostname(),
            )
            for task in tasks
        ],
    )
