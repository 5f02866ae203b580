"""A secured Apache Kafka: every way of logging in by the program's settings, both client libraries; least rights."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import shlex
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

import core
from core.failures import explain
from core.kafka.admin import ensure_topics, offsets
from core.kafka.commands import Cluster
from core.kafka.connection import Kafka
from core.kafka.handler import BatchResult, PartitionBatch
from core.kafka.inlet import GROUP, Inlet
from core.kafka.rights import RightMissing
from core.settings import load
from core.stack.client import stop_stack
from core.stack.external import external
from core.stack.state import DOWN, UP
from core.workers.sender import TOPICS, Outgoing, Sender
from ksqldb import rulebook
from tests.core.kafka import intake
from tests.core.stack.homes import make_home, remove
from tests.real.apache_kafka import ApacheKafka, cluster
from tests.real.certificates import KEY_PASSWORD, Authority

pytestmark = pytest.mark.xdist_group("secured-kafka")
PASSWORD = "planted-kafka-password"
USER = "guard"
_MODULES = "org.apache.kafka.common.security"
_PLAIN = f'{_MODULES}.plain.PlainLoginModule required user_plain="{PASSWORD}";'
_SCRAM = f"{_MODULES}.scram.ScramLoginModule required;"
_OAUTH = f'{_MODULES}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";'


@dataclass(frozen=True)
class Secured:
    kafka: ApacheKafka
    authority: Authority
    folder: Path


def _properties(folder: Path, authority: Authority) -> dict[str, str]:
    certificate, key = authority.sign("broker")
    store = folder / "broker-store.pem"
    store.write_bytes(key.read_bytes() + certificate.read_bytes())
    properties = {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(store),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(authority.ca),
        "ssl.client.auth": "requested",
        "listener.name.sasl_ssl.ssl.client.auth": "none",
        "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",  # the plain listener is the tests' own way in
        "auto.create.topics.enable": "false",
    }
    for listener in ("sasl_ssl", "sasl_plaintext"):
        for mechanism, module in (
            ("plain", _PLAIN),
            ("scram-sha-256", _SCRAM),
            ("scram-sha-512", _SCRAM),
            ("oauthbearer", _OAUTH),
        ):
            properties[f"listener.name.{listener}.{mechanism}.sasl.jaas.config"] = module
    return properties


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    folder = tmp_path_factory.mktemp("secured-kafka")
    authority = Authority(folder)
    with cluster(folder, 1, ("SSL", "SASL_SSL", "SASL_PLAINTEXT"), _properties(folder, authority)) as made:
        admin = AdminClient({"bootstrap.servers": made.bootstrap})
        credentials = [
            UserScramCredentialUpsertion(USER, ScramCredentialInfo(mechanism, 4096), PASSWORD.encode())
            for mechanism in (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512)
        ]
        # One mechanism a call: two of one user in one are refused as duplicates.
        for credential in credentials:
            for done in admin.alter_user_scram_credentials([credential]).values():
                done.result(30)
        yield Secured(made, authority, folder)


def _binding(who: str, operation: AclOperation, resource: ResourceType, name: str) -> AclBinding:
    return AclBinding(
        resource, name, ResourcePatternType.LITERAL, f"User:{who}", "*", operation, AclPermissionType.ALLOW
    )


def grant(kafka: ApacheKafka, who: str, rights: list[tuple[AclOperation, ResourceType, str]]) -> None:
    """Give these rights and no others."""
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    every = AclBindingFilter(
        ResourceType.ANY, None, ResourcePatternType.ANY, f"User:{who}", None, AclOperation.ANY, AclPermissionType.ANY
    )
    for deleted in admin.delete_acls([every]).values():
        deleted.result(30)
    bindings = [_binding(who, operation, resource, name) for operation, resource, name in rights]
    for made in admin.create_acls(bindings).values() if bindings else ():
        made.result(30)
    while set(admin.describe_acls(every).result(30)) != set(bindings):  # brokers learn of them a moment later
        pass


def unsecured_token(subject: str) -> str:
    """A token as the broker's validator for development takes it: not signed."""

    def part(value: Mapping[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    now = int(time.time())
    return f"{part({'alg': 'none'})}.{part({'sub': subject, 'iat': now - 60, 'exp': now + 3600})}."


def _ways(secured: Secured) -> dict[str, tuple[str, dict[str, object]]]:
    """Name -> (principal, settings)."""
    ca = str(secured.authority.ca)
    certificate, key = secured.authority.sign("client", password=KEY_PASSWORD)
    mtls = {"kafka_cert_file": str(certificate), "kafka_key_file": str(key), "kafka_key_password": KEY_PASSWORD}
    login = {"kafka_username": USER, "kafka_password": PASSWORD}
    printed = f"printf %s {shlex.quote(unsecured_token('service'))}"
    return {
        "TLS": ("ANONYMOUS", {"protocol": "SSL", "kafka_ca_file": ca}),
        "mTLS": ("CN=client", {"protocol": "SSL", "kafka_ca_file": ca, **mtls}),
        "PLAIN": ("plain", _sasl("PLAIN", ca, kafka_username="plain", kafka_password=PASSWORD)),
        "SCRAM-SHA-256": (USER, _sasl("SCRAM-SHA-256", ca, **login)),
        "SCRAM-SHA-512": (USER, _sasl("SCRAM-SHA-512", ca, **login)),
        "OAUTHBEARER": ("service", _sasl("OAUTHBEARER", ca, kafka_token_command=printed)),
        "SCRAM without TLS": (
            USER,
            {"protocol": "SASL_PLAINTEXT", "kafka_sasl_mechanism": "SCRAM-SHA-512", **login},
        ),
    }


def _sasl(mechanism: str, ca: str, **login: object) -> dict[str, object]:
    return {"protocol": "SASL_SSL", "kafka_sasl_mechanism": mechanism, "kafka_ca_file": ca, **login}


def _settings(secured: Secured, tmp_path: Path, given: Mapping[str, object], **change: object) -> Any:
    made = {**given, **change}
    protocol = str(made.pop("protocol"))
    return load(home=tmp_path, kafka=secured.kafka.listeners[protocol], kafka_security_protocol=protocol, **made)


@pytest.mark.parametrize(
    "way", ["TLS", "mTLS", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER", "SCRAM without TLS"]
)
async def test_both_clients_log_in_by_the_settings(way: str, secured: Secured, tmp_path: Path) -> None:
    who, given = _ways(secured)[way]
    settings = _settings(secured, tmp_path, given)
    kafka = settings.cluster(settings.kafka)
    topic = f"t-{way}".replace(" ", "-")
    grant(
        secured.kafka,
        who,
        [
            (AclOperation.CREATE, ResourceType.TOPIC, topic),
            (AclOperation.READ, ResourceType.TOPIC, topic),
            (AclOperation.WRITE, ResourceType.TOPIC, topic),
        ],
    )
    async with asyncio.timeout(60):
        assert [service.state for service in await external(settings)] == [UP]
        await ensure_topics(kafka, {topic: 1})
        producer = AIOKafkaProducer(**kafka.options(), enable_idempotence=True)
        await producer.start()
        await producer.send_and_wait(topic, b"value")
        await producer.stop()
        consumer = AIOKafkaConsumer(topic, **kafka.options(), auto_offset_reset="earliest")
        await consumer.start()
        assert (await consumer.getone()).value == b"value"
        await consumer.stop()
    assert (await asyncio.to_thread(lambda: Cluster(kafka).refresh()))[topic] == 1
    assert PASSWORD not in repr(settings) + repr(kafka)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"kafka_password": "wrong-word"}, "uthentication failed"),
        ({"kafka_username": "nobody"}, "uthentication failed"),
        ({"kafka_ca_file": None}, "kafka|bootstrap|certificate"),
    ],
)
async def test_a_login_that_fails_is_said_to_have(
    change: dict[str, object], says: str, secured: Secured, tmp_path: Path
) -> None:
    _, given = _ways(secured)["SCRAM-SHA-512"]
    settings = _settings(secured, tmp_path, {**given, **change})
    (found,) = await external(settings)
    assert found.state == DOWN
    assert re.search(says, found.detail), found.detail
    assert "wrong-word" not in repr(found)


async def test_a_certificate_of_another_host_or_authority_is_refused(secured: Secured, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    _, given = _ways(secured)["SCRAM-SHA-512"]
    stranger = _settings(secured, tmp_path, given, kafka_ca_file=str(Authority(other).ca))
    (found,) = await external(stranger)
    assert found.state == DOWN
    elsewhere = secured.kafka.listeners["SASL_SSL"].replace("127.0.0.1", "localhost")  # not what the certificate names
    moved = _settings(secured, tmp_path, given).model_copy(update={"kafka": elsewhere})
    (found,) = await external(moved)
    assert found.state == DOWN


# -------------------------------------------------------------------------------------------------------- least rights

TOPIC = ResourceType.TOPIC
OWN = tuple(TOPICS)
LEAST = [
    *((operation, TOPIC, name) for name in OWN for operation in (AclOperation.READ, AclOperation.WRITE)),
    (AclOperation.READ, ResourceType.GROUP, GROUP),
]


@pytest.fixture
async def owner(secured: Secured) -> Kafka:
    """A user of the program, with its topics made and no rights yet."""
    plain = Kafka(secured.kafka.bootstrap)
    await ensure_topics(plain, TOPICS)
    _, given = _ways(secured)["SCRAM-SHA-256"]
    settings = _settings(secured, secured.folder, given)
    made: Kafka = settings.cluster(settings.kafka)
    return made


class _Ignoring:
    def state(self, partition: int) -> None:
        return None

    async def handle(self, conn: Any, batches: Sequence[PartitionBatch[None]]) -> BatchResult:
        return BatchResult()


async def _committed(seen: Kafka) -> bool:
    """Whether the group's offsets are to be seen in Kafka."""
    return any(found.committed for found in await offsets(seen, ["transactions"], GROUP))


async def _take_in(kafka: Kafka, dsn: str, worker: str, seen: Kafka | None = None) -> tuple[int, str | None]:
    """Let an inlet run until it has taken a record in or says what is wrong; (records, what it says). ``seen``: also
    until its offsets are seen from there."""
    inlet = Inlet(
        kafka=kafka,
        dsn=dsn,
        topics={"transactions": lambda record: record.value or b""},
        handler=_Ignoring(),
        worker_id=worker,
    )
    running = asyncio.create_task(inlet.run())
    async with asyncio.timeout(60):
        while not (inlet.status.records or (inlet.status.last_error or "").count("kafka-acls")):
            await asyncio.wait({running}, timeout=0.05)
        while seen is not None and inlet.status.records and not await _committed(seen):
            await asyncio.wait({running}, timeout=0.05)
    inlet.stop()
    await running
    return inlet.status.records, inlet.status.last_error


async def test_least_rights_carry_payments_in_and_out(owner: Kafka, secured: Secured, postgres_dsn: str) -> None:
    grant(secured.kafka, USER, LEAST)
    async with asyncio.timeout(90), Sender(owner) as sender:
        await sender.send([Outgoing(name, b"account", b"{}", 1) for name in OWN])
    records, said = await _take_in(owner, postgres_dsn, "least", Kafka(secured.kafka.bootstrap))
    assert records > 0
    assert said is None


async def _send_one(owner: Kafka) -> None:
    async with asyncio.timeout(60), Sender(owner) as sender:
        await sender.send([Outgoing("transactions", b"account", b"{}", 1)])


@pytest.mark.parametrize(
    ("right", "act"),
    [
        ((AclOperation.WRITE, TOPIC, "transactions"), _send_one),
        ((AclOperation.CREATE, TOPIC, "new"), lambda owner: ensure_topics(owner, {"new": 1})),
        (
            (AclOperation.DESCRIBE_CONFIGS, TOPIC, "transactions"),
            lambda owner: asyncio.to_thread(lambda: Cluster(owner).settings("transactions")),
        ),
        (
            (AclOperation.CREATE, TOPIC, "new"),
            lambda owner: asyncio.to_thread(lambda: Cluster(owner).create("new", 1, 1, {})),
        ),
        (
            (AclOperation.DELETE, TOPIC, "transactions"),
            lambda owner: asyncio.to_thread(lambda: Cluster(owner).delete("transactions")),
        ),
        (
            (AclOperation.DESCRIBE, ResourceType.GROUP, "others"),
            lambda owner: asyncio.to_thread(lambda: Cluster(owner).committed("others")),
        ),
        (
            (AclOperation.DELETE, ResourceType.GROUP, "others"),
            lambda owner: asyncio.to_thread(lambda: Cluster(owner).forget("others")),
        ),
    ],
)
async def test_each_missing_right_is_named(
    right: tuple[AclOperation, ResourceType, str],
    act: Callable[[Kafka], Awaitable[object]],
    owner: Kafka,
    secured: Secured,
) -> None:
    grant(secured.kafka, USER, [held for held in LEAST if held != right])
    operation, resource, name = right
    spelled = "".join(word.capitalize() for word in operation.name.split("_"))
    with pytest.raises(RightMissing) as caught:
        await act(owner)
    assert f"--allow-principal User:{USER} --operation {spelled} --{resource.name.lower()} {name}" in str(caught.value)
    assert explain(caught.value) == (1, str(caught.value))


@pytest.mark.parametrize(
    ("lacks", "says"),
    [
        ((AclOperation.READ, TOPIC, "transactions"), "--operation Read --topic transactions"),
        ((AclOperation.READ, ResourceType.GROUP, GROUP), f"--operation Read --group {GROUP}"),
    ],
)
async def test_the_inlet_names_what_it_lacks(
    lacks: tuple[AclOperation, ResourceType, str], says: str, owner: Kafka, secured: Secured, postgres_dsn: str
) -> None:
    await intake.send(Kafka(secured.kafka.bootstrap), [b"{}"])
    grant(secured.kafka, USER, [held for held in LEAST if held != lacks])
    _, said = await _take_in(owner, postgres_dsn, "lacking")
    assert said is not None
    assert says in said


async def test_a_producer_without_any_write_says_so(owner: Kafka, secured: Secured) -> None:
    grant(secured.kafka, USER, [held for held in LEAST if held[0] is not AclOperation.WRITE])
    with pytest.raises(RightMissing, match="Write"):
        await _send_one(owner)


async def test_the_whole_pipeline_runs_over_tls_with_least_rights(
    owner: Kafka, secured: Secured, tmp_path: Path
) -> None:
    """The program's own command, its engine and PostgreSQL embedded, everything it prints and writes searched."""
    # The embedded engine is this user too: each rule that makes a table has a topic of the rule's name.
    tables = [name for rule in rulebook.load().rules.values() for name in rule.creates if name.lower() == rule.id]
    own = (AclOperation.CREATE, AclOperation.READ, AclOperation.WRITE)
    engine = [(operation, TOPIC, name.lower()) for name in tables for operation in own]
    grant(secured.kafka, USER, [*LEAST, *engine])
    home = make_home()
    settings = _settings(secured, home, _ways(secured)["SCRAM-SHA-512"][1])
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "core.cli", "run", "--headless", "--for", "3s", "--rate", "40", "--json"),
        env={**os.environ, **settings.environment(), "PYTHONPATH": str(Path(core.__file__).parents[1])},
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(110):
            out, told = await process.communicate()
        assert process.returncode == 0, told.decode() + "".join(f.read_text()[-3000:] for f in home.rglob("*.log"))
        summary = json.loads(out.decode().splitlines()[-1])
        assert summary["lost"] == summary["duplicates"] == 0
        assert summary["transactions"] > 0
        assert summary["alerts"] > 0
        files = [file for file in home.rglob("*") if file.is_file()]
        assert PASSWORD.encode() not in out + told + b"".join(file.read_bytes() for file in files)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        await stop_stack(home)
        remove(home)
