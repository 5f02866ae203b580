"""The same topics give the same decisions: live in small pieces, and read again at full speed.

No label becomes known while these payments happen; ``test_boundaries`` has those that do.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from core.detection.digest import decisions_digest
from core.eventlog import EventLog
from core.kafka.inlet import Inlet
from core.rules.world import START, World, as_known, build
from core.workers.barrier import Barrier
from core.workers.consumer import ConsumerHandler
from core.workers.decode import TOPICS
from core.workers.feedback import Feedback
from core.workers.sender import Sender, ground_truth, payment
from ksqldb import rulebook
from schema import alert, label
from schema.events import PaymentDecided
from tests import database
from tests.brokers import Broker
from tests.core.workers.test_consumer import RULES, consuming, send, until

SCENARIOS = ("velocity_burst", "card_testing", "leaked_card", "high_amount", "account_takeover")


def world() -> World:
    """The campaigns and the honest payments of their last days; every payment was sent when it happened."""
    made = build(4, SCENARIOS, 1)
    frauds = {p.transaction.transaction_id for c in made.campaigns.values() for p in c.payments}
    kept = [pair for pair in made.payments if pair[0].transaction_id in frauds]
    before = [pair for pair in made.payments if pair[0].event_time < START]
    kept += [pair for pair in before if pair[0].transaction_id not in frauds][-150:]
    sent = [(msgspec.structs.replace(tx, produced_at=tx.event_time), truth) for tx, truth in kept]
    return made._replace(payments=sorted(sent, key=lambda pair: pair[0].event_time))


async def digest(log: EventLog) -> str:
    decided: dict[str, PaymentDecided] = {}
    for recorded in await log.read(1, 100_000, types=["PaymentDecided"]):
        assert isinstance(recorded.event, PaymentDecided)
        decided[recorded.event.transaction_id] = recorded.event
    return decisions_digest((e.transaction_id, e.decision, e.score, e.signals) for e in decided.values())


async def settled(pool: Any, payments: int, rows: int) -> None:
    """Everything of the topics was taken in."""
    await until(pool, "select count(*) from read.payment", payments)
    taken = "select coalesce(sum(next_offset), 0)::int from ops.koff where topic = 'fraud_alerts'"
    await until(pool, taken, rows)


async def test_what_was_decided_live_is_decided_again_from_the_recorded_topics(
    broker: Broker, postgres_server: Path, postgres_template: str
) -> None:
    await compare(broker, postgres_server, postgres_template, kills=0)


async def compare(broker: Broker, postgres_server: Path, postgres_template: str, kills: int) -> None:
    """Decide live, then from the recorded topics with so many workers killed on the way; the digests must be equal."""
    made = world()
    book = rulebook.load()
    rows = [
        alert.decode(raw)
        for rule in book.defaults()
        for raw in rulebook.rows_of(rule, book, (known.sent for known in as_known(made)))
    ]
    labels = [p.label for c in made.campaigns.values() for p in c.payments]
    payments = [tx for tx, _ in made.payments]
    assert len(rows) > 10
    # Labels are there before what they teach about, as the replay sees to; rows come whenever they come.
    known = len({item.transaction_id for item in labels})
    async with fresh(postgres_server, postgres_template) as (dsn, pool, log):
        async with Sender(broker.kafka) as sender:
            await sender.send([ground_truth(item) for item in labels])
            await take_labels(broker, dsn, pool, known)
            async with consuming(broker, dsn, pool, log):
                for start in range(0, len(payments), 40):
                    await sender.send([payment(tx) for tx in payments[start : start + 40]])
                    await until(pool, "select count(*) from read.payment", min(start + 40, len(payments)))
                    await send(broker, alert.TOPIC, rows[start // 40 :: 11])
                await send(broker, alert.TOPIC, rows)
                written = await rows_written(broker)
                await settled(pool, len(payments), written)
                live = await digest(log)
        assert await pool.fetchval("select count(*) from read.payment where decision <> 'approve'") > 20
    assert await again(broker, postgres_server, postgres_template, len(payments), known, written, kills) == live


async def again(broker: Broker, server: Path, template: str, payments: int, labels: int, rows: int, kills: int) -> str:
    """The recorded topics read from their beginning into an empty database, by workers that die on the way."""
    async with fresh(server, template) as (dsn, pool, log):
        await take_labels(broker, dsn, pool, labels)
        for kill in range(kills):
            await killed(broker, dsn, pool, f"k{kill}", (kill + 1) * payments // (kills + 2))
        async with consuming(broker, dsn, pool, log):
            await settled(pool, payments, rows)
            return await digest(log)


@asynccontextmanager
async def fresh(server: Path, template: str) -> AsyncIterator[tuple[str, Any, EventLog]]:
    """An empty database of its own."""
    dsn = await database.make_database(server, template)
    pool = await asyncpg.create_pool(dsn, min_size=1, max_size=8)
    log = EventLog(pool)
    try:
        yield dsn, pool, log
        await log.close()
    finally:
        pool.terminate()  # a killed worker gives no connection back


async def take_labels(broker: Broker, dsn: str, pool: Any, labels: int) -> None:
    handler = ConsumerHandler(RULES, Feedback(pool))
    only = {label.TOPIC: TOPICS[label.TOPIC]}
    inlet = Inlet(kafka=broker.kafka, dsn=dsn, topics=only, handler=handler, worker_id="labels")
    running = asyncio.create_task(inlet.run())
    await until(pool, "select count(*) from detection.label", labels)
    inlet.stop()
    await running


async def killed(broker: Broker, dsn: str, pool: Any, worker: str, after: int) -> None:
    """Consume until so many payments are in, then vanish in the middle of whatever it is."""
    feedback = Feedback(pool)
    gate = Barrier(broker.kafka, pool, feedback)
    inlet = Inlet(
        kafka=broker.kafka,
        dsn=dsn,
        topics=TOPICS,
        handler=ConsumerHandler(RULES, feedback),
        worker_id=worker,
        max_records=60,
        gate=gate,
    )
    running = asyncio.create_task(inlet.run())
    async with asyncio.timeout(30):
        while await pool.fetchval("select count(*) from read.payment") < after:
            await pool.execute("select pg_sleep(0.005)")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await gate.close()


async def rows_written(broker: Broker) -> int:
    consumer = AIOKafkaConsumer(bootstrap_servers=broker.address)
    await consumer.start()
    try:
        lanes = [TopicPartition(alert.TOPIC, partition) for partition in range(4)]
        return sum((await consumer.end_offsets(lanes)).values())
    finally:
        await consumer.stop()
