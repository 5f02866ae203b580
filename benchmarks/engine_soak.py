"""24 hours of event time at 5,000 accounts through both seed rules: memory, and a kill -9 in the middle.

What the rules leave after the kill is compared with what an undisturbed engine makes of the same payments on a broker
of its own; a difference fails the run. The undisturbed run is the baseline.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks import engine_load as load
from benchmarks.figures import Benchmark, Figures
from core.kafka.admin import ensure_topics
from core.kafka.connection import Kafka
from ksqldb.rulebook import deploy
from ksqldb.rulebook import load as load_rules
from tests.brokers import running as running_broker
from tests.engines import EngineProcess
from tests.engines import running as running_engine

_PER_SECOND = 10  # of event time
_HOURS = 24


@dataclass
class Outcome:
    """What a run left: the last row of each account and window, and the alerts; memory in bytes after each hour."""

    windows: dict[tuple[int, bytes], bytes | None] = field(default_factory=dict)
    alerts: set[tuple[int, bytes, bytes]] = field(default_factory=set)
    memory: list[int] = field(default_factory=list)
    seconds: float = 0.0
    started: float = 0.0  # seconds from the kill until statements are answered
    start_cpu: float = 0.0  # what of them the engine computed for
    recovered: float = 0.0  # seconds from the kill until the hour's last alert is there


def measure() -> Benchmark:
    killed = asyncio.run(soak(_HOURS, 3_600 * _PER_SECOND, kill_in=_HOURS // 2))
    quiet = asyncio.run(soak(_HOURS, 3_600 * _PER_SECOND))
    assert killed.windows == quiet.windows, "the windows differ from those of an undisturbed run"
    assert killed.alerts == quiet.alerts, "the alerts differ from those of an undisturbed run"
    return Benchmark(_figures(killed), _figures(quiet))


def _figures(outcome: Outcome) -> Figures:
    figures: dict[str, tuple[float, str]] = {
        "events": (_HOURS * 3_600 * _PER_SECOND, "payments"),
        "rate": (_HOURS * 3_600 * _PER_SECOND / outcome.seconds, "events/s"),
        "windows": (len(outcome.windows), "rows"),
        "alerts": (len(outcome.alerts), "rows"),
    }
    figures |= {f"memory_hour_{hour:02}": (held / 1e6, "MB") for hour, held in enumerate(outcome.memory, 1)}
    settled, last = fmean(outcome.memory[1:4]), fmean(outcome.memory[-3:])
    figures["memory_growth"] = ((last / settled - 1) * 100, "% from hours 2 to 4 to the last three")
    if outcome.recovered:
        figures["restarted"] = (outcome.started, "s from the kill until statements are answered")
        figures["restarted_cpu"] = (outcome.start_cpu, "s of them the engine computed")
        figures["recovered"] = (outcome.recovered, "s from the kill to the hour's last alert")
    return figures


async def soak(hours: int, per_hour: int, kill_in: int | None = None, per_second: int = _PER_SECOND) -> Outcome:
    """``hours`` batches of ``per_hour`` payments, each through both rules before the next is sent. The engine is killed
    while it works on batch ``kill_in`` (from 1) and started again."""
    outcome = Outcome()
    with tempfile.TemporaryDirectory() as text, running_broker(Path(text) / "broker") as broker:
        topics = dict.fromkeys(("transactions", "fraud_alerts"), load.PARTITIONS)
        await ensure_topics(Kafka(broker.address), topics, {"retention.ms": "-1"})
        with running_engine(broker.address, Path(text) / "engine") as engine:
            async with engine.client() as client:
                await deploy(client, load_rules())
            for hour in range(1, hours + 1):
                first = (hour - 1) * per_hour
                rows = load.suspect_payments(per_hour, per_second, first)
                begin = load.START_MS + first * 1_000 // per_second
                began = time.perf_counter()
                await asyncio.to_thread(load.fill, broker.address, "transactions", rows)
                killed = 0.0
                if hour == kill_in:
                    killed = await _kill(engine, broker.address, begin)
                    outcome.started, outcome.start_cpu = time.perf_counter() - killed, engine.cpu_seconds()
                ended = await load.until_seen(
                    broker.address, "fraud_alerts", load.LAST_ACCOUNTS, b"high_velocity", begin
                )
                outcome.seconds += ended - began
                if hour == kill_in:
                    outcome.recovered = ended - killed
                outcome.memory.append(engine.rss())
        outcome.windows = {
            (partition, key): value for partition, key, value in await _read(broker.address, "high_velocity")
        }
        outcome.alerts = {
            (partition, key, value) for partition, key, value in await _read(broker.address, "fraud_alerts") if value
        }
    return outcome


async def _kill(engine: EngineProcess, bootstrap: str, begin: int) -> float:
    """End it without a word once the first results of the batch are out, and start it on what it left; the
    time.perf_counter() of its end."""
    async with asyncio.timeout(60):
        await _first_since(bootstrap, "high_velocity", begin)
    killed = time.perf_counter()
    engine.kill()
    engine.start()
    return killed


async def _first_since(bootstrap: str, topic: str, since: int) -> None:
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        async for record in consumer:
            if record.timestamp >= since:
                return
    finally:
        await consumer.stop()


async def _read(bootstrap: str, topic: str) -> list[tuple[int, bytes, bytes | None]]:
    """Partition, key and value of every record, in order."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        places = [TopicPartition(topic, partition) for partition in range(load.PARTITIONS)]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        found = []
        while any([await consumer.position(place) < end for place, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found += [(r.partition, r.key or b"", r.value) for r in records]
        return found
    finally:
        await consumer.stop()
