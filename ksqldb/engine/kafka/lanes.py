"""Reading topics once for all queries.

A lane is a loop of fetches with one position per partition, shared by the readers that stand there. The main lane
serves the readers that are up with it. A reader that starts elsewhere (from the beginning), or that falls behind
because it is full, gets a lane of its own until it has caught up; so a slow reader loses nothing and slows nobody.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Protocol

from aiokafka.errors import KafkaError

from ksqldb.engine.kafka.client import EARLIEST, Fetched, OffsetGone, ReadClient, TopicGone

log = logging.getLogger(__name__)

Place = tuple[str, int]  # topic, partition


class Reader(Protocol):
    """Who reads. ``deliver`` is called in the order of each partition, and must not block."""

    name: str

    @property
    def full(self) -> bool:
        """Whether it cannot take more now."""

    async def ready(self) -> None:
        """Until it can."""

    def deliver(self, fetched: Fetched) -> None: ...

    def gap(self, place: Place, wanted: int, found: int) -> None:
        """Records between two offsets are gone."""

    def fail(self, error: Exception) -> None:
        """It cannot be served any more."""


class _Lane:
    def __init__(self, lanes: Lanes, bootstrap: str, main: bool) -> None:
        self.lanes = lanes
        self.client = ReadClient(bootstrap)
        self.main = main
        self.positions: dict[Place, int] = {}
        self.readers: dict[Place, list[Reader]] = {}
        self.changed = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self.task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
        await self.client.stop()

    def add(self, place: Place, position: int, reader: Reader) -> None:
        self.positions[place] = position
        self.readers.setdefault(place, []).append(reader)
        self.changed.set()

    def remove(self, reader: Reader) -> None:
        for place in list(self.readers):
            self._remove(place, reader)

    def _remove(self, place: Place, reader: Reader) -> None:
        readers = self.readers[place]
        if reader in readers:
            readers.remove(reader)
            if not readers:
                del self.readers[place], self.positions[place]

    async def _run(self) -> None:
        await self.client.start()
        waiting: dict[int, asyncio.Task[None]] = {}
        try:
            while True:
                if not self.positions:
                    if not self.main:
                        return
                    self.changed.clear()
                    await self.changed.wait()
                await self._wait_for_readers()
                try:
                    await self._start_fetches(waiting)
                except TopicGone as gone:
                    self._fail(gone.topic, gone)
                    continue
                except KafkaError as error:
                    log.warning("Kafka cannot be asked (%s); asking again", error)
                    await asyncio.sleep(0.5)
                    continue
                if waiting:
                    await asyncio.wait(waiting.values(), return_when=asyncio.FIRST_COMPLETED, timeout=0.25)
                    for node in [node for node, task in waiting.items() if task.done()]:
                        if (unread := waiting.pop(node).exception()) is not None:
                            log.error("what node %s sent could not be read; asking again", node, exc_info=unread)
                            await asyncio.sleep(0.5)
        finally:
            for task in waiting.values():
                task.cancel()

    async def _wait_for_readers(self) -> None:
        """A lane of its own waits for its reader; in the main lane a full reader moves out."""
        for place in list(self.readers):
            for reader in list(self.readers.get(place, ())):
                if not reader.full:
                    continue
                if self.main:
                    position = self.positions[place]
                    self._remove(place, reader)
                    self.lanes.own_lane(place, position, reader)
                else:
                    await reader.ready()

    async def _start_fetches(self, waiting: dict[int, asyncio.Task[None]]) -> None:
        by_node: dict[int, dict[Place, int]] = {}
        for place, position in list(self.positions.items()):
            by_node.setdefault(await self.client.leader(*place), {})[place] = position
        for node, positions in by_node.items():
            if node not in waiting:
                waiting[node] = asyncio.create_task(self._fetch(node, positions))

    async def _fetch(self, node: int, asked: dict[Place, int]) -> None:
        try:
            for answer in await self.client.fetch(node, asked):
                await self._take(answer, asked)
        except KafkaError as error:
            log.warning("a fetch failed (%s); asking again", error)
            await asyncio.sleep(0.5)
            await self.client.refresh()

    async def _take(self, answer: Fetched | OffsetGone | TopicGone, asked: dict[Place, int]) -> None:
        match answer:
            case Fetched():
                place = (answer.topic, answer.partition)
                if self.positions.get(place) == asked[place]:
                    asked[place] = answer.next_offset
                    self._deliver(place, answer)
                    await asyncio.sleep(0)
            case OffsetGone():
                await self._skip((answer.topic, answer.partition), asked)
            case TopicGone():
                await self._look_again(answer.topic)

    async def _look_again(self, topic: str) -> None:
        """A topic was not there when it was asked for; who reads it now may read a new one of its name."""
        partition = next((p for name, p in self.positions if name == topic), None)
        if partition is None:
            return
        try:
            await self.client.leader(topic, partition, afresh=True)
        except TopicGone as gone:
            self._fail(topic, gone)

    def _deliver(self, place: Place, fetched: Fetched) -> None:
        wanted = self.positions[place]
        self.positions[place] = fetched.next_offset
        gap = bool(fetched.records) and fetched.records[0].offset > wanted
        for reader in list(self.readers.get(place, ())):
            if gap:
                reader.gap(place, wanted, fetched.records[0].offset)
            try:
                reader.deliver(fetched)
            except Exception as error:
                log.exception("query %s failed", reader.name)
                self.lanes.drop(reader)
                reader.fail(error)
        if not self.main:
            self.lanes.join_main(self, place)

    async def _skip(self, place: Place, asked: Mapping[Place, int]) -> None:
        first = (await self.client.offsets(place[0], [place[1]], EARLIEST))[place[1]]
        wanted = asked[place]
        if self.positions.get(place) != wanted:
            return
        log.error("records of %s-%s from offset %s are gone; reading on at %s", *place, wanted, first)
        self.positions[place] = first
        for reader in self.readers.get(place, ()):
            reader.gap(place, wanted, first)

    def _fail(self, topic: str, error: Exception) -> None:
        readers = {id(r): r for place, rs in self.readers.items() if place[0] == topic for r in rs}
        for reader in readers.values():
            self.lanes.drop(reader)
            reader.fail(error)


class Lanes:
    """The main lane and those of readers that are elsewhere."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self.main = _Lane(self, bootstrap, main=True)
        self.others: set[_Lane] = set()
        self.ended: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self.main.start()

    async def stop(self) -> None:
        await asyncio.gather(self.main.stop(), *(lane.stop() for lane in list(self.others)))
        self.others.clear()

    def add(self, reader: Reader, positions: Mapping[Place, int]) -> None:
        """Start serving a reader from these offsets."""
        elsewhere: dict[Place, int] = {}
        for place, position in positions.items():
            shared = self.main.positions.get(place)
            if shared is None or shared == position:
                self.main.add(place, position, reader)
            else:
                elsewhere[place] = position
        if elsewhere:
            lane = self._new_lane()
            for place, position in elsewhere.items():
                lane.add(place, position, reader)
            lane.start()

    def drop(self, reader: Reader) -> None:
        """Stop serving a reader."""
        self.main.remove(reader)
        for lane in list(self.others):
            lane.remove(reader)
            self._end_if_empty(lane)

    def forget(self, topic: str) -> None:
        """See ``ReadClient.forget``."""
        for lane in (self.main, *self.others):
            lane.client.forget(topic)

    def own_lane(self, place: Place, position: int, reader: Reader) -> None:
        lane = next((one for one in self.others if reader in (r for rs in one.readers.values() for r in rs)), None)
        if lane is None or place in lane.positions:
            lane = self._new_lane()
            lane.add(place, position, reader)
            lane.start()
        else:
            lane.add(place, position, reader)

    def join_main(self, lane: _Lane, place: Place) -> None:
        """A reader that has caught up with the main lane goes on with it."""
        position = lane.positions.get(place)
        if position is None:
            return
        shared = self.main.positions.get(place)
        if shared is not None and shared != position:
            return
        for reader in list(lane.readers[place]):
            if not reader.full:
                lane._remove(place, reader)
                self.main.add(place, position, reader)
        self._end_if_empty(lane)

    def _new_lane(self) -> _Lane:
        lane = _Lane(self, self.bootstrap, main=False)
        self.others.add(lane)
        return lane

    def _end_if_empty(self, lane: _Lane) -> None:
        if not lane.positions and lane in self.others:
            self.others.discard(lane)
            task = asyncio.create_task(lane.stop())
            self.ended.add(task)
            task.add_done_callback(self.ended.discard)
