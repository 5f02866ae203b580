"""A lane goes on reading whatever a fetch ends in, and says so."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

import pytest

from ksqldb.engine.kafka.client import Fetched, OffsetGone, ReadClient, TopicGone
from ksqldb.engine.kafka.lanes import Lanes, Place
from ksqldb.engine.run.io import RawRecord


class Scripted(ReadClient):
    """A node whose first answer cannot be read, and whose second is two parts of one partition."""

    def __init__(self) -> None:
        self.asked: list[dict[Place, int]] = []

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    async def leader(self, topic: str, partition: int, afresh: bool = False) -> int:
        return 1

    async def fetch(self, node: int, positions: dict[Place, int]) -> Iterator[Fetched | OffsetGone | TopicGone]:
        self.asked.append(dict(positions))
        if len(self.asked) == 1:
            raise AssertionError("a bug of a library")
        if len(self.asked) > 2:
            await asyncio.Event().wait()
        return iter([part(7, 9), part(9, 12)])


def part(first: int, end: int) -> Fetched:
    return Fetched("t", 0, [RawRecord(None, b"", 0, offset) for offset in range(first, end)], end, 12)


class Reads:
    name = "query"
    full = False

    def __init__(self) -> None:
        self.offsets: list[int] = []
        self.gaps: list[tuple[int, int]] = []
        self.done = asyncio.Event()

    async def ready(self) -> None:
        pass

    def deliver(self, fetched: Fetched) -> None:
        self.offsets += [record.offset for record in fetched.records]
        if self.offsets[-1] == 11:
            self.done.set()

    def gap(self, place: Place, wanted: int, found: int) -> None:
        self.gaps.append((wanted, found))

    def fail(self, error: Exception) -> None:
        raise error


async def test_a_fetch_that_cannot_be_read_is_told_and_asked_for_again(caplog: pytest.LogCaptureFixture) -> None:
    lanes, reads, client = Lanes("127.0.0.1:9"), Reads(), Scripted()
    lanes.main.client = client
    with caplog.at_level(logging.ERROR):
        await lanes.start()
        lanes.add(reads, {("t", 0): 7})
        async with asyncio.timeout(30):
            await reads.done.wait()
        await lanes.stop()
    assert reads.offsets == [7, 8, 9, 10, 11]
    assert reads.gaps == []
    assert client.asked[:2] == [{("t", 0): 7}, {("t", 0): 7}]
    assert "could not be read; asking again" in caplog.text
    assert "a bug of a library" in caplog.text
