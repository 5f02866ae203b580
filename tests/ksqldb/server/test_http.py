"""The server's HTTP: protocols, statuses, content types, and how responses end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from aiokafka import AIOKafkaProducer
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Message, TextMessage
from wsproto.events import Request as WsRequest

from ksqldb.client import KsqlClient
from tests.ksqldb.conftest import EngineAddress

EARLIEST = {"auto.offset.reset": "earliest"}


@pytest.fixture(params=["1.1", "2"])
async def http(request: pytest.FixtureRequest, engine: EngineAddress) -> AsyncIterator[httpx.AsyncClient]:
    """A bare client of either protocol, without headers of its own."""
    version = request.param
    async with httpx.AsyncClient(base_url=engine.url, http1=version == "1.1", http2=version == "2") as client:
        for header in list(client.headers):
            del client.headers[header]
        yield client


def body(**content: Any) -> bytes:
    return json.dumps(content).encode()


@pytest.mark.parametrize(
    ("method", "path", "content", "accept", "status", "content_type"),
    [
        ("GET", "/info", None, None, 200, "application/json"),
        ("GET", "/info", None, "application/vnd.ksql.v1+json", 200, "application/json"),
        ("GET", "/info", None, "text/html", 406, None),
        ("HEAD", "/info", None, None, 405, None),
        ("GET", "/healthcheck", None, None, 200, "application/json"),
        ("GET", "/clusterStatus", None, None, 404, "application/json"),
        ("GET", "/v1/metadata", None, None, 200, "application/json"),
        ("GET", "/v1/metadata/id", None, None, 200, "application/json"),
        ("GET", "/is_valid_property/x", None, None, 200, "application/json"),
        ("GET", "/is_valid_property/ksql.service.id", None, None, 400, "application/json"),
        ("GET", "/chc/ready", None, None, 200, "application/json"),
        ("GET", "/status/stream/NOPE/create", None, None, 404, "application/json"),
        ("GET", "/status/foo/NOPE/create", None, None, 500, None),
        ("GET", "/nope", None, None, 404, "text/html; charset=utf-8"),
        ("POST", "/nope", b"{}", None, 404, "text/html; charset=utf-8"),
        ("GET", "/ksql", None, None, 405, None),
        ("PUT", "/ksql", b"{}", None, 405, None),
        ("POST", "/ksql", b"{}", None, 200, "application/json"),
        ("POST", "/ksql", body(ksql="SHOW STREAMS;", foo=1), None, 200, "application/json"),
        ("POST", "/ksql", body(ksql="SHOW STREAMS;"), "application/vnd.ksqlapi.delimited.v1", 406, None),
        ("POST", "/ksql", body(ksql="DESCRIBE nope;"), None, 400, "application/json"),
        ("POST", "/ksql", b"{", None, 400, None),
        ("POST", "/ksql", b"", None, 500, None),
        ("POST", "/query-stream", body(sql="SELECT * FROM nope;"), None, 400, None),
        ("POST", "/query-stream", body(sql="SHOW STREAMS;"), None, 400, None),
        ("POST", "/query-stream", body(sql="SHOW STREAMS;"), "text/html", 406, None),
        ("POST", "/query-stream", body(ksql="SELECT 1;"), None, 400, None),
        ("POST", "/query", body(sql="SELECT 1;"), None, 400, "application/json"),
        ("POST", "/query", body(ksql="SHOW STREAMS;"), None, 400, "application/json"),
        ("POST", "/query", body(ksql="SELEC;"), None, 400, "application/json"),
        ("POST", "/close-query", body(queryId="transient_NOPE_1"), None, 400, None),
        ("POST", "/close-query", b"{}", None, 400, None),
    ],
)
async def test_statuses_and_content_types(
    http: httpx.AsyncClient,
    method: str,
    path: str,
    content: bytes | None,
    accept: str | None,
    status: int,
    content_type: str | None,
) -> None:
    response = await http.request(method, path, content=content, headers={"Accept": accept} if accept else {})
    assert (response.status_code, response.headers.get("content-type")) == (status, content_type)
    if status == 405:
        assert response.headers["allow"] in ("GET", "POST")
    if response.content and content_type is None:
        assert response.json()["@type"] in ("generic_error", "statement_error")


async def test_a_refused_request_leaves_the_connection_usable(http: httpx.AsyncClient) -> None:
    for _ in range(3):
        assert (await http.post("/nope", content=b"x" * 100_000)).status_code == 404
        assert (await http.post("/ksql", content=b"{}")).status_code == 200


async def test_the_root_leads_to_info(http: httpx.AsyncClient) -> None:
    response = await http.get("/")
    assert (response.status_code, response.headers["location"]) == (307, "/info")


async def test_errors_of_a_query_have_no_length_over_http_1(engine: EngineAddress) -> None:
    async with httpx.AsyncClient(base_url=engine.url) as http:
        response = await http.post("/query-stream", content=body(sql="SELECT * FROM nope;"))
    assert response.headers.get("transfer-encoding") == "chunked"
    assert "content-length" not in response.headers


async def test_http_2_by_upgrade(engine: EngineAddress) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", engine.port)
    writer.write(
        b"GET /info HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
        b"HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"
    )
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
    writer.close()


async def test_a_stream_that_is_closed_by_its_id_just_ends(http: httpx.AsyncClient, stream: str) -> None:
    content = body(sql=f"SELECT n FROM {stream} EMIT CHANGES;", properties=EARLIEST)
    async with http.stream("POST", "/query-stream", content=content) as response:
        assert response.headers["content-type"] == "application/vnd.ksqlapi.delimited.v1"
        lines = response.aiter_lines()
        query_id = json.loads(await anext(lines))["queryId"]
        assert [json.loads(await anext(lines)) for _ in range(3)] == [[1], [2], [3]]
        closed = await http.post("/close-query", content=body(queryId=query_id))
        assert (closed.status_code, closed.content) == (200, b"")
        assert [line async for line in lines] == []
    again = await http.post("/close-query", content=body(queryId=query_id))
    assert again.json()["message"] == f"No query with id {query_id}"


async def test_a_reader_that_goes_takes_its_query_along(engine: EngineAddress, client: KsqlClient, stream: str) -> None:
    content = body(sql=f"SELECT n FROM {stream} EMIT CHANGES;", properties=EARLIEST)
    http = httpx.AsyncClient(base_url=engine.url)
    async with http, http.stream("POST", "/query-stream", content=content) as response:
        lines = response.aiter_lines()
        query_id = json.loads(await anext(lines))["queryId"]
        assert query_id in [query.id for query in await client.queries()]
    async with asyncio.timeout(5):
        while query_id in [query.id for query in await client.queries()]:
            pass


async def test_the_older_endpoint_speaks_streamed_rows(http: httpx.AsyncClient, stream: str) -> None:
    content = body(ksql=f"SELECT n FROM {stream} EMIT CHANGES LIMIT 2;", streamsProperties=EARLIEST)
    response = await http.post("/query", content=content)
    assert response.headers["content-type"] == "application/vnd.ksql.v1+json"
    header, *rows = response.json()
    assert header["header"]["schema"] == "`N` INTEGER"
    assert rows == [{"row": {"columns": [1]}}, {"row": {"columns": [2]}}, {"finalMessage": "Limit Reached"}]


async def test_rows_are_inserted_over_http_2_only(http: httpx.AsyncClient, client: KsqlClient, stream: str) -> None:
    rows = f'{{"target":"{stream}"}}\n{{"k":"x","n":7}}\n{{"k":"y","n":"no"}}\n{{"k":"z","n":8}}\n'.encode()
    response = await http.post("/inserts-stream", content=rows)
    if response.http_version == "HTTP/1.1":
        assert response.json()["error_code"] == 40004
        return
    first, second = (json.loads(line) for line in response.text.splitlines())
    assert first == {"seq": 0, "status": "ok"}
    assert (second["@type"], second["seq"], second["status"]) == ("InsertError", 1, "error")
    assert (await client.pull(f"SELECT k, n FROM {stream} WHERE n > 5;")).rows == [("x", 7)]


async def test_a_query_over_a_web_socket(engine: EngineAddress, stream: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", engine.port)
    socket = WSConnection(ConnectionType.CLIENT)
    asked = json.dumps({"ksql": f"SELECT n FROM {stream} EMIT CHANGES LIMIT 2;", "streamsProperties": EARLIEST})
    writer.write(socket.send(WsRequest(host="127.0.0.1", target=f"/ws/query?request={quote(asked)}")))
    messages: list[Any] = []
    code: int | None = None
    async with asyncio.timeout(20):
        while code is None:
            socket.receive_data(await reader.read(65536))
            for event in socket.events():
                if isinstance(event, Message):
                    assert isinstance(event, TextMessage)
                    messages.append(json.loads(event.data))
                elif isinstance(event, CloseConnection):
                    code = event.code
                else:
                    assert isinstance(event, AcceptConnection)
    writer.close()
    schema = [{"name": "N", "schema": {"type": "INTEGER", "fields": None, "memberSchema": None}}]
    assert messages == [schema, {"row": {"columns": [1]}}, {"row": {"columns": [2]}}]
    assert code == 1000


async def test_a_command_number_is_waited_for(http: httpx.AsyncClient, client: KsqlClient, stream: str) -> None:
    (entity,) = await client.execute(f"CREATE STREAM {stream}_2 AS SELECT * FROM {stream};")
    number = entity["commandSequenceNumber"]
    response = await http.post("/ksql", content=body(ksql="SHOW STREAMS;", commandSequenceNumber=number))
    assert response.status_code == 200
    late = await http.post(
        "/ksql", content=body(ksql="SHOW STREAMS;", commandSequenceNumber=number + 10_000), timeout=20
    )
    assert (late.status_code, late.json()["error_code"]) == (503, 50301)


async def test_command_statuses_are_kept(http: httpx.AsyncClient, stream: str) -> None:
    path = f"/status/stream/{quote(f'`{stream.upper()}`')}/create"
    assert (await http.get(path)).json() == {"status": "SUCCESS", "message": "Stream created", "queryId": None}
    assert (await http.get("/status")).json()["commandStatuses"][f"stream/`{stream.upper()}`/create"] == "SUCCESS"


async def test_a_reader_that_does_not_read_holds_nobody_up(
    engine: EngineAddress, client: KsqlClient, stream: str
) -> None:
    sql = f"SELECT * FROM {stream} EMIT CHANGES;"
    content = body(sql=sql, properties=EARLIEST)
    _, writer = await asyncio.open_connection("127.0.0.1", engine.port, limit=1024)
    writer.write(b"POST /query-stream HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(content), content))
    writer.transport.pause_reading()  # type: ignore[attr-defined]  # of asyncio's own socket transports
    many = 30_000  # far more than what sockets and the engine hold for one reader
    async with AIOKafkaProducer(bootstrap_servers=engine.bootstrap, linger_ms=20) as producer:
        for number in range(many):
            await producer.send(stream, b'{"n":%d,"d":1.00,"pad":"%s"}' % (number, b"x" * 300), key=b"k")
    seen = 0
    async with client.query(sql, properties=EARLIEST, buffer=many + 10) as query, asyncio.timeout(60):
        async for rows in query.batches():
            seen += len(rows)
            if seen >= many:
                break
    stuck = [running for running in await client.queries() if stream.upper() in running.id]
    assert len(stuck) == 1
    writer.close()
    async with asyncio.timeout(10):
        while [running for running in await client.queries() if running.id == stuck[0].id]:
            pass
