"""The login of the embedded services: who comes in, who does not, and where the secrets are."""

import asyncio
import base64
import contextlib
import os
import pwd
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaConnectionError, KafkaError
from confluent_kafka import Producer

import ksqldb.login
from core.settings import Settings
from core.stack import login, postgres
from core.stack.broker.scram import Credential, Exchange, Refused
from core.stack.paths import StackPaths
from ksqldb.client import KsqlClient, KsqlClientError
from ksqldb.kafka import Kafka
from ksqldb.login import is_own_user
from tests import brokers, database, engines
from tests.core.stack.homes import make_home, remove

_OTHERS = 30.0  # seconds


@contextmanager
def broker(folder: Path, *flags: str) -> Iterator[tuple[str, Path]]:
    """The address of a broker run with these flags, and the file of what it says."""
    said = folder / "broker.log"
    with said.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "core.stack.broker", "--listen", "127.0.0.1:0", "--data", str(folder / "k"), *flags],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().split()[1], said
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(_OTHERS)
        process.stdout.close()


@pytest.fixture
def paths(tmp_path: Path) -> StackPaths:
    made = StackPaths(tmp_path / "home")
    for service in ("kafka", "ksqldb"):
        login.make(made.secret(service))
    return made


async def topics(kafka: Kafka) -> set[str]:
    consumer = AIOKafkaConsumer(**kafka.options())
    try:
        await consumer.start()
        return set(await consumer.topics())
    finally:
        await consumer.stop()


def test_a_secret_is_made_once_for_its_user_alone(paths: StackPaths) -> None:
    file = paths.secret("kafka")
    first = file.read_text()
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert len(login.password(file) or "") >= 32
    assert login.make(file).read_text() == first
    assert paths.secret("ksqldb").read_text() != first
    file.write_text("# emptied by hand\n")
    login.make(file)
    assert login.password(file)
    assert file.read_text() != first
    assert file.stat().st_mode & 0o777 == 0o600


def test_clients_and_child_processes_take_the_secret_from_the_home(paths: StackPaths) -> None:
    settings = Settings(home=paths.home)
    kafka = settings.cluster("127.0.0.1:9092")
    secret = login.password(paths.secret("kafka"))
    assert (kafka.sasl_mechanism, kafka.username, kafka.password) == ("SCRAM-SHA-256", login.USER, secret)
    assert str(secret) not in repr(kafka)
    child = settings.environment_at("127.0.0.1:9092", "http://127.0.0.1:8088", "postgresql://postgres@/postgres")
    assert child["STREAMGUARD_KAFKA_PASSWORD"] == secret
    of_child = {name.removeprefix("STREAMGUARD_").lower(): value for name, value in child.items()}
    assert Settings.model_validate(of_child).cluster("127.0.0.1:9092") == kafka
    url = login.url(paths, "http://127.0.0.1:8088")
    assert url == f"http://{login.USER}:{login.password(paths.secret('ksqldb'))}@127.0.0.1:8088"


def test_a_stack_of_an_earlier_version_has_no_login(tmp_path: Path) -> None:
    assert Settings(home=tmp_path).cluster("127.0.0.1:9092") == Kafka("127.0.0.1:9092")
    assert login.url(StackPaths(tmp_path), "http://127.0.0.1:8088") == "http://127.0.0.1:8088"


async def test_the_broker_serves_who_knows_the_secret_and_tells_who_does_not(
    paths: StackPaths, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with broker(tmp_path, "--users", str(paths.secret("kafka"))) as (address, said):
        known = login.cluster(paths, address)
        failed: list[object] = []
        producer = Producer(known.librdkafka())
        producer.produce("payments", b"1", on_delivery=lambda error, _: failed.append(error))
        assert producer.flush(_OTHERS) == 0
        assert failed == [None]
        assert await topics(known) == {"payments"}

        wrong = Kafka(address, "SASL_PLAINTEXT", "SCRAM-SHA-256", login.USER, "guessed")
        with pytest.raises(KafkaError):
            await topics(wrong)
        assert "the user or the password is not right" in caplog.text
        with pytest.raises(KafkaError):
            await topics(Kafka(address, "SASL_PLAINTEXT", "SCRAM-SHA-256", "somebody", known.password))
        with pytest.raises(KafkaError):  # no mechanism that would send the secret itself
            await topics(Kafka(address, "SASL_PLAINTEXT", "PLAIN", login.USER, known.password))
        with pytest.raises(KafkaConnectionError):
            await topics(Kafka(address))
        text = said.read_text()
        assert "a login from 127.0.0.1 was refused: the user or the password is not right" in text
        assert "Metadata before a login; this port wants SASL_PLAINTEXT with SCRAM-SHA-256" in text
        assert str(known.password) not in text


@pytest.mark.skipif(sys.platform != "linux", reason="who is at the other end is asked of Linux")
async def test_tools_of_the_same_user_need_no_login_at_the_broker(paths: StackPaths, tmp_path: Path) -> None:
    with broker(tmp_path, "--users", str(paths.secret("kafka")), "--own-user") as (address, _):
        assert await topics(Kafka(address)) == set()
        assert await topics(login.cluster(paths, address)) == set()
        with pytest.raises(KafkaError):  # who tries a password has to have the right one
            await topics(Kafka(address, "SASL_PLAINTEXT", "SCRAM-SHA-256", login.USER, "guessed"))


async def test_a_broker_without_users_has_no_login(tmp_path: Path) -> None:
    with broker(tmp_path) as (address, _):
        assert await topics(Kafka(address)) == set()
        with pytest.raises(KafkaError):
            await topics(Kafka(address, "SASL_PLAINTEXT", "SCRAM-SHA-256", "a", "b"))


@pytest.mark.skipif(sys.platform != "linux", reason="who is at the other end is asked of Linux")
async def test_the_engine_serves_its_own_user_and_who_knows_the_secret(paths: StackPaths, tmp_path: Path) -> None:
    users = ("--users", str(paths.secret("ksqldb")))
    with brokers.running(tmp_path / "kafka") as kafka:
        engine = engines.EngineProcess(kafka.address, tmp_path / "open", flags=(*users, "--own-user"))
        engine.start()
        try:
            async with KsqlClient(engine.url) as client:
                await client.info()
            async with KsqlClient(login.url(paths, engine.url)) as client:
                await client.info()
            async with KsqlClient(engine.url, auth=(login.USER, "guessed")) as client:
                with pytest.raises(KsqlClientError, match="Unauthorized"):
                    await client.info()
        finally:
            engine.kill(signal.SIGTERM)


@pytest.mark.skipif(sys.platform != "linux", reason="who is at the other end is asked of Linux")
@pytest.mark.parametrize("address", ["127.0.0.1", "::ffff:127.0.0.1"])
def test_the_kernel_tells_whose_connection_it_is(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(family) as client:
        port = server.getsockname()[1]
        client.connect((address, port))
        accepted, peer = server.accept()
        with accepted:
            ends = peer, server.getsockname()
            assert is_own_user(*ends)
            assert ksqldb.login._owner_by_proc(*ends) == os.geteuid()  # where a sandbox has no netlink
            assert not is_own_user((peer[0], port), server.getsockname())  # nobody is connected from there
            for owner, served in ((os.geteuid(), True), (0, True), (os.geteuid() + 1, False), (None, False)):
                monkeypatch.setattr(ksqldb.login, "_owner_by_netlink", lambda *_, owner=owner: owner)
                assert is_own_user(*ends) is served
            monkeypatch.undo()
            client.close()  # who has hung up has no owner any more that could be trusted
            assert not is_own_user(*ends)
            assert ksqldb.login._owner_by_proc(*ends) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="to connect as another user takes root")
def test_another_user_of_the_machine_is_refused(paths: StackPaths, tmp_path: Path) -> None:
    nobody = pwd.getpwnam("nobody").pw_uid
    metadata = bytes.fromhex("0000000e 0003 0001 00000001 ffff ffffffff")
    with broker(tmp_path, "--users", str(paths.secret("kafka")), "--own-user") as (address, said):
        host, _, port = address.partition(":")
        answers = []
        for user in (os.geteuid(), nobody):
            os.seteuid(user)
            try:
                client = socket.create_connection((host, int(port)), timeout=_OTHERS)
            finally:
                os.seteuid(os.getuid())
            with client, contextlib.suppress(ConnectionResetError):
                client.sendall(metadata)
                answers.append(client.recv(1000))
        assert host.encode() in answers[0]
        assert answers[1:] in ([], [b""])
        assert "Metadata before a login" in said.read_text()


@pytest.mark.parametrize(
    "message", [b"", b"\xff", b"n,,n=a", b"n,,n=streamguard", b"p=tls,,n=streamguard,r=x", b"n,,n=somebody,r=x"]
)
def test_what_is_no_first_message_is_refused(message: bytes) -> None:
    with pytest.raises(Refused):
        Exchange({"streamguard": Credential.of("right")}).answer(message)


def test_a_proof_holds_for_its_own_exchange_and_once() -> None:
    credentials = {"streamguard": Credential.of("right")}
    exchange = Exchange(credentials)
    first = dict(part.split("=", 1) for part in exchange.answer(b"n,,n=streamguard,r=abc").decode().split(","))
    assert first["r"].startswith("abc")
    for proof in ("", "AAAA", base64.b64encode(bytes(32)).decode(), "not base64"):
        with pytest.raises(Refused):
            exchange.answer(f"c=biws,r={first['r']},p={proof}".encode())
    assert not exchange.done


@pytest.mark.skipif(os.geteuid() != 0, reason="to connect as another user takes root")
def test_postgresql_serves_the_user_of_the_stack_alone() -> None:
    home = make_home()
    dsn = postgres.dsn(home / "run")
    postgres.initialise(home / "postgres")
    postgres.let_own_user_in(home / "postgres")
    server = postgres.start(home / "postgres", home / "run", home / "log")
    try:
        asyncio.run(database.ready(dsn, home / "log"))
        psql = [str(postgres.binaries() / "psql"), dsn, "-Atc", "select current_user"]
        own, servers = (
            subprocess.run(psql, capture_output=True, text=True, check=False, cwd="/", **postgres.run_as(user))
            for user in (None, postgres.identity())
        )
        assert own.stdout.strip() == postgres.SUPERUSER
        assert "Peer authentication failed" in servers.stderr
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(_OTHERS)
        remove(home)
