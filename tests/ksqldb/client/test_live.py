"""The client against the embedded engine."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from ksqldb.client import Column, Format, KsqlClient, KsqlServerError, Query, State
from tests.ksqldb.conftest import EngineAddress

EARLIEST = {"auto.offset.reset": "earliest"}
ROWS = [("a", 1, Decimal("1.50")), ("b", 2, Decimal("20.00")), ("a", 3, None)]


async def take(query: Query, count: int) -> list[Any]:
    rows: list[Any] = []
    async with asyncio.timeout(20):
        async for batch in query.batches():
            rows.extend(batch)
            if len(rows) >= count:
                break
    return rows


@pytest.mark.parametrize("http2", [False, True])
@pytest.mark.parametrize("form", list(Format))
async def test_a_push_query_and_its_end(engine: EngineAddress, stream: str, form: Format, http2: bool) -> None:
    async with KsqlClient(engine.url, http2=http2) as client:
        sql = f"SELECT * FROM {stream} EMIT CHANGES;"
        async with client.query(sql, properties=EARLIEST, form=form) as query:
            assert query.columns == [Column("K", "STRING"), Column("N", "INTEGER"), Column("D", "DECIMAL(6, 2)")]
            assert await take(query, 3) == ROWS
            await engine.produce(stream, [("c", {"n": 4, "d": 0.05})])
            assert await take(query, 1) == [("c", 4, Decimal("0.05"))]
            assert query.query_id in [running.id for running in await client.queries()]
        assert query.query_id not in [running.id for running in await client.queries()]


async def test_a_limit_ends_it(client: KsqlClient, stream: str) -> None:
    sql = f"SELECT n FROM {stream} EMIT CHANGES LIMIT 2;"
    async with client.query(sql, properties=EARLIEST, form=Format.V1_JSON) as query:
        assert [row async for batch in query.batches() for row in batch] == [(1,), (2,)]
        assert query.end == "Limit Reached"
        assert query.state is State.CLOSED


async def test_a_query_that_is_terminated_is_opened_again(client: KsqlClient, stream: str) -> None:
    async with client.query(f"SELECT n FROM {stream} EMIT CHANGES;", properties=EARLIEST) as query:
        await take(query, 3)
        first = query.query_id
        assert first is not None
        await client.terminate(first)
        async with asyncio.timeout(10):
            while query.query_id == first or query.state is not State.OPEN:
                await query._wait()
        assert query.reconnects == 1
    assert query.query_id not in [running.id for running in await client.queries()]


async def test_a_pull_query_over_a_stream_and_over_a_table(client: KsqlClient, stream: str) -> None:
    assert (await client.pull(f"SELECT n, d FROM {stream};")).rows == [row[1:] for row in ROWS]
    await client.execute(
        f"CREATE TABLE {stream}_sums AS SELECT k, SUM(n) AS total FROM {stream} GROUP BY k;", properties=EARLIEST
    )
    async with asyncio.timeout(20):
        while True:
            result = await client.pull(f"SELECT * FROM {stream}_sums WHERE k = 'a';")
            if result.rows == [("a", 4)]:
                break
    assert [column.name for column in result.columns] == ["K", "TOTAL"]


async def test_a_pull_says_that_it_was_cut(client: KsqlClient, stream: str) -> None:
    result = await client.pull(f"SELECT n FROM {stream};", max_rows=2)
    assert (result.rows, result.truncated) == ([(1,), (2,)], True)


async def test_print_shows_records(client: KsqlClient, stream: str) -> None:
    lines = [line async for line in client.print_topic(f"PRINT '{stream}' FROM BEGINNING LIMIT 2;")]
    assert len(lines) == 2
    assert 'key: a, value: {"n": 1, "d": 1.5}, partition: 0' in lines[0]


async def test_variables_and_properties_come_with_a_request(client: KsqlClient, stream: str) -> None:
    (entity,) = await client.execute("DESCRIBE ${s};", variables={"s": stream})
    assert entity["sourceDescription"]["name"] == stream.upper()


async def test_persistent_queries_are_paused_resumed_and_ended(client: KsqlClient, stream: str) -> None:
    (entity,) = await client.execute(f"CREATE STREAM {stream}_out AS SELECT * FROM {stream};", properties=EARLIEST)
    query_id = entity["commandStatus"]["queryId"]

    async def status() -> str | None:
        return next((q.status for q in await client.queries() if q.id == query_id), None)

    assert await status() == "RUNNING"
    await client.pause(query_id)
    assert await status() == "PAUSED"
    await client.resume(query_id)
    assert await status() == "RUNNING"
    await client.terminate(query_id)
    assert await status() is None


async def test_what_a_query_is_refused_for_is_told(client: KsqlClient, stream: str) -> None:
    """A server only says "internal error" for an unknown function; the client asks for the reason."""
    with pytest.raises(KsqlServerError, match="Can't find any functions with the name 'NOPE'"):
        async with client.query(f"SELECT NOPE(n) FROM {stream} EMIT CHANGES;"):
            pass


async def test_the_server_tells_of_itself(client: KsqlClient) -> None:
    info = await client.info()
    assert (info.version, info.service_id, info.status) == ("0.29.0", "default_", "RUNNING")
    assert info.cluster_id
    assert await client.healthy()
