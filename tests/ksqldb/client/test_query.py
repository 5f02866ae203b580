"""What a query does when its server ends it, dies, refuses, or sends faster than it is read."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ksqldb.client import (
    Format,
    KsqlClient,
    KsqlServerError,
    KsqlUnavailable,
    Overflow,
    Query,
    State,
    Tombstone,
    has_limit,
    is_push,
)
from tests.ksqldb.client.scripted import META, Exchange, scripted

PUSH = "SELECT n FROM x EMIT CHANGES;"


async def closed(exchange: Exchange) -> None:
    await exchange.answer(200)


async def take(query: Query, count: int) -> list[Any]:
    rows: list[Any] = []
    async with asyncio.timeout(10):
        async for batch in query.batches():
            rows.extend(batch)
            if len(rows) >= count:
                break
    return rows


async def test_a_push_query_that_ends_is_opened_again_from_latest() -> None:
    async def ends(exchange: Exchange) -> None:
        await exchange.begin(META, b"[1]\n", b"[2]\n")
        await exchange.end()

    async def stays(exchange: Exchange) -> None:
        await exchange.begin(META, b"[3]\n")

    async with scripted() as server, KsqlClient(server.url) as client:
        server.on("/query-stream", ends, stays)
        server.on("/close-query", closed)
        async with client.query(PUSH, properties={"auto.offset.reset": "earliest"}) as query:
            assert await take(query, 3) == [(1,), (2,), (3,)]
            assert (query.reconnects, query.state, query.received) == (1, State.OPEN, 3)
        opened = [request.body for request in server.seen if request.path == "/query-stream"]
    assert [body["properties"]["auto.offset.reset"] for body in opened] == ["earliest", "latest"]


async def test_a_cut_connection_is_opened_again_too() -> None:
    async def dies(exchange: Exchange) -> None:
        await exchange.begin(META, b"[1]\n[2")
        exchange.cut()

    async def stays(exchange: Exchange) -> None:
        await exchange.begin(META, b"[3]\n")

    async def not_ready(exchange: Exchange) -> None:
        await exchange.answer(503, {"@type": "generic_error", "error_code": 50302, "message": "not yet ready"})

    async with scripted() as server, KsqlClient(server.url) as client:
        server.on("/query-stream", dies, not_ready, stays)
        server.on("/close-query", closed)
        async with client.query(PUSH) as query:
            assert await take(query, 2) == [(1,), (3,)]
            assert query.reconnects == 1, "one outage is one gap, however often the server was asked"
            assert query.problem is None


@pytest.mark.parametrize("sql", ["SELECT n FROM x EMIT CHANGES LIMIT 2;", "SELECT n FROM x;"])
async def test_a_query_that_has_an_end_is_not_opened_again(sql: str) -> None:
    async def ends(exchange: Exchange) -> None:
        await exchange.begin(META, b"[1]\n[2]\n")
        await exchange.end()

    async with scripted() as server, KsqlClient(server.url) as client:
        server.on("/query-stream", ends)
        async with client.query(sql) as query:
            rows = [row async for batch in query.batches() for row in batch]
        assert rows == [(1,), (2,)]
        assert server.paths() == ["/query-stream"]  # it ended by itself: nothing to close


async def test_leaving_closes_the_query_on_the_server_and_the_connection() -> None:
    async def stays(exchange: Exchange) -> None:
        await exchange.begin(META, b"[1]\n")

    async with scripted() as server, KsqlClient(server.url) as client:
        server.on("/query-stream", stays)
        server.on("/close-query", closed)
        async with client.query(PUSH) as query:
            await take(query, 1)
        assert server.seen[-1].path == "/close-query"
        assert server.seen[-1].body == {"queryId": "transient_X_1"}
        await server.until(lambda: server.gone == 1)
        assert query.state is State.CLOSED


async def test_a_cancelled_reader_leaves_nothing_behind() -> None:
    async def stays(exchange: Exchange) -> None:
        await exchange.begin(META)

    async def read(client: KsqlClient) -> None:
        async with client.query(PUSH) as query:
            await take(query, 1)

    async with scripted() as server, KsqlClient(server.url) as client:
        server.on("/query-stream", stays)
        server.on("/close-query", closed)
        task = asyncio.create_task(read(client))
        await server.until(lambda: server.paths() == ["/query-stream"])
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.until(lambda: server.gone == 1)


async def test_wrong_context_is_taken_as_closed_after_a_look_at_the_list() -> None:
    """A real server answers 500 to /close-query from another connection, and ends the query all the same."""

    async def stays(exchange: Exchange) -> None:
        await exchange.begin(META)

    async def wrong(exchange: Exchange) -> None:
        text = "On wrong context or worker"
        await exchange.answer(500, {"@type": "generic_error", "error_code": 50000, "message": text})

    async def still_there(exchange: Exchange) -> None:
        listed = {"id": "transient_X_1", "queryType": "PUSH", "queryString": PUSH, "statusCount": {"RUNNING": 1}}
        await exchange.answer(200, [{"@type": "queries", "queries": [listed]}])

    async def terminated(exchange: Exchange) -> None:
        await exchange.answer(200, [{"@type": "terminate_query", "queryId": "transient_X_1", "wasTerminated": True}])

    async with scripted() as server:
        server.on("/query-stream", stays)
        server.on("/close-query", wrong)
        server.on("/ksql", still_there, terminated)
        async with KsqlClient(server.url) as client, client.query(PUSH):
            pass
        statements = [request.body["ksql"] for request in server.seen if request.path == "/ksql"]
    assert statements == ["SHOW QUERIES;", "TERMINATE transient_X_1;"]


async def test_rows_beyond_the_buffer_are_dropped_oldest_first_and_counted() -> None:
    async def floods(exchange: Exchange) -> None:
        await exchange.begin(META, b"".join(b"[%d]\n" % n for n in range(1000)))
        await exchange.end()

    async with scripted() as server, KsqlClient(server.url) as client:
        server.on("/query-stream", floods)
        async with client.query(PUSH, reconnect=False, buffer=10) as query:
            while query.state is not State.CLOSED:
                await query._wait()
            rows = [row async for batch in query.batches() for row in batch]
    assert rows == [(n,) for n in range(990, 1000)]
    assert (query.received, query.dropped) == (1000, 990)


async def test_waiting_instead_of_dropping_loses_nothing() -> None:
    async def floods(exchange: Exchange) -> None:
        await exchange.begin(META, *(b"".join(b"[%d]\n" % n for n in range(k, k + 100)) for k in range(0, 10_000, 100)))
        await exchange.end()

    async with scripted() as server, KsqlClient(server.url) as client:
        server.on("/query-stream", floods)
        async with client.query(PUSH, reconnect=False, buffer=50, overflow=Overflow.WAIT) as query:
            batches = [batch async for batch in query.batches()]
    assert [row for batch in batches for row in batch] == [(n,) for n in range(10_000)]
    assert query.dropped == 0


async def test_an_error_while_running_ends_the_query() -> None:
    async def fails(exchange: Exchange) -> None:
        error = b'{"@type":"generic_error","error_code":50000,"message":"MissingSourceTopicException"}\n'
        await exchange.begin(META, b"[1]\n", error)
        await exchange.end()

    async with scripted() as server, KsqlClient(server.url) as client:
        server.on("/query-stream", fails)
        server.on("/close-query", closed)
        rows: list[Any] = []
        async with client.query(PUSH) as query:
            batches = query.batches()
            rows.extend(await anext(batches))
            with pytest.raises(KsqlServerError, match="MissingSourceTopic"):
                await anext(batches)
    assert rows == [(1,)]
    assert server.paths().count("/query-stream") == 1


async def test_a_refused_statement_raises_on_entering() -> None:
    async def refuses(exchange: Exchange) -> None:
        body = {
            "@type": "statement_error",
            "error_code": 40001,
            "message": "NOPE does not exist.",
            "statementText": "S",
        }
        await exchange.answer(400, body)

    async with scripted() as server, KsqlClient(server.url) as client:
        server.on("/query-stream", refuses)
        with pytest.raises(KsqlServerError) as caught:
            async with client.query(PUSH):
                pass
    assert (caught.value.error_code, caught.value.message, caught.value.statement) == (
        40001,
        "NOPE does not exist.",
        "S",
    )


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    async with scripted() as server:
        url = server.url
    async with KsqlClient(url) as client:
        with pytest.raises(KsqlUnavailable, match="cannot be reached"):
            async with client.query(PUSH):
                pass
        assert await client.healthy() is False


async def test_tombstones_arrive_in_v1_json() -> None:
    async def rows(exchange: Exchange) -> None:
        await exchange.begin(
            b'[{"header":{"queryId":"q","schema":"`K` STRING, `N` INTEGER"}},\n',
            b'{"row":{"columns":["a",null],"tombstone":true}},\n{"finalMessage":"Query Completed"}]',
        )
        await exchange.end()

    async with scripted() as server, KsqlClient(server.url) as client:
        server.on("/query-stream", rows)
        async with client.query(PUSH, form=Format.V1_JSON, reconnect=False) as query:
            (row,) = await take(query, 1)
        assert server.seen[0].headers["accept"] == "application/vnd.ksql.v1+json"
    assert row == ("a", None)
    assert isinstance(row, Tombstone)
    assert query.end == "Query Completed"


@pytest.mark.parametrize(
    ("sql", "push", "limit"),
    [
        ("select * from x emit changes;", True, False),
        ("SELECT 'EMIT CHANGES' FROM x; -- EMIT CHANGES", False, False),
        ("SELECT * FROM x EMIT /* a */ FINAL", True, False),
        ("SELECT * FROM x EMIT CHANGES LIMIT 5 ;", True, True),
        ("SELECT `LIMIT 5` FROM x EMIT CHANGES;", True, False),
    ],
)
def test_what_a_statement_is_by_its_text(sql: str, push: bool, limit: bool) -> None:
    assert (is_push(sql), has_limit(sql)) == (push, limit)


async def test_statements_still_executing_are_followed_by_their_status() -> None:
    def status(state: str) -> dict[str, Any]:
        return {"status": state, "message": state.lower(), "queryId": None}

    async def busy(exchange: Exchange) -> None:
        entity = {"@type": "currentStatus", "commandId": "stream/`X`/create", "commandStatus": status("EXECUTING")}
        await exchange.answer(200, [entity])

    async def running(exchange: Exchange) -> None:
        await exchange.answer(200, status("RUNNING"))

    async def success(exchange: Exchange) -> None:
        await exchange.answer(200, status("SUCCESS"))

    async def failure(exchange: Exchange) -> None:
        await exchange.answer(200, status("ERROR"))

    async with scripted() as server, KsqlClient(server.url) as client:
        server.on("/ksql", busy)
        server.on("/status/stream/%60X%60/create", running, success, failure)
        (entity,) = await client.execute("CREATE STREAM x ...;")
        assert entity["commandStatus"]["status"] == "SUCCESS"
        with pytest.raises(KsqlServerError, match="error"):
            await client.execute("CREATE STREAM x ...;")


async def test_server_texts_are_made_safe() -> None:
    async def hostile(exchange: Exchange) -> None:
        text = "bad \x1b[31mred\x1b[0m \u202eback" + "x" * 10_000
        await exchange.answer(400, {"@type": "generic_error", "error_code": 40000, "message": text})

    async with scripted() as server, KsqlClient(server.url) as client:
        server.on("/ksql", hostile)
        with pytest.raises(KsqlServerError) as caught:
            await client.execute("x;")
    assert caught.value.message.startswith("bad \ufffd[31mred\ufffd[0m \ufffdback")
    assert len(caught.value.message) <= 4000


async def test_a_proxy_page_is_quoted_in_short() -> None:
    async def page(exchange: Exchange) -> None:
        await exchange.answer(404, b"<html>no such host</html>")

    async with scripted() as server, KsqlClient(server.url) as client:
        server.on("/info", page)
        with pytest.raises(KsqlServerError, match="HTTP status 404: <html>no such host"):
            await client.info()


async def test_a_password_in_the_address_is_sent_and_not_shown() -> None:
    async def listed(exchange: Exchange) -> None:
        await exchange.answer(200, [])

    async with scripted() as server:
        server.on("/ksql", listed)
        async with KsqlClient(server.url.replace("//", "//ana:s%40fe@")) as client:
            await client.execute("SHOW STREAMS;")
            assert client.url == server.url
        assert server.seen[0].headers["authorization"] == "Basic YW5hOnNAZmU="


@pytest.mark.parametrize("url", ["127.0.0.1:8088", "ftp://x", "http://"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="should look like"):
        KsqlClient(url)
