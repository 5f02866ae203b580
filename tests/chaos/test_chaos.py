"""Nothing lost, nothing doubled, whatever breaks and whenever. ``STREAMGUARD_CHAOS=N`` sets the number of kills (6)."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from core.kafka.admin import ensure_topics
from core.kafka.connection import Kafka
from core.stack import postgres
from tests.brokers import Broker
from tests.chaos.faults import Consumer, account, server, tell, wire
from tests.chaos.worker import SlowHandler
from tests.core.kafka.intake import TOPICS, connect, inlet, pay, send, until

KILLS = int(os.environ.get("STREAMGUARD_CHAOS", "6"))

pytestmark = [pytest.mark.timeout(240 + 10 * KILLS), pytest.mark.xdist_group("chaos")]


async def prepare(kafka: Kafka, produced: int) -> None:
    await ensure_topics(kafka, dict.fromkeys(TOPICS, 4))
    await send(kafka, (pay(number, number) for number in range(produced)))


async def recovery(conn: Any, produced: int) -> float:
    """Seconds until the next record is taken in, where there is one."""
    reached, began = await conn.fetchval("select count(*) from taken"), time.monotonic()
    await until(conn, "select count(*) >= least($1::bigint + 1, $2) from taken", reached, produced)
    return time.monotonic() - began


async def test_consumers_killed_at_random_moments(
    broker: Broker, postgres_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    dice = random.Random(KILLS)
    conn = await connect(postgres_dsn)
    produced = 2_000 + 500 * KILLS
    await prepare(broker.kafka, produced)
    names = (f"w{number}" for number in range(10**6))
    consumers = [Consumer(postgres_dsn, broker.address, next(names)) for _ in range(2)]
    recoveries = []
    for kill in range(KILLS):
        mark = (kill + dice.random()) * produced / (KILLS + 1)
        await until(conn, "select count(*) >= $1 from taken", int(mark))
        victim = dice.randrange(2)
        consumers[victim].end(signal.SIGKILL)
        consumers[victim] = Consumer(postgres_dsn, broker.address, next(names))
        recoveries.append(await recovery(conn, produced))
    await until(conn, "select count(*) >= $1 from taken", produced)
    for consumer in consumers:  # the youngest may still be starting, and a signal would just end it
        await until(conn, "select exists (select from ops.inlet_member where worker_id = $1)", consumer.name)
        consumer.end(signal.SIGTERM)
    report = await account(conn, produced)
    await conn.close()
    fenced = sum(consumer.report["fenced"] for consumer in consumers)
    tell(capsys, f"{KILLS} kills", report, fenced, recoveries)


async def test_a_paused_consumer_is_passed_over_and_cannot_come_back(
    broker: Broker, postgres_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """SIGSTOP inside its transaction, holding its rows' locks; after SIGCONT what it had in hand must not count."""
    conn = await connect(postgres_dsn)
    await prepare(broker.kafka, 1_500)
    zombie = Consumer(postgres_dsn, broker.address, "zombie")
    await until(conn, "select count(*) > 100 from taken")
    inside = (
        "select exists (select from pg_stat_activity where application_name = 'streamguard inlet zombie'"
        " and query like '%pg_sleep%' and state = 'active')"
    )
    await until(conn, inside)
    zombie.send(signal.SIGSTOP)
    began = time.monotonic()
    heir = Consumer(postgres_dsn, broker.address, "heir")
    await until(conn, "select count(distinct partition) = 4 from ops.koff where owner = 'heir'")
    taken_over = time.monotonic() - began
    await until(conn, "select count(*) >= 1500 from taken")
    zombie.send(signal.SIGCONT)
    await until(conn, "select exists (select from ops.koff where owner = 'zombie')")  # it has a share again, lawfully
    for consumer in (zombie, heir):
        consumer.end(signal.SIGTERM)
    report = await account(conn, 1_500)
    await conn.close()
    # Not fenced means that its session was ended before it could try.
    tell(capsys, "a zombie", report, zombie.report["fenced"], [taken_over])


async def test_the_broker_is_killed_and_comes_back(
    broker: Broker, postgres_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    recoveries = []
    conn = await connect(postgres_dsn)
    await prepare(broker.kafka, 500)
    consumer = Consumer(postgres_dsn, broker.address, "w")
    for sent in (500, 1_000):
        await until(conn, "select count(*) >= $1 from taken", sent - 300)
        broker.kill()
        broker.start()
        began = time.monotonic()
        await send(broker.kafka, (pay(number, number) for number in range(sent, sent + 500)))
        await until(conn, "select count(*) > $1 from taken", sent)
        recoveries.append(time.monotonic() - began)
    await until(conn, "select count(*) >= 1500 from taken")
    consumer.end(signal.SIGTERM)
    tell(capsys, "the broker killed twice", await account(conn, 1_500), consumer.report["fenced"], recoveries)
    await conn.close()


async def test_the_database_crashes_and_recovers(broker: Broker, capsys: pytest.CaptureFixture[str]) -> None:
    recoveries = []
    with server() as database:
        dsn = await database.make_database()
        conn = await connect(dsn)
        await prepare(broker.kafka, 1_500)
        consumer = Consumer(dsn, broker.address, "w")
        for mark in (200, 800):
            await until(conn, "select count(*) >= $1 from taken", mark)
            await database.crash()
            conn = await connect(dsn)
            recoveries.append(await recovery(conn, 1_500))
        await until(conn, "select count(*) >= 1500 from taken")
        consumer.end(signal.SIGTERM)
        tell(capsys, "the database crashed twice", await account(conn, 1_500), consumer.report["fenced"], recoveries)
        await conn.close()


async def test_the_wire_to_the_database_is_cut_and_stalls(
    broker: Broker, postgres_server: Path, postgres_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    recoveries = []
    conn = await connect(postgres_dsn)
    await prepare(broker.kafka, 2_000)
    name = postgres_dsn.split("@/")[1].split("?")[0]
    async with wire(postgres_server) as line:
        made = inlet(broker.kafka, postgres.dsn(line.folder, name), "w", SlowHandler(), max_records=100)
        running: asyncio.Task[Any] = asyncio.create_task(made.run())
        for mark in (150, 600, 1_100):
            await until(conn, "select count(*) >= $1 from taken", mark)
            line.cut()
            recoveries.append(await recovery(conn, 2_000))
        await until(conn, "select count(*) >= 1400 from taken")
        line.stall()
        began = time.monotonic()
        # Its lease runs out while nothing comes through; another worker takes the rest, its own words come too late.
        other = Consumer(postgres_dsn, broker.address, "other")
        await until(conn, "select count(distinct partition) = 4 from ops.koff where owner = 'other'")
        recoveries.append(time.monotonic() - began)
        await until(conn, "select count(*) >= 2000 from taken")
        line.flow()
        made.stop()
        await running
    other.end(signal.SIGTERM)
    fenced = made.status.fenced + other.report["fenced"]
    tell(capsys, "a wire cut and stalled", await account(conn, 2_000), fenced, recoveries)
    await conn.close()
