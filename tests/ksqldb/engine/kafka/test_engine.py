"""The engine on a broker: queries live on through restarts and kills, and their counts stay right."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from ksqldb.engine.engine import Engine, EngineConfig
from ksqldb.engine.errors import KsqlError
from ksqldb.engine.run.results import Row
from tests.brokers import Broker, running

EARLIEST = {"auto.offset.reset": "earliest"}
INPUT = (
    "CREATE STREAM IF NOT EXISTS s (id VARCHAR KEY, v INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=3);"
)
COUNTS = "CREATE TABLE t AS SELECT id, COUNT(*) AS n, SUM(v) AS total FROM s GROUP BY id;"
CHANGES = "SELECT id, n, total FROM t EMIT CHANGES;"


@asynccontextmanager
async def engine_on(broker: Broker, data: Path, **properties: str) -> AsyncIterator[Engine]:
    engine = Engine(EngineConfig(broker.address, data, properties))
    await engine.start()
    try:
        yield engine
    finally:
        await engine.stop()


async def run(engine: Engine, *statements: str) -> None:
    for statement in statements:
        await engine.execute(statement, EARLIEST, {})


async def insert(engine: Engine, *rows: tuple[str, int]) -> None:
    await engine.insert("S", [{"id": key, "v": value} for key, value in rows])


async def pushed(engine: Engine, sql: str, count: int) -> list[tuple[object, ...]]:
    """The first rows of a push query, read from the beginning."""
    handle = await engine.query(sql, EARLIEST, {})
    rows: list[Row] = []
    try:
        async with asyncio.timeout(30):
            async for batch in handle.batches():
                rows += batch
                if len(rows) >= count:
                    break
    finally:
        await handle.close()
    return [row.values for row in rows]


async def test_rows_flow_from_insert_to_push_query(broker: Broker, tmp_path: Path) -> None:
    async with engine_on(broker, tmp_path / "e") as engine:
        await run(engine, INPUT, COUNTS)
        await insert(engine, ("a", 1), ("b", 2), ("a", 3))
        got = await pushed(engine, CHANGES, 3)
    assert sorted(got, key=str) == [("a", 1, 1), ("a", 2, 4), ("b", 1, 2)]


async def test_counts_go_on_after_a_restart(broker: Broker, tmp_path: Path) -> None:
    async with engine_on(broker, tmp_path / "e") as engine:
        await run(engine, INPUT, COUNTS)
        await insert(engine, ("a", 1), ("a", 2))
        await pushed(engine, CHANGES, 2)
    async with engine_on(broker, tmp_path / "e") as engine:
        await insert(engine, ("a", 3))
        got = await pushed(engine, CHANGES, 3)
    assert got == [("a", 1, 1), ("a", 2, 3), ("a", 3, 6)]  # nothing twice


async def test_counts_are_right_after_a_kill(broker: Broker, tmp_path: Path) -> None:
    """What lies on disk at a moment is what a kill at that moment leaves."""
    async with engine_on(broker, tmp_path / "e") as engine:
        await run(engine, INPUT, COUNTS)
        await insert(engine, ("a", 1), ("a", 2))
        await pushed(engine, CHANGES, 2)
        await engine.runtime.save()
        await insert(engine, ("a", 3), ("b", 1))
        await pushed(engine, CHANGES, 4)
        shutil.copytree(tmp_path / "e", tmp_path / "killed")
    async with engine_on(broker, tmp_path / "killed") as engine:
        await insert(engine, ("a", 4))
        got = await pushed(engine, CHANGES, 7)
    # The rows since the snapshot come again, the same as before; then the new one.
    assert [row for row in got if row[0] == "a"] == [
        ("a", 1, 1),
        ("a", 2, 3),
        ("a", 3, 6),
        ("a", 3, 6),
        ("a", 4, 10),
    ]
    assert [row for row in got if row[0] == "b"] == [("b", 1, 1)] * 2


async def test_an_engine_without_its_snapshots_reads_everything_again(broker: Broker, tmp_path: Path) -> None:
    async with engine_on(broker, tmp_path / "e") as engine:
        await run(engine, INPUT, COUNTS)
        await insert(engine, ("a", 1), ("a", 2))
        await pushed(engine, CHANGES, 2)
    shutil.rmtree(tmp_path / "e" / "snapshots")
    async with engine_on(broker, tmp_path / "e") as engine:
        got = await pushed(engine, CHANGES, 4)
    assert got == [("a", 1, 1), ("a", 2, 3)] * 2


async def test_a_wiped_broker_starts_the_queries_afresh(tmp_path: Path) -> None:
    with running(tmp_path / "first") as broker:
        async with engine_on(broker, tmp_path / "e") as engine:
            await run(engine, INPUT, COUNTS)
            await insert(engine, ("a", 1), ("a", 2))
            await pushed(engine, CHANGES, 2)
    with running(tmp_path / "second") as broker:
        async with engine_on(broker, tmp_path / "e") as engine:
            await insert(engine, ("a", 5))
            assert await pushed(engine, CHANGES, 1) == [("a", 1, 5)]


async def test_a_pull_query_sees_what_was_counted(broker: Broker, tmp_path: Path) -> None:
    async with engine_on(broker, tmp_path / "e") as engine:
        await run(engine, INPUT, COUNTS)
        await insert(engine, ("a", 1), ("b", 2))
        await pushed(engine, CHANGES, 2)
        handle = await engine.query("SELECT id, total FROM t WHERE id = 'b';", {}, {})
        rows = [row.values async for batch in handle.batches() for row in batch]
    assert rows == [("b", 2)]


async def test_a_push_query_with_a_limit_ends(broker: Broker, tmp_path: Path) -> None:
    async with engine_on(broker, tmp_path / "e") as engine:
        await run(engine, INPUT)
        await insert(engine, ("a", 1), ("a", 2), ("a", 3))
        handle = await engine.query("SELECT v FROM s EMIT CHANGES LIMIT 2;", EARLIEST, {})
        async with asyncio.timeout(30):
            rows = [row.values async for batch in handle.batches() for row in batch]
        assert rows == [(1,), (2,)]
        assert handle.limit_reached
        await handle.close()
        assert engine.push_query_count() == 0


async def test_a_body_of_statements_is_checked_whole_before_any_runs(broker: Broker, tmp_path: Path) -> None:
    async with engine_on(broker, tmp_path / "e") as engine:
        with pytest.raises(KsqlError, match="NOPE"):
            await engine.execute(INPUT + "CREATE STREAM o AS SELECT nope FROM s;", EARLIEST, {})
        assert "S" not in engine.catalog.metastore.sources


async def test_many_queries_share_one_reading_of_a_topic(broker: Broker, tmp_path: Path) -> None:
    async with engine_on(broker, tmp_path / "e") as engine:
        await run(engine, INPUT)
        for limit in range(5):
            await run(engine, f"CREATE STREAM o{limit} AS SELECT id, v FROM s WHERE v >= {limit};")
        await insert(engine, *[("a", value) for value in range(5)])
        for limit in range(5):
            got = await pushed(engine, f"SELECT v FROM o{limit} EMIT CHANGES;", 5 - limit)
            assert [row[0] for row in got] == list(range(limit, 5))


async def test_what_is_lost_can_be_queried(broker: Broker, tmp_path: Path) -> None:
    asked = {f"ksql.logging.processing.{what}.auto.create": "true" for what in ("topic", "stream")}
    for _ in range(2):  # the stream is there already the second time
        async with engine_on(broker, tmp_path / "e", **asked) as engine:
            await run(engine, INPUT, "CREATE STREAM IF NOT EXISTS o AS SELECT id, 10 / v AS w FROM s;")
            await insert(engine, ("a", 0))
            got = await pushed(
                engine,
                "SELECT logger, message->type, message->recordProcessingError->errorMessage AS why"
                " FROM ksql_processing_log EMIT CHANGES;",
                1,
            )
            logger, kind, why = got[0]
            assert (str(logger)[:18], kind) == ("processing.CSAS_O_", 1)
            assert "zero" in str(why)


async def test_how_far_a_query_has_read_is_committed_under_its_group(broker: Broker, tmp_path: Path) -> None:
    async with engine_on(broker, tmp_path) as engine, admin(broker) as kafka:
        await run(engine, INPUT, COUNTS)
        await insert(engine, ("a", 1), ("b", 2), ("c", 3))
        (query_id,) = engine.catalog.queries
        group = f"_confluent-ksql-default_query_{query_id}"
        read = 0
        async with asyncio.timeout(30):
            while read < 3:
                read = sum(found.offset for found in (await kafka.list_consumer_group_offsets(group)).values())
        await run(engine, f"TERMINATE {query_id};")
        assert group not in [name for name, *_ in await kafka.list_consumer_groups()]


@asynccontextmanager
async def admin(broker: Broker) -> AsyncIterator[AIOKafkaAdminClient]:
    made = AIOKafkaAdminClient(bootstrap_servers=broker.address)
    await made.start()
    try:
        yield made
    finally:
        await made.close()
