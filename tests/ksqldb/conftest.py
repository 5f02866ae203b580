from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer

from ksqldb.client import KsqlClient
from ksqldb.dialogues.stack import embedded


@dataclass(frozen=True)
class EngineAddress:
    """A running engine and its broker, shared by the tests of one process."""

    url: str
    bootstrap: str

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    async def produce(self, topic: str, records: Sequence[tuple[str | None, object]]) -> None:
        """JSON records by key, in order."""
        async with AIOKafkaProducer(bootstrap_servers=self.bootstrap) as producer:
            for key, value in records:
                data = value if isinstance(value, bytes) else json.dumps(value).encode()
                await producer.send_and_wait(topic, data, key=None if key is None else key.encode())


@pytest.fixture(scope="session")
def engine() -> Iterator[EngineAddress]:
    with embedded() as (url, bootstrap):
        yield EngineAddress(url, bootstrap)


@pytest.fixture
async def client(engine: EngineAddress) -> AsyncIterator[KsqlClient]:
    async with KsqlClient(engine.url) as made:
        yield made


@pytest.fixture
def name() -> str:
    """A name that no other test uses, for streams and topics."""
    return f"t_{uuid4().hex[:12]}"


@pytest.fixture
async def stream(engine: EngineAddress, client: KsqlClient, name: str) -> str:
    """A stream (k STRING KEY, n INT, d DECIMAL(6, 2)) over a topic of one partition with three records."""
    await client.execute(
        f"CREATE STREAM {name} (k VARCHAR KEY, n INT, d DECIMAL(6, 2)) "
        f"WITH (KAFKA_TOPIC='{name}', VALUE_FORMAT='JSON', PARTITIONS=1);"
    )
    await engine.produce(name, [("a", {"n": 1, "d": 1.5}), ("b", {"n": 2, "d": 20}), ("a", {"n": 3, "d": None})])
    return name
