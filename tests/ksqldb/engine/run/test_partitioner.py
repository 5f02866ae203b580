"""Keys lie in the partition where Kafka's own clients put them."""

from __future__ import annotations

import pytest

from ksqldb.engine.run.partitioner import murmur2, partition_of


@pytest.mark.parametrize(
    ("data", "expected"),
    [  # of Kafka's UtilsTest
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_murmur2(data: bytes, expected: int) -> None:
    assert murmur2(data) == expected & 0xFFFFFFFF


def test_partitions_are_spread() -> None:
    counts = [0] * 4
    for number in range(1000):
        counts[partition_of(b"key-%d" % number, 4)] += 1
    assert min(counts) > 200
