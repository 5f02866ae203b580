"""The embedded broker keeps the contract that Apache Kafka keeps too (tests/real)."""

from collections.abc import Iterator

import pytest

from tests.brokers import running
from tests.contracts.kafka import KafkaContract, admin, topic

__all__ = ["admin", "topic"]


@pytest.fixture(scope="module")
def bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("broker")) as broker:
        yield broker.address


class TestEmbeddedBroker(KafkaContract):
    pass
