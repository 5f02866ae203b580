"""Apache Kafka for tests: fetched once by Maven, KRaft nodes on loopback, their data in a folder of the test."""

from __future__ import annotations

import base64
import fcntl
import functools
import os
import shutil
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

VERSION = "3.9.1"
HOST = "127.0.0.1"
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


def missing(why: str) -> None:
    """Skip the test; a machine that is to run them all (``STREAMGUARD_REAL=must``) fails instead."""
    if os.environ.get("STREAMGUARD_REAL") == "must":
        pytest.fail(why)
    pytest.skip(why)


def _jars() -> Path:
    """The folder of Kafka's jars. Skips the test where Java, Maven or the repository is missing."""
    folder, problem = fetched()
    if problem:
        missing(problem)
    return folder / "lib"


@functools.cache
def fetched() -> tuple[Path, str]:
    """The folder with Kafka's jars in ``lib``, and why they could not be fetched; processes wait for one another."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "stream-guard" / f"kafka-{VERSION}"
    for tool in ("java", "mvn"):
        if shutil.which(tool) is None:
            return cache, f"Apache Kafka needs {tool}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (cache / "complete").exists():
            return cache, ""
        (cache / "pom.xml").write_text(_POM)
        run = subprocess.run(
            ["mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=lib"],
            cwd=cache,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        if run.returncode:
            return cache, f"Maven could not fetch Apache Kafka: {run.stdout[-300:]}"
        (cache / "complete").touch()
        return cache, ""


def free_ports(count: int) -> list[int]:
    probes = [socket.create_server((HOST, 0)) for _ in range(count)]
    try:
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


class ApacheKafka:
    """A cluster of one node or more. ``listeners`` are further ones: a security protocol -> its address, made here.

    ``properties`` win over the usual ones. A node that was killed can be started again on its data and ports.
    """

    def __init__(
        self,
        folder: Path,
        nodes: int = 1,
        protocols: tuple[str, ...] = (),
        properties: Mapping[str, str] | None = None,
    ) -> None:
        self._folder = folder
        self._java = ["java", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", str(_jars() / "*")]
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        # Its first letter is an A: one that begins with a minus would be taken for an option.
        self._id = base64.urlsafe_b64encode(b"\0" + uuid.uuid4().bytes[1:]).decode().rstrip("=")
        self._ports = {node: free_ports(2 + len(protocols)) for node in range(1, nodes + 1)}
        self._protocols = protocols
        self._given = dict(properties or {})
        self.listeners = {
            protocol: ",".join(f"{HOST}:{ports[2 + at]}" for ports in self._ports.values())
            for at, protocol in enumerate(protocols)
        }
        self.bootstrap = ",".join(f"{HOST}:{ports[0]}" for ports in self._ports.values())

    def _configuration(self, node: int) -> Path:
        broker, controller, *others = self._ports[node]
        data = self._folder / f"data-{node}"
        text = _PROPERTIES.format(broker=broker, controller=controller, data=data)
        made = dict(line.split("=", 1) for line in text.splitlines())
        made["node.id"] = str(node)
        made["controller.quorum.voters"] = ",".join(f"{n}@{HOST}:{ports[1]}" for n, ports in self._ports.items())
        for protocol, port in zip(self._protocols, others, strict=True):
            made["listeners"] += f",{protocol}://{HOST}:{port}"
            made["advertised.listeners"] += f",{protocol}://{HOST}:{port}"
            made["listener.security.protocol.map"] += f",{protocol}:{protocol}"
        copies = str(min(3, len(self._ports)))
        made |= {"offsets.topic.replication.factor": copies, "transaction.state.log.replication.factor": copies}
        file = self._folder / f"server-{node}.properties"
        file.write_text("".join(f"{name}={value}\n" for name, value in {**made, **self._given}.items()))
        if not data.exists():
            form = [*self._java, "kafka.tools.StorageTool", "format", "-t", self._id, "-c", str(file)]
            subprocess.run(form, check=True, stdout=subprocess.DEVNULL)
        return file

    def start(self, *nodes: int) -> None:
        """Start these nodes, or all, and wait until they answer."""
        for node in nodes or self._ports:
            configuration = self._configuration(node)
            with (self._folder / f"kafka-{node}.log").open("ab") as log:
                self._processes[node] = subprocess.Popen(
                    [*self._java, "kafka.Kafka", str(configuration)], stdout=log, stderr=log
                )
        for node in nodes or self._ports:
            self._until_it_answers(node)

    def kill(self, node: int = 1, signum: signal.Signals = signal.SIGKILL) -> None:
        """End a node and wait until it is gone."""
        process = self._processes.pop(node, None)
        if process is not None:
            process.send_signal(signum)
            process.wait(60)

    def stop(self) -> None:
        for node in list(self._processes):
            self.kill(node)

    def _until_it_answers(self, node: int) -> None:
        address = f"{HOST}:{self._ports[node][0]}"
        admin = AdminClient({"bootstrap.servers": address, "log_level": 0})
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline:
            try:
                known = admin.list_topics(timeout=1.0)
            except KafkaException:
                known = None
            if known is not None and len(known.brokers) >= len(self._processes):
                return
            with suppress(subprocess.TimeoutExpired):
                self._processes[node].wait(0.2)
                raise AssertionError("Apache Kafka ended while it was starting")
        raise AssertionError("Apache Kafka did not answer within three minutes")


@contextmanager
def cluster(folder: Path, *args: object, **options: object) -> Iterator[ApacheKafka]:
    """Run a cluster; the arguments are those of ``ApacheKafka``."""
    made = ApacheKafka(folder, *args, **options)  # type: ignore[arg-type]
    try:
        made.start()
        yield made
    finally:
        made.stop()


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """Run one node; yields its bootstrap address."""
    with cluster(folder) as made:
        yield made.bootstrap


if __name__ == "__main__":  # before the tests, which have no time to wait for a download
    print(fetched()[1] or "Apache Kafka is here")
