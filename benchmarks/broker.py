"""The embedded broker: 253-byte records in lz4 batches out and in, and the way of single records at 1,000 a second.

The baseline is the mock broker inside librdkafka, a C program in the client's own process, asked the same.
"""

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from confluent_kafka import Consumer, Producer

from benchmarks.figures import Benchmark, percentile
from core.kafka.admin import ensure_topics
from core.kafka.connection import Kafka
from tests.brokers import Broker, running

_RECORDS = 400_000
_MOCK_RECORDS = 40_000  # the mock drops what exceeds about 5 MB a partition
_VALUE = b'{"transaction_id":"' + b"%09d" + b'","padding":"' + b"x" * 205 + b'"}'
_SINGLES = 4_000
_EVERY = 0.001  # seconds


def measure() -> Benchmark:
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as broker:
        asyncio.run(ensure_topics(Kafka(broker.address), {"bulk": 4, "single": 1}))
        figures = _figures(broker.address, _RECORDS, broker)
    mock = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": ""})
    (address,) = (str(node) for node in _addresses(mock))
    return Benchmark(figures, _figures(address, _MOCK_RECORDS, None))


def _addresses(mock: Any) -> list[str]:
    return [f"{node.host}:{node.port}" for node in mock.list_topics(timeout=5.0).brokers.values()]


def _figures(address: str, records: int, broker: Broker | None) -> dict[str, tuple[float, str]]:
    process = psutil.Process(broker.pid) if broker is not None else None
    before = _cpu_seconds(process)
    produced = _produce(address, records)
    between = _cpu_seconds(process)
    consumed = _consume(address, records)
    after = _cpu_seconds(process)
    latencies = asyncio.run(_latencies(address))
    figures = {
        "produce": (records / produced, "records/s"),
        "consume": (records / consumed, "records/s"),
        "latency_p50": (percentile(latencies, 50) * 1000, "ms"),
        "latency_p99": (percentile(latencies, 99) * 1000, "ms"),
    }
    if process is not None:
        figures["produce_cpu"] = ((between - before) / records * 1e6, "us/record")
        figures["consume_cpu"] = ((after - between) / records * 1e6, "us/record")
        figures["singles_cpu"] = ((_cpu_seconds(process) - after) / (_SINGLES * _EVERY) * 100, "% of a core")
        figures["memory"] = (process.memory_info().rss / 1e6, "MB")
    return figures


def _cpu_seconds(process: psutil.Process | None) -> float:
    if process is None:
        return 0.0
    times = process.cpu_times()
    return float(times.user + times.system)


def _produce(address: str, records: int) -> float:
    out = Producer(
        {
            "bootstrap.servers": address,
            "compression.type": "lz4",
            "linger.ms": 20,
            "batch.size": 262_144,
            "queue.buffering.max.messages": 1_000_000,
            "enable.idempotence": True,
        }
    )
    began = time.perf_counter()
    for number in range(records):
        out.produce("bulk", _VALUE % number, key=b"%d" % (number % 1000))
        if number % 10_000 == 0:
            out.poll(0)
    assert out.flush(60) == 0
    return time.perf_counter() - began


def _consume(address: str, records: int) -> float:
    """Seconds from the first record on: joining the group is not the broker's speed."""
    source = Consumer({"bootstrap.servers": address, "group.id": "bench", "auto.offset.reset": "earliest"})
    source.subscribe(["bulk"])
    got, began = len(source.consume(1, timeout=60)), time.perf_counter()
    while got < records:
        batch = source.consume(min(10_000, records - got), timeout=10)
        assert batch, f"{got} of {records} records came"
        got += len(batch)
    elapsed = time.perf_counter() - began
    source.close()
    return elapsed


async def _latencies(address: str) -> list[float]:
    """Seconds from before `send` to after the record was handed out, one record at a time."""
    out = AIOKafkaProducer(bootstrap_servers=address)
    source = AIOKafkaConsumer("single", bootstrap_servers=address, auto_offset_reset="earliest")
    await out.start()
    await source.start()
    latencies: list[float] = []

    async def read() -> None:
        async for record in source:
            latencies.append(time.perf_counter() - float(record.value or b"0"))
            if len(latencies) == _SINGLES:
                return

    reading = asyncio.create_task(read())
    begin = time.perf_counter()
    for number in range(_SINGLES):
        await asyncio.sleep(max(0.0, begin + number * _EVERY - time.perf_counter()))
        await out.send("single", repr(time.perf_counter()).encode())
    await asyncio.wait_for(reading, 60)
    await source.stop()
    await out.stop()
    return latencies
