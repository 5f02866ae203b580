"""Apache Kafka for tests: fetched once by Maven, one KRaft node on loopback, its data in a folder of the test."""

import base64
import os
import shutil
import signal
import socket
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

VERSION = "3.9.1"
_POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>stream-guard</groupId><artifactId>kafka-for-tests</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{VERSION}</version></dependency>
  </dependencies>
</project>
"""
_PROPERTIES = """process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{broker}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
num.partitions=4
"""


def _jars() -> Path:
    """The folder of Kafka's jars. Skips the test where Java, Maven or the repository is missing."""
    for tool in ("java", "mvn"):
        if shutil.which(tool) is None:
            pytest.skip(f"Apache Kafka needs {tool}")
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "stream-guard" / f"kafka-{VERSION}"
    if not (cache / "complete").exists():
        cache.mkdir(parents=True, exist_ok=True)
        (cache / "pom.xml").write_text(_POM)
        fetched = subprocess.run(
            ["mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=lib"],
            cwd=cache,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        if fetched.returncode:
            pytest.skip(f"Maven could not fetch Apache Kafka: {fetched.stdout[-300:]}")
        (cache / "complete").touch()
    return cache / "lib"


def _free_ports(count: int) -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """Run one node; yields its bootstrap address."""
    classes = str(_jars() / "*")
    broker, controller = _free_ports(2)
    properties = folder / "server.properties"
    properties.write_text(_PROPERTIES.format(broker=broker, controller=controller, data=folder / "data"))
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    java = ["java", "-Xmx512m", "-cp", classes]
    subprocess.run([*java, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", properties], check=True)
    with (folder / "kafka.log").open("wb") as log:
        process = subprocess.Popen([*java, "kafka.Kafka", str(properties)], stdout=log, stderr=log)
    try:
        _until_it_answers(f"127.0.0.1:{broker}", process)
        yield f"127.0.0.1:{broker}"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(30)


def _until_it_answers(address: str, process: subprocess.Popen[bytes]) -> None:
    admin = AdminClient({"bootstrap.servers": address, "log_level": 0})
    for _ in range(60):
        assert process.poll() is None, "Apache Kafka ended while it was starting"
        try:
            admin.list_topics(timeout=1.0)
        except KafkaException:
            continue
        return
    raise AssertionError("Apache Kafka did not answer within a minute")
