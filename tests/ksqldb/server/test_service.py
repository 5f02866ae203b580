"""The server's process: its options, its start and its end."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from ksqldb.client import KsqlClient, KsqlServerError, KsqlUnavailable
from tests.brokers import Broker
from tests.ksqldb.conftest import EngineAddress


@asynccontextmanager
async def server(bootstrap: str, *arguments: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """An engine of one's own; its process and URL once it says that it is ready."""
    command = [sys.executable, "-m", "ksqldb.engine", "--listen", "127.0.0.1:0", "--bootstrap", bootstrap, *arguments]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            line = (await process.stdout.readline()).decode()
        yield process, line.split()[-1]
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ksqldb.engine", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_cleanly_and_readers_see_a_clean_end(
    engine: EngineAddress, name: str, signum: signal.Signals
) -> None:
    async with server(engine.bootstrap) as (process, url), KsqlClient(url) as client:
        await client.execute(
            f"CREATE STREAM {name} (n INT) WITH (KAFKA_TOPIC='{name}', VALUE_FORMAT='JSON', PARTITIONS=1);"
        )
        async with httpx.AsyncClient(base_url=url, timeout=20) as http:
            asked = json.dumps({"sql": f"SELECT * FROM {name} EMIT CHANGES;"})
            async with http.stream("POST", "/query-stream", content=asked) as response:
                lines = response.aiter_lines()
                assert "queryId" in await anext(lines)
                process.send_signal(signum)
                assert [line async for line in lines] == []  # httpx raises where the chunks are cut
        async with asyncio.timeout(20):
            assert await process.wait() == 0


async def test_what_was_deployed_is_there_again_after_a_restart(
    engine: EngineAddress, name: str, tmp_path: Path
) -> None:
    data = ("--data", str(tmp_path / "data"))
    async with server(engine.bootstrap, *data) as (process, url), KsqlClient(url) as client:
        await client.execute(
            f"CREATE STREAM {name} (k VARCHAR KEY, n INT) "
            f"WITH (KAFKA_TOPIC='{name}', VALUE_FORMAT='JSON', PARTITIONS=1);"
        )
        await client.execute(
            f"CREATE STREAM {name}_out AS SELECT * FROM {name} WHERE n > 1;",
            properties={"auto.offset.reset": "earliest"},
        )
        before = await client.queries()
        process.send_signal(signal.SIGKILL)
        await process.wait()
    await engine.produce(name, [("a", {"n": 1}), ("b", {"n": 2})])
    async with server(engine.bootstrap, *data) as (_, url), KsqlClient(url) as client:
        assert [query.id for query in await client.queries()] == [query.id for query in before]
        query = client.query(
            f"SELECT k FROM {name}_out EMIT CHANGES LIMIT 1;", properties={"auto.offset.reset": "earliest"}
        )
        async with query, asyncio.timeout(20):
            assert [row async for batch in query.batches() for row in batch] == [("b",)]


async def test_requests_before_kafka_is_there_are_told_to_wait(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    broker = Broker(tmp_path / "broker")
    broker.start()
    broker.kill()  # its address is known now, and nobody is there
    command = [sys.executable, "-m", "ksqldb.engine", "--listen", f"127.0.0.1:{port}", "--bootstrap", broker.address]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        async with KsqlClient(f"http://127.0.0.1:{port}") as client, asyncio.timeout(60):
            while (told := await _refusal(client)) is None or "not yet ready" not in told:
                pass
            broker.start()
            assert process.stdout is not None
            assert b"ready" in await process.stdout.readline()
            assert (await client.info()).status == "RUNNING"
    finally:
        process.terminate()
        await process.wait()
        broker.kill()


async def _refusal(client: KsqlClient) -> str | None:
    try:
        await client.info()
    except KsqlUnavailable as problem:
        return str(problem)
    return None


async def test_passwords_are_asked_for(engine: EngineAddress, tmp_path: Path) -> None:
    users = tmp_path / "users"
    users.write_text("# who may\nana: s3cret,admin\n")
    async with server(engine.bootstrap, "--users", str(users)) as (_, url):
        async with KsqlClient(url) as client:
            with pytest.raises(KsqlServerError, match="Unauthorized") as caught:
                await client.info()
            assert caught.value.error_code == 40100
            assert await client.healthy()  # open to probes
        async with KsqlClient(url, auth=("ana", "wrong")) as client:
            with pytest.raises(KsqlServerError, match="Unauthorized"):
                await client.execute("SHOW STREAMS;")
        async with KsqlClient(url, auth=("ana", "s3cret")) as client:
            assert (await client.info()).version == "0.29.0"


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 that vouches for itself, and its key."""
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    extra = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    try:
        subprocess.run([*command, *extra], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    return certificate, key


async def test_https_with_a_certificate_of_ones_own(engine: EngineAddress, certificate: tuple[Path, Path]) -> None:
    files = ("--tls-certificate", str(certificate[0]), "--tls-key", str(certificate[1]))
    async with server(engine.bootstrap, *files) as (_, url):
        assert url.startswith("https://")
        trusted = ssl.create_default_context(cafile=str(certificate[0]))
        for http2 in (False, True):
            async with KsqlClient(url, tls=trusted, http2=http2) as client:
                assert (await client.info()).status == "RUNNING"
        async with KsqlClient(f"{url}?sslrootcert={certificate[0]}") as client:
            assert (await client.info()).status == "RUNNING"
            assert client.url == url
        async with KsqlClient(url) as client:
            with pytest.raises(KsqlUnavailable, match="certificate"):
                await client.info()


@pytest.mark.parametrize(
    ("query", "says"),
    [("sslrootcert=/nowhere.pem", "cannot be used"), ("sslcert=/nowhere.pem", "cannot be used"), ("ca=x", "not 'ca'")],
)
def test_a_certificate_in_the_address_that_cannot_be_used_is_said(query: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        KsqlClient(f"https://me:hidden@q:8088?{query}")


async def test_push_queries_are_limited(engine: EngineAddress, stream: str) -> None:
    async with server(engine.bootstrap, "--property", "ksql.max.push.queries=1") as (_, url), KsqlClient(url) as client:
        await client.execute(f"CREATE STREAM {stream} (n INT) WITH (KAFKA_TOPIC='{stream}', VALUE_FORMAT='JSON');")
        sql = f"SELECT n FROM {stream} EMIT CHANGES;"
        async with client.query(sql):
            with pytest.raises(KsqlServerError, match=r"Current push query count: 1\. Configured limit: 1"):
                async with client.query(sql):
                    pass
            assert len(await client.queries()) == 1
        async with client.query(sql) as query:
            assert query.columns


def test_a_port_that_is_taken_is_told(engine: EngineAddress) -> None:
    done = run("--listen", f"127.0.0.1:{engine.port}", "--bootstrap", engine.bootstrap)
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{engine.port}" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--listen", "8088", "--bootstrap", "x:1"], "--listen 8088: expected HOST:PORT"),
        (["--listen", "127.0.0.1:99999", "--bootstrap", "x:1"], "expected HOST:PORT"),
        (["--bootstrap", "x:1", "--property", "novalue"], "--property novalue: expected NAME=VALUE"),
        ([], "--bootstrap"),
    ],
)
def test_bad_options_are_told(arguments: list[str], message: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert message in done.stderr


def test_a_bad_users_file_is_told(tmp_path: Path) -> None:
    users = tmp_path / "users"
    users.write_text("ana: x\nnonsense\n")
    done = run("--listen", "127.0.0.1:0", "--bootstrap", "x:1", "--users", str(users))
    assert (done.returncode, "line 2: expected 'name: password[,role]'" in done.stderr) == (1, True)


async def test_the_one_server_tells_of_itself_where_heartbeats_are_on(engine: EngineAddress, stream: str) -> None:
    async with server(engine.bootstrap, "--property", "ksql.heartbeat.enable=true") as (_, url):
        async with KsqlClient(url) as client:
            await client.execute(
                f"CREATE STREAM {stream} (k VARCHAR KEY, n INT) WITH (KAFKA_TOPIC='{stream}', VALUE_FORMAT='JSON');"
            )
            (made,) = await client.execute(f"CREATE TABLE {stream}_t AS SELECT n, COUNT(*) FROM {stream} GROUP BY n;")
        async with httpx.AsyncClient(base_url=url) as http:
            (status,) = (await http.get("/clusterStatus")).json()["clusterStatus"].values()
            assert (await http.post("/heartbeat", content=b"{}")).json() == {"isOk": True}
    query_id = made["commandStatus"]["queryId"]
    assert status["hostAlive"] is True
    assert status["activeStandbyPerQuery"][query_id]["activeStores"] == ["Aggregate-Aggregate-Materialize"]
    topics = [place["topic"] for place in status["activeStandbyPerQuery"][query_id]["activePartitions"]]
    assert topics == [stream, f"_confluent-ksql-default_query_{query_id}-Aggregate-GroupBy-repartition"]


@pytest.mark.parametrize(
    ("properties", "statement", "status", "message"),
    [
        ({"auto.offset.reset": "sideways"}, "SHOW STREAMS;", 400,
         "Failed to coerce type of value 'sideways' for key 'auto.offset.reset'\nCaused by: Invalid value sideways for "
         "configuration auto.offset.reset: String\n\tmust be one of: latest, earliest, none"),
        ({"ksql.streams.commit.interval.ms": "soon"}, "SHOW STREAMS;", 400,
         "Failed to coerce type of value 'soon' for key 'ksql.streams.commit.interval.ms'\nCaused by: Invalid value "
         "soon for configuration commit.interval.ms: Not a number\n\tof type LONG"),
        ({"ksql.service.id": "x"}, "SHOW STREAMS;", 400,
         "One or more properties overrides set locally are prohibited by the KSQL server (use UNSET to reset their "
         "default value): [ksql.service.id]"),
        ({"foo.bar": "x"}, "SHOW STREAMS;", 500,
         "Not recognizable as ksql, streams, consumer, or producer property: 'foo.bar'"),
        ({}, "SET 'foo.bar'='x';", 400, "Unknown property: foo.bar"),
        ({}, "SET 'auto.offset.reset'='sideways';", 400,
         "Invalid value sideways for configuration auto.offset.reset: String must be one of: latest, earliest, none"),
    ],
)  # fmt: skip
async def test_properties_are_refused_as_a_real_server_refuses_them(
    engine: EngineAddress, properties: dict[str, str], statement: str, status: int, message: str
) -> None:
    async with httpx.AsyncClient(base_url=engine.url) as http:
        response = await http.post("/ksql", json={"ksql": statement, "streamsProperties": properties})
    assert (response.status_code, response.json()["message"]) == (status, message)
