"""The embedded ksqlDB engine on the embedded broker, each in a process of its own.

Throughput is wall time from the statement to the last result in the broker; beside it the engine's CPU time an event,
which does not depend on who else uses the machine. The baseline is the least a Python program can do with the same
topic: fetch, decode two fields with msgspec, compare.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks import engine_load as load
from benchmarks.figures import Benchmark, percentile
from core.kafka.admin import ensure_topics
from core.kafka.connection import Kafka
from ksqldb.client import KsqlClient, Overflow
from ksqldb.rulebook import deploy
from ksqldb.rulebook import load as load_rules
from tests.brokers import running as running_broker
from tests.engines import EngineProcess
from tests.engines import running as running_engine

_EARLIEST = {"auto.offset.reset": "earliest"}
_FILTERED = 600_000
_COUNTED = 200_000
_RULED = 200_000
_PUSHED = 300_000
_SINGLES = 8_000
_WINDOWS = 6  # 60 s windows every 10 s
_SOURCE = """CREATE STREAM {name} (account_id VARCHAR KEY, transaction_id VARCHAR, amount DECIMAL(12, 2),
  channel VARCHAR, merchant_id VARCHAR, merchant_category VARCHAR, device_id VARCHAR, city VARCHAR, state VARCHAR,
  event_time BIGINT, produced_at BIGINT, schema_version INTEGER)
  WITH (KAFKA_TOPIC = '{name}', KEY_FORMAT = 'KAFKA', VALUE_FORMAT = 'JSON');"""

Measured = dict[str, tuple[float, str]]


def measure() -> Benchmark:
    with tempfile.TemporaryDirectory() as text, running_broker(Path(text) / "broker") as broker:
        folder = Path(text)
        figures: Measured = {}
        figures |= asyncio.run(_start(broker.address, folder))
        figures |= asyncio.run(_filter(broker.address, folder))
        baseline = asyncio.run(_plain_filter(broker.address))
        figures |= asyncio.run(_push(broker.address, folder))
        figures |= asyncio.run(_hopping(broker.address, folder))
        figures |= asyncio.run(_rules(broker.address, folder))
        figures |= asyncio.run(_latency(broker.address, folder))
    return Benchmark(figures, baseline)


async def _start(bootstrap: str, folder: Path) -> Measured:
    began = time.perf_counter()
    with running_engine(bootstrap, folder / "idle") as engine:
        async with engine.client() as client:
            await client.execute("SHOW STREAMS;")
            took = time.perf_counter() - began
        return {
            "start": (took, "s to the first statement answered"),
            "start_cpu": (engine.cpu_seconds(), "s"),
            "memory_idle": (engine.rss() / 1e6, "MB"),
        }


async def _topic(bootstrap: str, name: str, rows: Iterable[load.Message]) -> None:
    await ensure_topics(Kafka(bootstrap), {name: load.PARTITIONS}, {"retention.ms": "-1"})
    await asyncio.to_thread(load.fill, bootstrap, name, rows)


async def _timed(
    engine: EngineProcess, client: KsqlClient, bootstrap: str, sql: str, topic: str, events: int, results: int
) -> tuple[float, float]:
    """Events a second, and microseconds of the engine's CPU an event."""
    cpu, began = engine.cpu_seconds(), time.perf_counter()
    await client.execute(sql, properties=_EARLIEST)
    ended = await load.until_full(bootstrap, topic, results)
    return events / (ended - began), (engine.cpu_seconds() - cpu) / events * 1e6


async def _filter(bootstrap: str, folder: Path) -> Measured:
    await _topic(bootstrap, "payments", load.filter_rows(_FILTERED))
    with running_engine(bootstrap, folder / "filter") as engine:
        async with engine.client() as client:
            await client.execute(_SOURCE.format(name="payments"))
            sql = "CREATE STREAM large AS SELECT account_id, transaction_id, amount FROM payments WHERE amount > 3000;"
            rate, cpu = await _timed(engine, client, bootstrap, sql, "LARGE", _FILTERED, _FILTERED // 10)
    return {"filter": (rate, "events/s"), "filter_cpu": (cpu, "us/event")}


async def _plain_filter(bootstrap: str) -> Measured:
    """Fetch, decode two fields, compare: without keys, schemas, results and error handling."""

    class Payment(msgspec.Struct):
        transaction_id: str
        amount: float

    decode = msgspec.json.Decoder(Payment).decode
    places = [TopicPartition("payments", partition) for partition in range(load.PARTITIONS)]
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, auto_offset_reset="earliest", max_partition_fetch_bytes=512 * 1024
    )
    await consumer.start()
    consumer.assign(places)
    seen = passed = 0
    began, cpu = time.perf_counter(), time.process_time()
    while seen < _FILTERED:
        for records in (await consumer.getmany(timeout_ms=1_000)).values():
            passed += sum(decode(record.value).amount > 3000 for record in records)
            seen += len(records)
    took, used = time.perf_counter() - began, time.process_time() - cpu
    await consumer.stop()
    assert passed == _FILTERED // 10
    return {"filter": (seen / took, "events/s"), "filter_cpu": (used / seen * 1e6, "us/event")}


async def _push(bootstrap: str, folder: Path) -> Measured:
    with running_engine(bootstrap, folder / "push") as engine:
        async with engine.client() as client:
            await client.execute(_SOURCE.format(name="payments"))
            sql = f"SELECT * FROM payments EMIT CHANGES LIMIT {_PUSHED};"
            cpu, own, began = engine.cpu_seconds(), time.process_time(), time.perf_counter()
            rows = 0
            async with client.query(sql, properties=_EARLIEST, overflow=Overflow.WAIT) as query:
                async for batch in query.batches():
                    rows += len(batch)
            took = time.perf_counter() - began
            used, reading = engine.cpu_seconds() - cpu, time.process_time() - own
    assert rows == _PUSHED
    return {
        "push": (rows / took, "rows/s"),
        "push_cpu": (used / rows * 1e6, "us/row"),
        "push_client_cpu": (reading / rows * 1e6, "us/row"),
    }


async def _hopping(bootstrap: str, folder: Path) -> Measured:
    await _topic(bootstrap, "counted", load.even_payments(_COUNTED))
    with running_engine(bootstrap, folder / "hopping") as engine:
        async with engine.client() as client:
            await client.execute(_SOURCE.format(name="counted"))
            sql = _count("counted", "counts", "account_id, COUNT(*) AS n")
            results = _COUNTED * _WINDOWS
            rate, cpu = await _timed(engine, client, bootstrap, sql, "COUNTS", _COUNTED, results)
    return {"hopping": (rate, "events/s"), "hopping_cpu": (cpu, "us/event")}


def _count(source: str, sink: str, items: str) -> str:
    return (
        f"CREATE TABLE {sink} AS SELECT {items} FROM {source} "
        "WINDOW HOPPING (SIZE 60 SECONDS, ADVANCE BY 10 SECONDS, GRACE PERIOD 10 SECONDS) GROUP BY account_id;"
    )


async def _rules(bootstrap: str, folder: Path) -> Measured:
    """Both seed rules over one topic; done when the last account's burst has come out of the slower of them."""
    await ensure_topics(Kafka(bootstrap), {"fraud_alerts": load.PARTITIONS}, {"retention.ms": "-1"})
    await _topic(bootstrap, "transactions", load.suspect_payments(_RULED))
    with running_engine(bootstrap, folder / "rules") as engine:
        async with engine.client() as client:
            cpu, began = engine.cpu_seconds(), time.perf_counter()
            await deploy(client, load_rules())
            ended = await load.until_seen(bootstrap, "fraud_alerts", load.LAST_ACCOUNTS, b"high_velocity")
            used = engine.cpu_seconds() - cpu
            memory = engine.rss()
    return {
        "rules": (_RULED / (ended - began), "events/s"),
        "rules_cpu": (used / _RULED * 1e6, "us/event"),
        "memory_rules": (memory / 1e6, "MB"),
    }


async def _latency(bootstrap: str, folder: Path) -> Measured:
    """From before a payment is sent to its first result in the reader's hands, 1,000 payments a second."""
    figures: Measured = {}
    await ensure_topics(Kafka(bootstrap), {"live": load.PARTITIONS}, {"retention.ms": "-1"})
    with running_engine(bootstrap, folder / "latency") as engine:
        async with engine.client() as client:
            await client.execute(_SOURCE.format(name="live"))
            await client.execute("CREATE STREAM passed AS SELECT account_id, produced_at FROM live WHERE amount > 10;")
            figures |= _milliseconds("filter", await load.latencies(bootstrap, "live", "PASSED", _SINGLES))
            await client.execute("TERMINATE ALL;")
            await client.execute(_count("live", "live_counts", "account_id, MAX(produced_at) AS produced_at"))
            figures |= _milliseconds("hopping", await load.latencies(bootstrap, "live", "LIVE_COUNTS", _SINGLES))
            await client.execute("TERMINATE ALL;")
            held_back = _count("live", "held_counts", "account_id, MAX(produced_at) AS produced_at")
            await client.execute(held_back, properties={"ksql.streams.commit.interval.ms": 100})
            took = await load.latencies(bootstrap, "live", "HELD_COUNTS", _SINGLES)
            figures |= _milliseconds("hopping_commit_100ms", took)
    return figures


def _milliseconds(name: str, seconds: list[float]) -> Measured:
    return {
        f"{name}_latency_p50": (percentile(seconds, 50) * 1000, "ms"),
        f"{name}_latency_p99": (percentile(seconds, 99) * 1000, "ms"),
    }
