"""A broker in trouble: errors of the protocol, lost answers, flipped bits. ``STREAMGUARD_CHAOS`` makes it long."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import Container
from typing import Any

import pytest

from core.workers.sender import Outgoing, Sender
from tests.brokers import Broker
from tests.chaos.faults import Consumer, account, tell
from tests.chaos.kafka_proxy import ANYWHERE, FAULTS, FETCH, PRODUCE, Fault, Way, Wrong, proxy, storm, well
from tests.chaos.worker import SlowHandler
from tests.core.kafka.intake import connect, inlet, pay, until

LONG = "STREAMGUARD_CHAOS" in os.environ
RECORDS, AT_ONCE = 20_000 if LONG else 1_000, 40

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("chaos")]


def payments(first: int, count: int) -> list[Outgoing]:
    return [Outgoing("transactions", b"acc-%d" % (n % 37), pay(n, n), 0) for n in range(first, first + count)]


def each_time(fault: Fault, apis: Container[int]) -> Wrong:
    """Every request of these kinds meets the fault."""
    return lambda api: fault if api in apis else None


async def test_nothing_is_lost_or_doubled_in_a_storm_of_errors(
    broker: Broker, postgres_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Producer and consumers meet errors, cut connections, lost answers and flipped bits, drawn by a seed."""
    conn = await connect(postgres_dsn)
    pauses = [0.0]
    async with proxy(broker.address) as troubled:
        troubled.wrong = storm(random.Random(5), 0.15)
        inlets = [inlet(troubled.kafka, postgres_dsn, f"w{n}", SlowHandler()) for n in range(2)]
        running = [asyncio.create_task(made.run()) for made in inlets]
        async with Sender(troubled.kafka) as sender:
            for first in range(0, RECORDS, AT_ONCE):
                await sender.send(payments(first, AT_ONCE))
                began = time.monotonic()
                await until(conn, "select count(*) > $1 from taken", first - AT_ONCE)
                pauses.append(time.monotonic() - began)
        await until(conn, "select count(*) >= $1 from taken", RECORDS)
        for made in inlets:
            made.stop()
        await asyncio.gather(*running)
    assert troubled.met, "there was no storm"
    outcome = await account(conn, RECORDS)
    await conn.close()
    met = ", ".join(f"{name} {count}" for name, count in sorted(troubled.met.items()))
    tell(capsys, f"a storm of broker errors ({met})", outcome, sum(made.status.fenced for made in inlets), pauses)


async def test_every_error_of_a_broker_is_survived(
    broker: Broker, postgres_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each alone, for as long as it takes to meet it twice; then the broker is well, and what was sent arrives."""
    conn = await connect(postgres_dsn)
    recoveries = []
    async with proxy(broker.address) as troubled:
        made = inlet(troubled.kafka, postgres_dsn, "w", SlowHandler())
        running = asyncio.create_task(made.run())
        async with Sender(troubled.kafka) as sender:
            sent = AT_ONCE
            await sender.send(payments(0, AT_ONCE))
            await until(conn, "select count(*) = $1 from taken", AT_ONCE)
            cases = [(api, fault) for api in (PRODUCE, FETCH) for fault in (*FAULTS[api], *ANYWHERE)]
            for api, fault in cases:
                troubled.met.clear()
                troubled.wrong = each_time(fault, [api])
                sending: asyncio.Task[Any] | None = None
                while troubled.met[fault.name] < 2:
                    assert not running.done(), f"{fault.name}: the inlet has ended"
                    if sending is None or sending.done():  # a fetch that was under way may have taken it all unharmed
                        sending = asyncio.create_task(sender.send(payments(sent, AT_ONCE)))
                        sent += AT_ONCE
                    await conn.execute("select pg_sleep(0.02)")
                troubled.wrong = well
                began = time.monotonic()
                if sending is not None:
                    await sending
                await until(conn, "select count(*) = $1 from taken", sent)
                recoveries.append(time.monotonic() - began)
        made.stop()
        await running
    outcome = await account(conn, sent)
    await conn.close()
    tell(capsys, f"{len(cases)} kinds of broker errors", outcome, made.status.fenced, recoveries)


@pytest.mark.skipif(not LONG, reason="takes the patience of the watchdog: make chaos")
async def test_a_broker_that_falls_silent_is_told_and_another_worker_goes_on(
    broker: Broker, postgres_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One worker gets no answer any more; its lease runs out, and the other, whose line is good, goes on."""
    conn = await connect(postgres_dsn)
    async with proxy(broker.address) as troubled, Sender(broker.kafka) as sender:
        deaf = inlet(troubled.kafka, postgres_dsn, "deaf", SlowHandler())
        running = asyncio.create_task(deaf.run())
        await sender.send(payments(0, AT_ONCE))
        await until(conn, "select count(*) = $1 from taken", AT_ONCE)
        troubled.wrong = each_time(Fault(Way.SILENT), FAULTS)
        while not troubled.met:
            await conn.execute("select pg_sleep(0.02)")
        began = time.monotonic()
        other = Consumer(postgres_dsn, broker.address, "other")
        await sender.send(payments(AT_ONCE, AT_ONCE))
        await until(conn, "select count(*) = $1 from taken", 2 * AT_ONCE)
        taken_over = time.monotonic() - began
        while deaf.status.last_error is None:
            await conn.execute("select pg_sleep(0.02)")
        assert "does not answer" in deaf.status.last_error
        troubled.wrong = well
        await until(conn, "select exists (select from ops.koff where owner = 'deaf')")
        deaf.stop()
        await running
    other.end(signal.SIGTERM)
    outcome = await account(conn, 2 * AT_ONCE)
    await conn.close()
    tell(capsys, "a silent broker", outcome, deaf.status.fenced, [taken_over])
