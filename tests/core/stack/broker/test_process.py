"""The broker as a process: kills, restarts, torn files, garbage, what it says when it cannot run."""

import asyncio
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from core.kafka.connection import cluster_id
from core.stack.broker.errors import Code
from tests.brokers import Broker, running
from tests.contracts.kafka import consumer, producer, read
from tests.core.stack.broker.wire import ask, batch, connected, produce, string

_CREATE_TOPICS, _API_VERSIONS, _METADATA, _INIT_PRODUCER_ID = 19, 18, 3, 22


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with running(tmp_path) as made:
        yield made


def create(broker: Broker, topic: str, partitions: int = 1) -> None:
    with connected(broker.address) as connection:
        body = struct.pack(">i", 1) + string(topic) + struct.pack(">ihiii", partitions, 1, 0, 0, 1000)
        answer = ask(connection, _CREATE_TOPICS, 0, body)
    assert answer.endswith(struct.pack(">h", Code.NONE))


async def values(address: str, topic: str, count: int) -> list[bytes]:
    async with consumer(address, topic) as source:
        return [record.value for record in await read(source, count)]


class TestKills:
    async def test_what_was_acknowledged_survives_kill_9(self, broker: Broker) -> None:
        create(broker, "t")
        async with producer(broker.address, enable_idempotence=True) as out:
            for n in range(50):
                await out.send_and_wait("t", b"%d" % n)
        cluster = await cluster_id(broker.kafka)
        broker.kill(signal.SIGKILL)
        broker.start()
        async with producer(broker.address) as out:
            assert (await out.send_and_wait("t", b"after")).offset == 50
        assert await values(broker.address, "t", 51) == [*(b"%d" % n for n in range(50)), b"after"]
        assert await cluster_id(broker.kafka) == cluster

    async def test_an_idempotent_producer_goes_on_over_a_kill(self, broker: Broker) -> None:
        create(broker, "t")
        async with producer(broker.address, enable_idempotence=True, retry_backoff_ms=50) as out:
            await out.send_and_wait("t", b"before")
            broker.kill(signal.SIGKILL)
            waiting = asyncio.create_task(out.send_and_wait("t", b"during"))
            broker.start()
            assert (await asyncio.wait_for(waiting, 30)).offset == 1
        assert await values(broker.address, "t", 2) == [b"before", b"during"]

    def test_a_batch_sent_again_after_a_kill_is_answered_with_its_old_offset(self, broker: Broker) -> None:
        create(broker, "t")
        first = batch([b"a", b"b"], producer_id=3, epoch=0, sequence=0)
        second = batch([b"c"], producer_id=3, epoch=0, sequence=2)
        with connected(broker.address) as connection:
            assert produce(connection, "t", first) == (Code.NONE, 0)
            assert produce(connection, "t", second) == (Code.NONE, 2)
        for signum in (signal.SIGKILL, signal.SIGTERM):
            broker.kill(signum)
            broker.start()
            with connected(broker.address) as connection:
                assert produce(connection, "t", first) == (Code.NONE, 0)
                assert produce(connection, "t", second) == (Code.NONE, 2)
                later = batch([b"e"], producer_id=3, epoch=0, sequence=9)
                assert produce(connection, "t", later)[0] == Code.OUT_OF_ORDER_SEQUENCE_NUMBER

    async def test_committed_offsets_survive_kill_9(self, broker: Broker) -> None:
        create(broker, "t")
        async with producer(broker.address) as out:
            for n in range(5):
                await out.send_and_wait("t", b"%d" % n)
        async with consumer(broker.address, "t", group_id="g", enable_auto_commit=False) as source:
            await read(source, 5)
            await source.commit()
        broker.kill(signal.SIGKILL)
        broker.start()
        async with producer(broker.address) as out:
            await out.send_and_wait("t", b"new")
        async with consumer(broker.address, "t", group_id="g") as source:
            assert [r.value for r in await read(source, 1)] == [b"new"]

    async def test_a_group_meets_again_after_a_restart(self, broker: Broker) -> None:
        create(broker, "t")
        async with consumer(broker.address, "t", group_id="g", retry_backoff_ms=50) as source:
            broker.kill(signal.SIGKILL)
            broker.start()
            async with producer(broker.address) as out:
                await out.send_and_wait("t", b"x")
            assert [r.value for r in await read(source, 1)] == [b"x"]

    async def test_the_torn_end_of_a_segment_is_cut(self, broker: Broker, tmp_path: Path) -> None:
        create(broker, "t")
        async with producer(broker.address) as out:
            for n in range(3):
                await out.send_and_wait("t", b"%d" % n)
        broker.kill(signal.SIGKILL)
        segment = tmp_path / "topics" / "t-0" / f"{0:020d}.log"
        segment.write_bytes(segment.read_bytes() + batch([b"torn"])[:-3])
        broker.start()
        async with producer(broker.address) as out:
            assert (await out.send_and_wait("t", b"next")).offset == 3
        assert await values(broker.address, "t", 4) == [b"0", b"1", b"2", b"next"]

    async def test_a_damaged_batch_and_what_follows_is_cut(self, broker: Broker, tmp_path: Path) -> None:
        create(broker, "t")
        async with producer(broker.address) as out:
            for n in range(3):
                await out.send_and_wait("t", b"%d" % n)
        broker.kill(signal.SIGKILL)
        segment = tmp_path / "topics" / "t-0" / f"{0:020d}.log"
        data = bytearray(segment.read_bytes())
        data[len(data) * 2 // 3 - 1] ^= 0xFF  # the last byte of the second of three equal batches
        segment.write_bytes(data)
        broker.start()
        async with producer(broker.address) as out:
            assert (await out.send_and_wait("t", b"next")).offset == 1

    def test_producer_ids_are_never_given_out_twice(self, broker: Broker) -> None:
        given = []
        for _ in range(3):
            with connected(broker.address) as connection:
                answer = ask(connection, _INIT_PRODUCER_ID, 0, struct.pack(">hi", -1, 1000))
            given.append(struct.unpack_from(">ihqh", answer)[2])
            broker.kill(signal.SIGKILL)
            broker.start()
        assert len(set(given)) == 3

    def test_sigterm_ends_it_cleanly(self, tmp_path: Path) -> None:
        process = subprocess.Popen(
            [sys.executable, "-m", "core.stack.broker", "--listen", "127.0.0.1:0", "--data", str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        with process.stdout:
            assert process.stdout.readline().startswith("ready 127.0.0.1:")
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0


class TestWhatItCannotTake:
    @pytest.mark.parametrize(
        "garbage",
        [
            b"GET / HTTP/1.1\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),  # a TLS hello
            struct.pack(">i", -5),
            struct.pack(">i", 9) + bytes(9),  # a Produce version 0
            struct.pack(">ihhih", 10, 999, 0, 1, -1),  # no such request
            struct.pack(">ihhih", 10, _METADATA, 77, 1, -1),  # no such version
            struct.pack(">ihhihi", 14, _METADATA, 1, 1, -1, 2**31 - 1),  # an array longer than the request
            struct.pack(">ihhihih", 16, _METADATA, 1, 1, -1, 1, 500),  # a string longer than the request
            struct.pack(">ihhihih", 18, _METADATA, 1, 1, -1, 1, 2) + b"\xff\xfe",  # no UTF-8
        ],
    )
    def test_garbage_closes_that_connection_alone(self, broker: Broker, garbage: bytes) -> None:
        with connected(broker.address) as good:
            ask(good, _API_VERSIONS, 0)
            with connected(broker.address) as bad:
                bad.sendall(garbage)
                bad.shutdown(socket.SHUT_WR)
                try:
                    assert bad.recv(100) == b""
                except ConnectionResetError:
                    pass
            assert ask(good, _API_VERSIONS, 0)

    def test_an_unknown_version_of_api_versions_is_answered_in_version_0(self, broker: Broker) -> None:
        with connected(broker.address) as connection:
            answer = ask(connection, _API_VERSIONS, 99)
        code, count = struct.unpack_from(">hi", answer)
        keys = [struct.unpack_from(">h", answer, 6 + 6 * n)[0] for n in range(count)]
        assert code == Code.UNSUPPORTED_VERSION
        assert _API_VERSIONS in keys

    def test_damaged_batches_are_refused(self, broker: Broker) -> None:
        create(broker, "t")
        good = batch([b"value"])
        flipped = bytearray(good)
        flipped[-1] ^= 1
        with connected(broker.address) as connection:
            assert produce(connection, "t", bytes(flipped))[0] == Code.CORRUPT_MESSAGE
            assert produce(connection, "t", good[:-2])[0] == Code.CORRUPT_MESSAGE
            assert produce(connection, "t", b"")[0] == Code.INVALID_RECORD
            assert produce(connection, "absent", good)[0] == Code.UNKNOWN_TOPIC_OR_PARTITION
            assert produce(connection, "t", good) == (Code.NONE, 0)

    def test_requests_sent_ahead_are_answered_in_order(self, broker: Broker) -> None:
        with connected(broker.address) as connection:
            for correlation in range(100):
                connection.sendall(struct.pack(">ihhih", 10, _API_VERSIONS, 0, correlation, -1))
            seen = []
            for _ in range(100):
                size = struct.unpack(">i", connection.recv(4, socket.MSG_WAITALL))[0]
                seen.append(struct.unpack_from(">i", connection.recv(size, socket.MSG_WAITALL))[0])
        assert seen == list(range(100))


class TestCannotRun:
    def _run(self, listen: str, data: Path) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "core.stack.broker", "--listen", listen, "--data", str(data)],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        return done.returncode, done.stderr

    def test_a_taken_port_is_named(self, broker: Broker, tmp_path: Path) -> None:
        code, said = self._run(broker.address, tmp_path / "other")
        assert code == 1
        assert f"port {broker.address.split(':')[1]} of 127.0.0.1 is taken" in said
        assert "Traceback" not in said

    def test_a_data_folder_in_use_is_refused(self, broker: Broker, tmp_path: Path) -> None:
        code, said = self._run("127.0.0.1:0", tmp_path)
        assert code == 1
        assert "in use by another broker" in said

    def test_a_data_folder_that_cannot_be_made_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("in the way")
        code, said = self._run("127.0.0.1:0", tmp_path / "file" / "data")
        assert code == 1
        assert str(tmp_path / "file") in said
        assert "Traceback" not in said


async def test_topics_are_made_on_demand_with_the_default_count(broker: Broker) -> None:
    out = AIOKafkaProducer(bootstrap_servers=broker.address)
    await out.start()
    try:
        await out.send_and_wait("fresh", b"x")
        assert await out.partitions_for("fresh") == {0, 1, 2, 3}
    finally:
        await out.stop()
