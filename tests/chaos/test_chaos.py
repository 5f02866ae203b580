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
from tests.chaos.faults import Consumer, account, server, wire
from tests.chaos.worker import SlowHandler
from tests.core.kafka.intake import TOPICS, connect, inlet, pay, send, until

KILLS = int(os.environ.get("STREAMGUARD_CHAOS", "6"))

pytestmark = [pytest.mark.timeout(240 + 10 * KILLS), pytest.mark.xdist_group("chaos")]


async def prepare(kafka: Kafka, produced: int) -> None:
    await ensure_topics(kafka, dict.fromkeys(TOPICS, 4))
    await send(kafka, (pay(number, number) for number in range(produced)))


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
        reached, began = await conn.fetchval("select count(*) from taken"), time.monotonic()
        consumers[victim] = Consumer(postgres_dsn, broker.address, next(names))
        await until(conn, "select count(*) >= least($1::bigint + 1, $2) from taken", reached, produced)
        recoveries.append(time.monotonic() - began)
    await until(conn, "select count(*) >= $1 from taken", produced)
    for consumer in consumers:  # the youngest may still be starting, and a signal would just end it
        await until(conn, "select exists (select from ops.inlet_member where worker_id = $1)", consumer.name)
        consumer.end(signal.SIGTERM)
    report = await account(conn, produced)
    await conn.close()
    with capsys.disabled():
        fenced = sum(consumer.report["fenced"] for consumer in consumers)
        print(f"\n{KILLS} kills: {report}, fenced {fenced}, longest pause {max(recoveries):.1f} s")


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
    heir = Consumer(postgres_dsn, broker.address, "heir")
    await until(conn, "select count(distinct partition) = 4 from ops.koff where owner = 'heir'")
    await until(conn, "select count(*) >= 1500 from taken")
    zombie.send(signal.SIGCONT)
    await until(conn, "select exists (select from ops.koff where owner = 'zombie')")  # it has a share again, lawfully
    for consumer in (zombie, heir):
        consumer.end(signal.SIGTERM)
    report = await account(conn, 1_500)
    await conn.close()
    with capsys.disabled():
        print(f"\na zombie: {report}, fenced {zombie.report['fenced']} (0: its session was ended before)")


async def test_the_broker_is_killed_and_comes_back(broker: Broker, postgres_dsn: str) -> None:
    conn = await connect(postgres_dsn)
    await prepare(broker.kafka, 1_500)
    consumer = Consumer(postgres_dsn, broker.address, "w")
    for mark in (200, 800):
        await until(conn, "select count(*) >= $1 from taken", mark)
        broker.kill()
        broker.start()
    await until(conn, "select count(*) >= 1500 from taken")
    consumer.end(signal.SIGTERM)
    await account(conn, 1_500)
    await conn.close()


async def test_the_database_crashes_and_recovers(broker: Broker) -> None:
    with server() as database:
        dsn = await database.make_database()
        conn = await connect(dsn)
        await prepare(broker.kafka, 1_500)
        consumer = Consumer(dsn, broker.address, "w")
        for mark in (200, 800):
            await until(conn, "select count(*) >= $1 from taken", mark)
            await database.crash()
            conn = await connect(dsn)
        await until(conn, "select count(*) >= 1500 from taken")
        consumer.end(signal.SIGTERM)
        await account(conn, 1_500)
        await conn.close()


async def test_the_wire_to_the_database_is_cut_and_stalls(
    broker: Broker, postgres_server: Path, postgres_dsn: str
) -> None:
    conn = await connect(postgres_dsn)
    await prepare(broker.kafka, 2_000)
    name = postgres_dsn.split("@/")[1].split("?")[0]
    async with wire(postgres_server) as line:
        made = inlet(broker.kafka, postgres.dsn(line.folder, name), "w", SlowHandler(), max_records=100)
        running: asyncio.Task[Any] = asyncio.create_task(made.run())
        for mark in (150, 600, 1_100):
            await until(conn, "select count(*) >= $1 from taken", mark)
            line.cut()
        await until(conn, "select count(*) >= 1400 from taken")
        line.stall()
        # Its lease runs out while nothing comes through; another worker takes the rest, its own words come too late.
        other = Consumer(postgres_dsn, broker.address, "other")
        await until(conn, "select count(distinct partition) = 4 from ops.koff where owner = 'other'")
        await until(conn, "select count(*) >= 2000 from taken")
        line.flow()
        made.stop()
        await running
    other.end(signal.SIGTERM)
    await account(conn, 2_000)
    await conn.close()
