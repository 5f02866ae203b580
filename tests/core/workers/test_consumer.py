from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import msgspec
from aiokafka import AIOKafkaProducer

from core.detection.state import RulePolicy
from core.eventlog import EventLog, Meta
from core.kafka.inlet import Inlet
from core.workers.barrier import Barrier
from core.workers.consumer import ConsumerHandler
from core.workers.decode import TOPICS
from core.workers.feedback import Feedback
from schema import alert, label, transaction
from schema.alert import RuleAlert
from schema.events import AccountBlocked, AlertExtended, AlertRaised, PaymentDecided
from schema.label import Label
from schema.transaction import Transaction
from tests.brokers import Broker

RULES = {
    "high_amount": RulePolicy(450, "amount above R$ 3,000"),
    "high_velocity": RulePolicy(500, "more than 3 a minute"),
}
T0 = 1_700_000_000_000
_ENCODER = msgspec.json.Encoder(decimal_format="number")


def pay(number: int, account: str = "a1", amount: str = "10.00", time: int | None = None, **fields: Any) -> Transaction:
    return Transaction(
        transaction_id=f"t{number}",
        account_id=account,
        amount=Decimal(amount),
        event_time=T0 + number * 1000 if time is None else time,
        **fields,
    )


async def send(broker: Broker, topic: str, values: Iterable[Any]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=broker.address)
    await producer.start()
    try:
        for value in values:
            await producer.send(topic, _ENCODER.encode(value), key=value.account_id.encode())
        await producer.flush()
    finally:
        await producer.stop()


@asynccontextmanager
async def consuming(
    broker: Broker, dsn: str, pool: Any, log: EventLog, worker: str = "w1"
) -> AsyncIterator[ConsumerHandler]:
    feedback = Feedback(pool)
    following = asyncio.create_task(feedback.follow(log, await feedback.load(log)))
    handler = ConsumerHandler(RULES, feedback)
    gate = Barrier(broker.kafka, pool, feedback)
    inlet = Inlet(kafka=broker.kafka, dsn=dsn, topics=TOPICS, handler=handler, worker_id=worker, gate=gate)
    running = asyncio.create_task(inlet.run())
    try:
        yield handler
    finally:
        inlet.stop()
        await running
        await gate.close()
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def until(pool: Any, query: str, expected: Any, *arguments: Any) -> None:
    """Wait until a query gives the value."""
    async with asyncio.timeout(60):
        while await pool.fetchval(query, *arguments) != expected:
            await pool.execute("select pg_sleep(0.02)")


async def test_payments_become_rows_and_decisions_once(
    broker: Broker, postgres_dsn: str, pool: Any, log: EventLog
) -> None:
    payments = [pay(n, account=f"a{n % 7}") for n in range(200)]
    async with consuming(broker, postgres_dsn, pool, log):
        await send(broker, transaction.TOPIC, payments)
        await until(pool, "select count(*) from read.payment", 200)
        await send(broker, transaction.TOPIC, [*payments[:50], pay(900)])
        await until(pool, "select count(*) from read.payment", 201)
    events = await log.read(1, 1000, types=["PaymentDecided"])
    assert len({event.event.transaction_id for event in events}) == len(events) == 201  # type: ignore[attr-defined]
    assert await pool.fetchval("select count(*) from ops.dead_letter") == 0
    assert await pool.fetchval("select sum(payments) from read.throughput_second") == 201


async def test_a_rule_row_revises_the_decision_and_raises_one_alert(
    broker: Broker, postgres_dsn: str, pool: Any, log: EventLog
) -> None:
    row = RuleAlert(
        rule_id="high_amount", account_id="a1", transaction_id="t1", amount=Decimal("5000"), event_time=T0 + 1000
    )
    async with consuming(broker, postgres_dsn, pool, log):
        await send(broker, transaction.TOPIC, [pay(1, amount="5000.00")])
        await until(pool, "select decision from read.payment where transaction_id = 't1'", "approve")
        await send(broker, alert.TOPIC, [row, row])
        await until(pool, "select decision from read.payment where transaction_id = 't1'", "review")
    alerts = await log.read(1, 1000, types=["AlertRaised", "AlertExtended"])
    assert len(alerts) == 1
    raised = alerts[0].event
    assert isinstance(raised, AlertRaised)
    assert (raised.rule_id, raised.amount, raised.transactions, raised.score) == ("high_amount", 500_000, ("t1",), 450)
    decided = [event.event for event in await log.read(1, 1000, types=["PaymentDecided"])]
    assert [(d.revision, d.decision) for d in decided if isinstance(d, PaymentDecided)] == [
        (0, "approve"),
        (1, "review"),
    ]
    counted = await pool.fetchrow("select sum(payments), sum(approve), sum(review) from read.throughput_second")
    assert tuple(counted) == (1, 0, 1)  # a payment whose decision changed counts once, as what it is now


async def test_a_worker_that_comes_back_remembers(broker: Broker, postgres_dsn: str, pool: Any, log: EventLog) -> None:
    rows = [
        RuleAlert(
            rule_id="high_velocity",
            account_id="a1",
            transaction_id=f"t{n}",
            txn_count=n + 1,
            window_start=T0 - 20_000,
            window_end=T0 + 40_000,
            event_time=T0 + n * 1000,
        )
        for n in (3, 4)
    ]
    async with consuming(broker, postgres_dsn, pool, log):
        await send(broker, transaction.TOPIC, [pay(n) for n in range(4)])
        await send(broker, alert.TOPIC, rows[:1])
        await until(pool, "select count(*) from read.payment where decision = 'review'", 4)
    async with consuming(broker, postgres_dsn, pool, log):
        await send(broker, transaction.TOPIC, [pay(4)])
        await send(broker, alert.TOPIC, rows[1:])
        await until(pool, "select count(*) from read.payment where decision = 'review'", 5)
    incidents = [event.event for event in await log.read(1, 1000, types=["AlertRaised", "AlertExtended"])]
    assert len({incident.alert_id for incident in incidents}) == 1  # type: ignore[attr-defined]
    last = incidents[-1]
    assert isinstance(last, AlertExtended)
    assert last.transactions == ("t0", "t1", "t2", "t3", "t4")
    assert last.txn_count == 5


async def test_a_blocked_account_is_blocked_from_then_on(
    broker: Broker, postgres_dsn: str, pool: Any, log: EventLog
) -> None:
    async with consuming(broker, postgres_dsn, pool, log):
        await log.append("account-a1", [AccountBlocked(account_id="a1", reason="stolen")], meta=Meta(actor="test"))
        later = 4_000_000_000_000
        numbers = iter(range(1000, 2000))
        async with asyncio.timeout(20):
            while not await pool.fetchval("select count(*) from read.payment where decision = 'block'"):
                await send(broker, transaction.TOPIC, [pay(next(numbers), time=later)])
                await pool.execute("select pg_sleep(0.02)")
    assert await pool.fetchval("select count(*) from log.event where type = 'AlertRaised'") == 1


async def test_labels_teach_the_merchant_list_after_their_time(
    broker: Broker, postgres_dsn: str, pool: Any, log: EventLog
) -> None:
    day = 86_400_000
    labels = [
        Label(transaction_id=f"t{n}", account_id="a1", is_fraud=n > 0, known_at=T0 + 7 * day + n) for n in range(3)
    ]
    async with consuming(broker, postgres_dsn, pool, log):
        await send(broker, transaction.TOPIC, [pay(n, merchant_id="m1") for n in range(3)])
        await until(pool, "select count(*) from read.payment", 3)
        await send(broker, label.TOPIC, labels)
        await until(pool, "select count(*) from detection.label", 3)
        await send(broker, transaction.TOPIC, [pay(10, merchant_id="m1", time=T0 + 7 * day - 6 * 3_600_000)])
        await until(pool, "select decision from read.payment where transaction_id = 't10'", "approve")
        await send(broker, transaction.TOPIC, [pay(11, merchant_id="m1", time=T0 + 8 * day)])
        await until(pool, "select decision from read.payment where transaction_id = 't11'", "review")
        await send(broker, transaction.TOPIC, [pay(12, merchant_id="m1", time=T0 + 29 * day)])
        await until(pool, "select decision from read.payment where transaction_id = 't12'", "approve")


async def test_what_is_no_payment_is_set_aside_with_its_reason(
    broker: Broker, postgres_dsn: str, pool: Any, log: EventLog
) -> None:
    good = _ENCODER.encode(pay(1))
    bad = {
        b"{not json": "malformed",
        b'{"transaction_id":"x","account_id":"a","amount":"ten","event_time":1}': "wrong_type",
        b'{"transaction_id":"x","account_id":"a","amount":-1,"event_time":1}': "invalid",
        b'{"transaction_id":"x","account_id":"a","amount":1e999999,"event_time":1}': "invalid",
        b'{"transaction_id":"x","account_id":"a","amount":1,"event_time":9999999999999999}': "invalid",
        b'{"transaction_id":"","account_id":"a","amount":1,"event_time":1}': "invalid",
        b'{"transaction_id":"x\\u0000","account_id":"a","amount":1,"event_time":1}': "invalid",
        b'{"transaction_id":"x","account_id":"a","amount":1}': "wrong_type",
        good.replace(b'"t1"', b'"' + b"x" * 3000 + b'"'): "invalid",
    }
    async with consuming(broker, postgres_dsn, pool, log):
        producer = AIOKafkaProducer(bootstrap_servers=broker.address)
        await producer.start()
        for value in bad:
            await producer.send(transaction.TOPIC, value, key=b"a")
        await producer.send(transaction.TOPIC, good, key=b"a1")
        await producer.stop()
        await until(pool, "select count(*) from ops.dead_letter", len(bad))
        await until(pool, "select count(*) from read.payment", 1)
    found = {
        bytes(r["value"]): r["error_class"] for r in await pool.fetch("select value, error_class from ops.dead_letter")
    }
    assert found == bad
