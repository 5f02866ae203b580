"""Producer, scenario worker and host against a real broker and PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer

from core.eventlog import EventLog, Meta
from core.kafka.admin import topics
from core.projections.runner import Runner
from core.scenarios import runs
from core.workers.producer import STREAM, Producer
from core.workers.scenario import ScenarioWorker
from core.workers.sender import Sender, payment
from core.workers.task import Status, Task, keep_running
from schema import label, transaction
from schema.events import ScenarioFailed, ScenarioRequested, ScenarioSent, TrafficRateSet
from schema.label import Label
from schema.transaction import Transaction
from tests.brokers import Broker
from tests.core.workers.test_consumer import pay, until

ACTOR = Meta(actor="test")


@asynccontextmanager
async def running(*tasks: Task) -> AsyncIterator[None]:
    stop = asyncio.Event()
    work = [asyncio.create_task(keep_running(task, stop)) for task in tasks]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*work)


async def records(broker: Broker, topic: str, enough: Callable[[Sequence[Any]], bool]) -> list[Any]:
    """Read a topic from its beginning until what was read is enough."""
    found: list[Any] = []
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=broker.address, auto_offset_reset="earliest")
    await consumer.start()
    try:
        async with asyncio.timeout(30):
            while not enough(found):
                for batch in (await consumer.getmany(timeout_ms=100)).values():
                    found += batch
    finally:
        await consumer.stop()
    return found


async def test_a_sender_keeps_order_and_says_where_it_wrote(broker: Broker) -> None:
    async with Sender(broker.kafka) as sender:
        assert await topics(broker.kafka) == {"transactions": 4, "fraud_alerts": 4, "transaction_labels": 4}
        first = await sender.send([payment(pay(n, account=f"a{n % 5}")) for n in range(500)])
        second = await sender.send([payment(pay(n, account=f"a{n % 5}")) for n in range(500, 600)])
    assert sum(offset + 1 for offset in first.values()) == 500
    assert sum(offset + 1 for offset in {**first, **second}.values()) == 600
    found = await records(broker, transaction.TOPIC, lambda read: len(read) >= 600)
    by_key: dict[bytes, list[int]] = {}
    for record in found:
        value = msgspec.json.decode(record.value, type=Transaction)
        assert record.timestamp == value.event_time
        by_key.setdefault(record.key, []).append(int(value.transaction_id[1:]))
    assert sorted(len(numbers) for numbers in by_key.values()) == [120] * 5
    assert all(numbers == sorted(numbers) for numbers in by_key.values())


async def test_traffic_follows_the_rate_that_operators_set(broker: Broker, pool: Any, log: EventLog) -> None:
    producer = Producer(broker.kafka, pool, log, "w1")
    async with running(producer):
        await log.append(STREAM, [TrafficRateSet(rate=200, operator="ana")], meta=ACTOR)
        found = await records(broker, transaction.TOPIC, lambda read: len(read) >= 100)
        await log.append(STREAM, [TrafficRateSet(rate=0, operator="ana")], meta=ACTOR)
        async with asyncio.timeout(20):
            while producer.status.state != "idle":
                await pool.execute("select pg_sleep(0.02)")
    values = [msgspec.json.decode(record.value, type=Transaction) for record in found]
    assert len({value.transaction_id for value in values}) == len(values)
    assert all(value.produced_at is not None and value.event_time <= value.produced_at for value in values)


async def test_a_run_is_claimed_once_sent_with_its_labels_and_scored(
    broker: Broker, pool: Any, log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.workers.scenario.PATIENCE_S", 0.5)
    folding = asyncio.create_task(Runner(pool, log).run())
    workers = [ScenarioWorker(broker.kafka, pool, log, name) for name in ("w1", "w2")]
    try:
        async with running(*workers):
            request = ScenarioRequested(run_id="r1", scenario="velocity_burst", seed=5, parameters={"victims": 2})
            await log.append("scenario-r1", [request], meta=ACTOR, expected_version=0)
            await until(pool, "select status from read.scenario_run where run_id = 'r1'", "scored")
    finally:
        folding.cancel()
        await asyncio.gather(folding, return_exceptions=True)
    told = await log.read_stream("scenario-r1")
    cause = f"event-{told[0].pos}"
    assert [recorded.meta.causation_id for recorded in told] == [None, cause, cause, cause]
    history = [recorded.event for recorded in told]
    kinds = [type(event).__name__ for event in history]
    assert kinds == ["ScenarioRequested", "ScenarioClaimed", "ScenarioSent", "ScenarioScored"]
    sent = history[2]
    assert isinstance(sent, ScenarioSent)
    assert (sent.transactions, sent.fraud_transactions, len(sent.expected)) == (12, 12, 2)
    (run,) = await runs.named(pool, ["r0", "r1"])
    assert run == (await runs.newest(pool, 5))[0]
    assert (run.expected, run.caught, run.missed, run.caught_by) == (2, 0, 2, {})  # no rule runs here
    assert (run.parameters, run.transactions) == ({"victims": 2}, 12)
    found = await records(broker, label.TOPIC, lambda read: len(read) >= 12)
    truths = [msgspec.json.decode(record.value, type=Label) for record in found]
    assert {(truth.scenario, truth.campaign_id, truth.is_fraud) for truth in truths} == {("velocity_burst", "r1", True)}


async def test_a_run_that_cannot_be_built_fails_with_its_reason(broker: Broker, pool: Any, log: EventLog) -> None:
    async with running(ScenarioWorker(broker.kafka, pool, log, "w1")):
        async with asyncio.timeout(20):
            while not await topics(broker.kafka):
                await pool.execute("select pg_sleep(0.02)")
        request = ScenarioRequested(run_id="r2", scenario="card_testing", seed=5, parameters={"cards": "many"})
        await log.append("scenario-r2", [request], meta=ACTOR, expected_version=0)
        async with asyncio.timeout(20):
            while len(history := await log.read_stream("scenario-r2")) < 3:
                await pool.execute("select pg_sleep(0.02)")
    failed = history[-1].event
    assert isinstance(failed, ScenarioFailed)
    assert "cards takes a whole number from 1 to 200, not 'many'" in failed.reason


class Flaky:
    """A task that fails twice before it runs."""

    name = "flaky"

    def __init__(self) -> None:
        self.status = Status()
        self.attempts = 0

    async def run(self, stop: asyncio.Event) -> None:
        self.attempts += 1
        if self.attempts < 3:
            raise RuntimeError(f"attempt {self.attempts}")
        stop.set()


async def test_a_task_that_fails_begins_anew_and_shows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.workers.task._BACKOFF_S", (0.0,))
    task = Flaky()
    await keep_running(task, asyncio.Event())
    assert (task.attempts, task.status.restarts, task.status.state) == (3, 2, "stopped")
    assert task.status.detail["error"] == "RuntimeError: attempt 2"
