"""Labels that become known while payments are decided: live and read again they count from the same boundary."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from core.kafka.connection import cluster_id
from core.kafka.inlet import Inlet
from core.workers.barrier import Barrier
from core.workers.consumer import ConsumerHandler
from core.workers.decode import TOPICS
from core.workers.feedback import Feedback
from core.workers.sender import Outgoing, Sender, ground_truth, payment
from schema import transaction
from schema.label import Label
from schema.transaction import Transaction
from tests.brokers import Broker
from tests.core.workers.test_consumer import RULES, consuming, until
from tests.core.workers.test_digest import digest, fresh, killed

START = 1_750_032_000_000
SECOND = 1000
PAYMENTS, A_SECOND = 600, 6
CHUNK_MS = 5 * SECOND
SHOPS = 12


def traffic() -> list[Outgoing]:
    """Payments of 100 s at shops that turn bad and good again, each with a label that is published seconds later."""
    draw = random.Random(11)
    records = []
    for number in range(PAYMENTS):
        time = START + number * SECOND // A_SECOND
        shop = draw.randrange(SHOPS)
        bad = draw.random() < (0.8 if (time - START) // (30 * SECOND) % 2 == shop % 2 else 0.05)
        tx = Transaction(
            transaction_id=f"t{number}",
            account_id=f"a{draw.randrange(400)}",
            amount=Decimal(draw.randrange(2_000, 9_000)) / 100,
            event_time=time,
            produced_at=time + draw.randrange(40),
            channel="CREDIT",
            merchant_id=f"shop-{shop}",
        )
        published = time + draw.randrange(4 * SECOND, 30 * SECOND)
        known_at = published - draw.choice((1, 700, 3 * SECOND, -9 * SECOND))
        truth = Label(transaction_id=tx.transaction_id, account_id=tx.account_id, is_fraud=bad, known_at=known_at)
        records += [payment(tx), ground_truth(truth, published)]
    return sorted(records, key=lambda record: record.timestamp)


async def taken_in(pool: Any) -> None:
    await until(
        pool, "select (select count(*) from read.payment) + (select count(*) from detection.label)", 2 * PAYMENTS
    )


async def decide_live(broker: Broker, dsn: str, pool: Any, log: Any, records: Sequence[Outgoing]) -> str:
    """A chunk of seconds is sent when all before it was decided; boundaries lie inside chunks."""
    async with consuming(broker, dsn, pool, log), Sender(broker.kafka) as sender:
        sent = 0
        while sent < len(records):
            first = records[sent].timestamp
            chunk = [r for r in records[sent:] if r.timestamp < first + CHUNK_MS]
            await sender.send(chunk)
            sent += len(chunk)
            taken = "select coalesce(sum(next_offset), 0)::int from ops.koff"
            await until(pool, taken, sent)
        await taken_in(pool)
        return await digest(log)


async def share_with(worker: str, broker: Broker, pool: Any) -> None:
    """Half of the partitions are kept for a worker that need not be there."""
    member = "insert into ops.inlet_member (cluster_id, worker_id, seen_until) values ($1, $2, 'infinity')"
    await pool.execute(member, await cluster_id(broker.kafka), worker)


async def test_a_label_counts_from_the_same_boundary_whoever_reads_and_whenever(
    broker: Broker, postgres_server: Path, postgres_template: str
) -> None:
    records = traffic()
    async with fresh(postgres_server, postgres_template) as (dsn, pool, log):
        live = await decide_live(broker, dsn, pool, log, records)
        assert await pool.fetchval("select count(distinct frozen) from detection.suspect") > 10
        assert 50 < await pool.fetchval("select count(*) from read.payment where decision = 'review'") < PAYMENTS / 2
        alone = await pool.fetchval("select count(*) from detection.label where partition < 2")
    # One reader that dies twice on the way.
    async with fresh(postgres_server, postgres_template) as (dsn, pool, log):
        for kill in (1, 2):
            await killed(broker, dsn, pool, f"k{kill}", kill * PAYMENTS // 3)
        async with consuming(broker, dsn, pool, log):
            await taken_in(pool)
            assert await digest(log) == live
    # Two readers, of whom the second comes when the first has gone as far as it may alone.
    async with fresh(postgres_server, postgres_template) as (dsn, pool, log):
        await share_with("w2", broker, pool)
        async with consuming(broker, dsn, pool, log):
            await until(pool, "select count(*) from detection.label", alone)
            async with consuming(broker, dsn, pool, log, "w2"):
                await taken_in(pool)
                assert await digest(log) == live


async def test_labels_that_nobody_reads_are_waited_for_only_so_long(
    broker: Broker, postgres_dsn: str, pool: Any
) -> None:
    async with Sender(broker.kafka) as sender:
        ends = await sender.send(traffic()[:400])
    await share_with("w2", broker, pool)
    feedback = Feedback(pool)
    gate = Barrier(broker.kafka, pool, feedback, patience_s=0.2)
    handler = ConsumerHandler(RULES, feedback)
    inlet = Inlet(kafka=broker.kafka, dsn=postgres_dsn, topics=TOPICS, handler=handler, worker_id="w1", gate=gate)
    running = asyncio.create_task(inlet.run())
    own = sum(last + 1 for (topic, partition), last in ends.items() if topic == transaction.TOPIC and partition < 2)
    await until(pool, "select count(*) from read.payment", own)
    assert gate.incomplete > 0
    inlet.stop()
    await running
    await gate.close()
