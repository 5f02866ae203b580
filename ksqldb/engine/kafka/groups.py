"""How far each persistent query has read, committed to Kafka under the group a real server's query has there: so tools
that show the lag of groups show the engine's queries too. Nothing is read back; a restart goes by the snapshots."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable

from aiokafka.client import CoordinationType
from aiokafka.errors import KafkaError, NoError, for_code
from aiokafka.protocol.admin import DeleteGroupsRequest
from aiokafka.protocol.commit import OffsetCommitRequest

from ksqldb.engine.kafka.client import ReadClient
from ksqldb.engine.kafka.lanes import Place
from ksqldb.engine.plan.query import group_of

log = logging.getLogger(__name__)

_EVERY_S = 0.25
Positions = dict[Place, int]


class GroupOffsets:
    """``positions`` gives the queries there are, each with the offsets it has read up to."""

    def __init__(self, client: ReadClient, positions: Callable[[], Iterable[tuple[str, Positions]]]) -> None:
        self.client = client
        self.positions = positions
        self.committed: dict[str, Positions] = {}
        self.task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self.task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
            await self._commit_all()

    async def forget(self, query_id: str) -> None:
        """Delete the group of a query that has ended."""
        self.committed.pop(query_id, None)
        group = group_of(query_id)
        try:
            await self.client.client.send(await self._coordinator(group), DeleteGroupsRequest([group]))
        except KafkaError as error:
            log.warning("the group %s could not be deleted: %s", group, error)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_EVERY_S)
            await self._commit_all()

    async def _commit_all(self) -> None:
        for query_id, positions in list(self.positions()):
            if positions and self.committed.get(query_id) != positions:
                try:
                    await self._commit(query_id, dict(positions))
                except KafkaError as error:
                    log.warning("offsets of %s were not committed (%s); trying again", query_id, error)
                    return

    async def _commit(self, query_id: str, positions: Positions) -> None:
        topics: dict[str, list[tuple[int, int, str]]] = {}
        for (topic, partition), offset in positions.items():
            topics.setdefault(topic, []).append((partition, offset, ""))
        group = group_of(query_id)
        request = OffsetCommitRequest(group, -1, "", -1, list(topics.items()))
        response = await self.client.client.send(await self._coordinator(group), request)
        for _, answers in response.topics:
            for _, code in answers:
                if (error := for_code(code)) is not NoError:
                    raise error(group)
        if query_id in dict(self.positions()):  # it may have ended meanwhile
            self.committed[query_id] = positions

    async def _coordinator(self, group: str) -> int:
        client = self.client.client
        node: int = await client.coordinator_lookup(CoordinationType.GROUP, group)
        if not await client.ready(node):
            raise KafkaError(f"the coordinator of {group} cannot be reached")
        return node
