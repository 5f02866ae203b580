"""Apache Kafka keeps the contract that the embedded broker is held to: the contract is Kafka's, not ours."""

from collections.abc import Iterator

import pytest

from tests.contracts.kafka import KafkaContract, admin, topic
from tests.real.apache_kafka import running

__all__ = ["admin", "topic"]
pytestmark = pytest.mark.xdist_group("apache-kafka")


@pytest.fixture(scope="module")
def bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("apache-kafka")) as address:
        yield address


class TestApacheKafka(KafkaContract):
    pass
