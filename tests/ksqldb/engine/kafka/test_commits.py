"""Results held back until the commit."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ksqldb.engine.kafka.client import LATEST
from ksqldb.engine.kafka.commits import Commits, commit_interval
from ksqldb.engine.run.records import Batch
from tests.brokers import Broker
from tests.ksqldb.engine.kafka.test_engine import COUNTS, INPUT, engine_on, insert, pushed


@pytest.mark.parametrize(
    ("properties", "seconds"),
    [
        ({}, None),
        ({"ksql.streams.commit.interval.ms": "100"}, 0.1),
        ({"commit.interval.ms": 2000}, 2.0),
        ({"ksql.streams.commit.interval.ms": "100", "ksql.streams.cache.max.bytes.buffering": "0"}, None),
        ({"ksql.streams.commit.interval.ms": "100", "cache.max.bytes.buffering": 0}, None),
        ({"ksql.streams.commit.interval.ms": "100", "ksql.streams.cache.max.bytes.buffering": "1000"}, 0.1),
    ],
)
def test_when_results_are_held_back(properties: dict[str, object], seconds: float | None) -> None:
    assert commit_interval(properties) == seconds


async def test_of_each_key_and_window_the_last_goes_out_in_the_order_of_the_last_changes() -> None:
    given: list[tuple[int, Batch]] = []
    commits = Commits(lambda partition, batch, headers: given.append((partition, batch)), 3600)
    a1, b1, a2 = (("a",), (1,), 1, None), (("b",), (1,), 2, None), (("a",), (2,), 3, None)
    wide = (("a",), (9,), 4, (0, 5))
    commits(0, [a1, b1], ())
    commits(0, [a2, wide], ())
    commits(1, [a1], ())
    assert given == []
    commits.commit()
    assert given == [(0, [b1, a2, wide]), (1, [a1])]
    commits.commit()
    assert len(given) == 2


async def test_a_commit_interval_joins_the_changes_of_a_key(broker: Broker, tmp_path: Path) -> None:
    async with engine_on(broker, tmp_path) as engine:
        interval = {"ksql.streams.commit.interval.ms": "300", "auto.offset.reset": "earliest"}
        await engine.execute(INPUT, {}, {})
        await engine.execute(COUNTS, interval, {})
        for _ in range(20):
            await insert(engine, *[("a", 1)] * 10)
        async with asyncio.timeout(60):
            while (await pushed(engine, "SELECT n FROM t EMIT CHANGES;", 1))[-1] != (200,):
                pass
        written = await engine.runtime.offsets.offsets("T", [0, 1, 2], LATEST)
    assert 0 < sum(written.values()) < 200
