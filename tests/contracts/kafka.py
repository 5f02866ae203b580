"""What the application asks of a Kafka cluster, by both clients it uses. The embedded broker and Apache Kafka pass it.

A subclass named `Test...` runs it against the cluster that its `bootstrap` fixture names.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import MessageSizeTooLargeError, OffsetOutOfRangeError
from confluent_kafka import (
    Consumer,
    ConsumerGroupState,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    Producer,
)
from confluent_kafka import TopicPartition as Partition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    OffsetSpec,
    ResourceType,
)
from confluent_kafka.admin import NewTopic as New

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
_WITHIN = 30.0


@asynccontextmanager
async def running(client: Any) -> AsyncIterator[Any]:
    await client.start()
    try:
        yield client
    finally:
        await (client.close() if isinstance(client, AIOKafkaAdminClient) else client.stop())


def producer(bootstrap: str, **options: Any) -> Any:
    return running(AIOKafkaProducer(bootstrap_servers=bootstrap, **options))


def consumer(bootstrap: str, *topics: str, **options: Any) -> Any:
    return running(AIOKafkaConsumer(*topics, bootstrap_servers=bootstrap, auto_offset_reset="earliest", **options))


async def read(source: Any, count: int) -> list[Any]:
    """The next `count` records."""
    found: list[Any] = []
    async with asyncio.timeout(_WITHIN):
        while len(found) < count:
            for records in (await source.getmany(timeout_ms=200)).values():
                found.extend(records)
    return found


def consume(source: Any, count: int) -> list[Any]:
    """The next `count` messages of a confluent consumer."""
    found: list[Any] = []
    while len(found) < count:
        batch = source.consume(count - len(found), timeout=_WITHIN)
        assert batch, f"{len(found)} of {count} messages came"
        found.extend(batch)
    assert all(message.error() is None for message in found)
    return found


def result(asked: dict[Any, Any]) -> Any:
    """The only answer of an admin request for one thing."""
    (future,) = asked.values()
    return future.result(_WITHIN)


@pytest.fixture
def admin(bootstrap: str) -> Any:
    return AdminClient({"bootstrap.servers": bootstrap})


@pytest.fixture
def topic(admin: Any) -> str:
    """A fresh topic of two partitions."""
    name = f"t-{uuid.uuid4().hex[:12]}"
    result(admin.create_topics([New(name, 2, 1)]))
    return name


class KafkaContract:
    # --- records ---------------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("codec", CODECS)
    async def test_what_is_produced_is_consumed_as_it_was(self, bootstrap: str, topic: str, codec: str) -> None:
        compression = None if codec == "none" else codec
        async with producer(bootstrap, compression_type=compression, linger_ms=5) as out:
            sent = [
                await out.send(topic, b"v%d" % n, key=b"k", partition=0, timestamp_ms=1000 + n, headers=[("h", b"x")])
                for n in range(500)
            ]
            offsets = [(await one).offset for one in sent]
        async with consumer(bootstrap, topic) as source:
            got = await read(source, 500)
        assert offsets == list(range(500))
        assert [(r.offset, r.key, r.value, r.timestamp, r.headers) for r in got] == [
            (n, b"k", b"v%d" % n, 1000 + n, (("h", b"x"),)) for n in range(500)
        ]

    @pytest.mark.parametrize("codec", CODECS)
    def test_librdkafka_round_trip(self, bootstrap: str, topic: str, codec: str) -> None:
        out = Producer({"bootstrap.servers": bootstrap, "compression.type": codec, "enable.idempotence": True})
        for n in range(500):
            out.produce(topic, f"v{n}" * 20, key=str(n % 7))
        assert out.flush(_WITHIN) == 0
        source = Consumer({"bootstrap.servers": bootstrap, "group.id": f"g-{topic}", "auto.offset.reset": "earliest"})
        source.subscribe([topic])
        try:
            got = consume(source, 500)
        finally:
            source.close()
        assert sorted(m.value() for m in got) == sorted(f"v{n}".encode() * 20 for n in range(500))
        for key in range(7):
            ours = [m.value() for m in got if m.key() == str(key).encode()]
            assert ours == [f"v{n}".encode() * 20 for n in range(500) if n % 7 == key]

    async def test_null_keys_and_values_stay_null(self, bootstrap: str, topic: str) -> None:
        async with producer(bootstrap) as out:
            await out.send_and_wait(topic, None, key=b"tombstone", partition=1)
            await out.send_and_wait(topic, b"", key=None, partition=1)
        async with consumer(bootstrap, topic) as source:
            got = await read(source, 2)
        assert [(r.key, r.value) for r in got] == [(b"tombstone", None), (None, b"")]

    async def test_a_waiting_fetch_is_woken_by_a_record(self, bootstrap: str, topic: str) -> None:
        async with producer(bootstrap) as out, consumer(bootstrap, topic, fetch_max_wait_ms=60_000) as source:
            waiting = asyncio.create_task(source.getone())
            while source.assignment() == set():
                await source.getmany(timeout_ms=10)
            async with asyncio.timeout(20):  # far less than the fetch would wait
                await out.send_and_wait(topic, b"now", partition=0)
                assert (await waiting).value == b"now"

    async def test_a_record_larger_than_a_fetch_comes_all_the_same(self, bootstrap: str, topic: str) -> None:
        large = bytes(700_000)
        async with producer(bootstrap) as out:
            for _ in range(2):
                await out.send_and_wait(topic, large, partition=0)
        async with consumer(bootstrap, topic, fetch_max_bytes=1000, max_partition_fetch_bytes=1000) as source:
            assert [r.value for r in await read(source, 2)] == [large, large]

    async def test_a_record_over_the_limit_of_the_topic_is_refused(self, bootstrap: str, topic: str) -> None:
        async with producer(bootstrap, max_request_size=4_000_000) as out:
            with pytest.raises(MessageSizeTooLargeError):
                await out.send_and_wait(topic, bytes(2_000_000))
            assert (await out.send_and_wait(topic, b"small", partition=0)).offset == 0

    async def test_an_offset_past_the_end_is_out_of_range(self, bootstrap: str, topic: str) -> None:
        source = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="none")
        async with running(source):
            source.assign([TopicPartition(topic, 0)])
            source.seek(TopicPartition(topic, 0), 5)
            with pytest.raises(OffsetOutOfRangeError):
                await asyncio.wait_for(source.getone(), _WITHIN)

    # --- offsets ---------------------------------------------------------------------------------------------------

    async def test_offsets_by_time(self, bootstrap: str, topic: str) -> None:
        first, second = TopicPartition(topic, 0), TopicPartition(topic, 1)
        async with producer(bootstrap, linger_ms=50) as out:
            for n in range(100):
                await out.send(topic, b"v", partition=0, timestamp_ms=10_000 + 10 * n)
        async with consumer(bootstrap) as source:
            found = await source.offsets_for_times({first: 10_495, second: 1})
            assert (found[first].offset, found[first].timestamp) == (50, 10_500)
            assert found[second] is None
            assert await source.offsets_for_times({first: 1_000_000}) == {first: None}
            assert await source.beginning_offsets([first, second]) == {first: 0, second: 0}
            assert await source.end_offsets([first, second]) == {first: 100, second: 0}

    async def test_the_newest_record_by_timestamp(self, bootstrap: str, topic: str, admin: Any) -> None:
        async with producer(bootstrap) as out:
            for timestamp in (5_000, 9_000, 7_000):
                await out.send_and_wait(topic, b"v", partition=0, timestamp_ms=timestamp)
        found = result(admin.list_offsets({Partition(topic, 0): OffsetSpec.max_timestamp()}))
        assert (found.offset, found.timestamp) == (1, 9_000)

    async def test_deleted_records_are_gone(self, bootstrap: str, topic: str, admin: Any) -> None:
        async with producer(bootstrap) as out:
            for n in range(10):
                await out.send_and_wait(topic, b"%d" % n, partition=0)
        assert result(admin.delete_records([Partition(topic, 0, 4)])).low_watermark == 4
        async with consumer(bootstrap, topic) as source:
            assert [r.offset for r in await read(source, 6)] == [4, 5, 6, 7, 8, 9]
            assert await source.beginning_offsets([TopicPartition(topic, 0)]) == {TopicPartition(topic, 0): 4}

    # --- groups ----------------------------------------------------------------------------------------------------

    async def test_a_group_shares_partitions_and_takes_over(self, bootstrap: str, topic: str) -> None:
        options: dict[str, Any] = {"group_id": f"g-{topic}", "heartbeat_interval_ms": 100, "metadata_max_age_ms": 500}
        async with consumer(bootstrap, topic, **options) as one:
            async with consumer(bootstrap, topic, **options) as two:
                await _until_assigned(one, two)
                assert one.assignment() | two.assignment() == {TopicPartition(topic, 0), TopicPartition(topic, 1)}
                assert not one.assignment() & two.assignment()
            async with asyncio.timeout(_WITHIN):
                while len(one.assignment()) < 2:
                    await one.getmany(timeout_ms=50)

    async def test_committed_offsets_are_where_the_group_goes_on(self, bootstrap: str, topic: str) -> None:
        options: dict[str, Any] = {"group_id": f"g-{topic}", "enable_auto_commit": False}
        async with producer(bootstrap) as out:
            for n in range(10):
                await out.send_and_wait(topic, b"%d" % n, partition=0)
        async with consumer(bootstrap, topic, **options) as source:
            await read(source, 10)
            await source.commit({TopicPartition(topic, 0): (7, "so far")})
        async with consumer(bootstrap, topic, **options) as source:
            assert await source.committed(TopicPartition(topic, 0)) == 7
            assert [r.offset for r in await read(source, 3)] == [7, 8, 9]

    async def test_groups_are_listed_described_and_deleted(self, bootstrap: str, topic: str, admin: Any) -> None:
        group = f"g-{topic}"
        async with consumer(bootstrap, topic, group_id=group, client_id="reader") as source:
            await source.getmany(timeout_ms=10)
            await source.commit({TopicPartition(topic, 1): 0})
            described = await asyncio.to_thread(result, admin.describe_consumer_groups([group]))
            assert described.state == ConsumerGroupState.STABLE
            assert [member.client_id for member in described.members] == ["reader"]
            assert {p.partition for p in described.members[0].assignment.topic_partitions} == {0, 1}
            with pytest.raises(KafkaException, match=r"(?i)not empty"):
                await asyncio.to_thread(result, admin.delete_consumer_groups([group]))
        listed = await asyncio.to_thread(admin.list_consumer_groups().result, _WITHIN)
        assert group in {known.group_id for known in listed.valid}
        await asyncio.to_thread(result, admin.delete_consumer_groups([group]))
        listed = await asyncio.to_thread(admin.list_consumer_groups().result, _WITHIN)
        assert group not in {known.group_id for known in listed.valid}

    def test_offsets_of_a_group_are_set_from_outside(self, topic: str, admin: Any) -> None:
        wanted = ConsumerGroupTopicPartitions(f"g-{topic}", [Partition(topic, 1, 42)])
        result(admin.alter_consumer_group_offsets([wanted]))
        found = result(admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(f"g-{topic}")]))
        assert [(p.topic, p.partition, p.offset) for p in found.topic_partitions] == [(topic, 1, 42)]

    # --- topics and settings ---------------------------------------------------------------------------------------

    async def test_a_topic_made_again_under_its_name_is_empty(self, bootstrap: str, admin: Any) -> None:
        name = f"t-{uuid.uuid4().hex[:12]}"
        for round_ in range(2):
            await asyncio.to_thread(result, admin.create_topics([New(name, 3, 1)]))
            async with producer(bootstrap) as out:
                sent = await out.send_and_wait(name, b"round %d" % round_, partition=2)
            assert sent.offset == 0
            await asyncio.to_thread(result, admin.delete_topics([name]))
            await asyncio.to_thread(_until_gone, admin, name)

    def test_wrong_topics_are_refused(self, topic: str, admin: Any) -> None:
        def refusal(new: Any) -> int:
            with pytest.raises(KafkaException) as caught:
                result(admin.create_topics([new]))
            return int(caught.value.args[0].code())

        assert refusal(New(topic, 1, 1)) == KafkaError.TOPIC_ALREADY_EXISTS
        assert refusal(New("not a name", 1, 1)) == KafkaError.TOPIC_EXCEPTION
        assert refusal(New(f"{topic}-none", 0, 1)) == KafkaError.INVALID_PARTITIONS
        assert refusal(New(f"{topic}-config", 1, 1, config={"no.such.setting": "1"})) == KafkaError.INVALID_CONFIG
        assert refusal(New(f"{topic}-copies", 1, 30)) == KafkaError.INVALID_REPLICATION_FACTOR
        assert set(admin.list_topics(timeout=_WITHIN).topics).isdisjoint({"not a name", f"{topic}-none"})
        with pytest.raises(KafkaException) as caught:
            result(admin.delete_topics([f"{topic}-absent"]))
        assert caught.value.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART

    def test_partitions_are_added(self, topic: str, admin: Any) -> None:
        result(admin.create_partitions([NewPartitions(topic, 5)]))
        while len(admin.list_topics(topic, timeout=_WITHIN).topics[topic].partitions) != 5:
            pass  # a broker shows them a moment after it made them; the test's own time limit bounds this
        with pytest.raises(KafkaException):
            result(admin.create_partitions([NewPartitions(topic, 3)]))

    def test_settings_are_described_and_changed(self, admin: Any) -> None:
        name = f"t-{uuid.uuid4().hex[:12]}"
        result(admin.create_topics([New(name, 1, 1, config={"retention.ms": "3600000", "cleanup.policy": "delete"})]))
        change = ConfigResource(
            ResourceType.TOPIC,
            name,
            incremental_configs=[
                ConfigEntry("retention.ms", "7200000", incremental_operation=AlterConfigOpType.SET),
                ConfigEntry("cleanup.policy", "compact", incremental_operation=AlterConfigOpType.APPEND),
            ],
        )
        result(admin.incremental_alter_configs([change]))
        found = result(admin.describe_configs([ConfigResource(ResourceType.TOPIC, name)]))
        assert found["retention.ms"].value == "7200000"
        assert not found["retention.ms"].is_default
        assert found["cleanup.policy"].value == "delete,compact"
        assert found["segment.bytes"].is_default
        wrong = ConfigResource(
            ResourceType.TOPIC,
            name,
            incremental_configs=[ConfigEntry("retention.ms", "soon", incremental_operation=AlterConfigOpType.SET)],
        )
        with pytest.raises(KafkaException, match="retention"):
            result(admin.incremental_alter_configs([wrong]))

    async def test_the_cluster_names_itself(self, bootstrap: str, admin: Any) -> None:
        described = await asyncio.to_thread(admin.describe_cluster().result, _WITHIN)
        async with running(AIOKafkaAdminClient(bootstrap_servers=bootstrap)) as other:
            assert (await other.describe_cluster())["cluster_id"] == described.cluster_id
            name = f"t-{uuid.uuid4().hex[:12]}"
            await other.create_topics([NewTopic(name, 1, 1)])
            assert name in await other.list_topics()


async def _until_assigned(*members: Any) -> None:
    async with asyncio.timeout(_WITHIN):
        while any(len(member.assignment()) != 1 for member in members):
            for member in members:
                await member.getmany(timeout_ms=50)


def _until_gone(admin: Any, topic: str) -> None:
    while topic in admin.list_topics(timeout=_WITHIN).topics:
        pass
