"""A proxy before a Kafka broker that answers now and then as a broker in trouble does: errors of the protocol, answers
that are lost after the request was obeyed, connections that end, records with a flipped bit, silence.

Requests and answers are read by aiokafka's own structures, so that whatever aiokafka asks can be answered wrongly; what
other clients ask passes as it is.
"""

from __future__ import annotations

import asyncio
import random
import struct
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from enum import Enum
from io import BytesIO
from typing import Any, NamedTuple

from aiokafka import errors
from aiokafka.protocol import commit, coordination, fetch, metadata, offset, produce, transaction
from aiokafka.protocol.admin import CreateTopicsRequest
from aiokafka.protocol.api import RequestStruct, ResponseHeader_v0, ResponseHeader_v1
from aiokafka.protocol.types import Array, Bytes, Schema, String

from core.kafka.connection import Kafka

_SIZE = struct.Struct(">i")
_HEAD = struct.Struct(">hhi")
PRODUCE, FETCH = produce.ProduceRequest.API_KEY, fetch.FetchRequest.API_KEY
LIST_OFFSETS, METADATA = offset.OffsetRequest.API_KEY, metadata.MetadataRequest.API_KEY
COORDINATOR, COMMIT = coordination.FindCoordinatorRequest.API_KEY, commit.OffsetCommitRequest.API_KEY
CREATE_TOPICS, PRODUCER_ID = CreateTopicsRequest.API_KEY, transaction.InitProducerIdRequest.API_KEY


class Way(Enum):
    """How a request comes to grief. ``UNDONE``: refused, not obeyed. ``DONE``: obeyed, but an error is told."""

    DONE = "error"
    UNDONE = "refusal"
    CUT = "connection cut before"
    LOST = "answer lost"
    GARBLED = "flipped bit"
    SILENT = "silence"


class Fault(NamedTuple):
    way: Way
    error: type[errors.KafkaError] = errors.NoError

    @property
    def name(self) -> str:
        return self.error.__name__ if self.error is not errors.NoError else self.way.value


def told(*kinds: type[errors.KafkaError]) -> list[Fault]:
    return [Fault(Way.DONE, kind) for kind in kinds]


ANYWHERE = [Fault(Way.CUT), Fault(Way.LOST)]
FAULTS: Mapping[int, list[Fault]] = {
    PRODUCE: [
        *(
            Fault(Way.UNDONE, kind)
            for kind in (
                errors.NotEnoughReplicasError,
                errors.LeaderNotAvailableError,
                errors.NotLeaderForPartitionError,
                errors.UnknownTopicOrPartitionError,
            )
        ),
        *told(errors.RequestTimedOutError, errors.NotEnoughReplicasAfterAppendError),
    ],
    FETCH: [
        *told(
            errors.NotLeaderForPartitionError,
            errors.RequestTimedOutError,
            errors.UnknownTopicOrPartitionError,
            errors.OffsetOutOfRangeError,
            errors.CorruptRecordException,
        ),
        Fault(Way.GARBLED),
    ],
    LIST_OFFSETS: told(errors.NotLeaderForPartitionError, errors.LeaderNotAvailableError, errors.RequestTimedOutError),
    METADATA: told(errors.LeaderNotAvailableError),
    COORDINATOR: told(errors.GroupCoordinatorNotAvailableError),
    COMMIT: told(
        errors.GroupCoordinatorNotAvailableError, errors.NotCoordinatorForGroupError, errors.GroupLoadInProgressError
    ),
    CREATE_TOPICS: told(errors.NotControllerError, errors.RequestTimedOutError),
    PRODUCER_ID: told(errors.GroupCoordinatorNotAvailableError, errors.GroupLoadInProgressError),
}
"""What brokers in trouble answer to each kind of request, by its API key."""

Wrong = Callable[[int], Fault | None]
"""What befalls the next request of an API key."""


def well(api: int) -> Fault | None:
    """Nothing is wrong."""
    return None


def storm(dice: random.Random, share: float) -> Wrong:
    """This share of the requests comes to grief, each in one of the ways of its kind; fewer of those that a client
    begins with, for it needs a dozen of them in a row."""

    def wrong(api: int) -> Fault | None:
        often = share if api in (PRODUCE, FETCH, COMMIT) else share / 4
        return dice.choice([*FAULTS.get(api, []), *ANYWHERE]) if dice.random() < often else None

    return wrong


class Proxy:
    """``wrong`` decides over each request; ``met`` counts what befell them."""

    def __init__(self, target: str) -> None:
        self.wrong: Wrong = well
        self.met: Counter[str] = Counter()
        self.address = ""
        self._target = target
        self._serving: set[asyncio.Task[None]] = set()

    @property
    def kafka(self) -> Kafka:
        return Kafka(self.address)

    async def listen(self) -> asyncio.Server:
        listening = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.address = f"127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        return listening

    async def close(self) -> None:
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        there: asyncio.StreamWriter | None = None
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            host, _, port = self._target.rpartition(":")
            back, there = await asyncio.open_connection(host, int(port))
            while answer := await self._answer(await _frame(reader), back, there, reader):
                writer.write(_SIZE.pack(len(answer)) + answer)
                await writer.drain()
        for end in (writer, there):
            if end is not None:
                end.transport.abort()

    async def _answer(
        self, request: bytes, back: asyncio.StreamReader, there: asyncio.StreamWriter, reader: asyncio.StreamReader
    ) -> bytes | None:
        """The answer, as the broker gave it or otherwise; none: the connection ends."""
        api, version, correlation = _HEAD.unpack_from(request)
        fault = self.wrong(api)
        if fault is not None:
            if fault.way is not Way.GARBLED:  # which takes records
                self.met[fault.name] += 1
            if fault.way is Way.CUT:
                return None
            if fault.way is Way.SILENT:
                await reader.read()  # until the client has had enough
                return None
            if fault.way is Way.UNDONE:
                return _SIZE.pack(correlation) + _refusal(version, request, fault.error.errno)
        there.write(_SIZE.pack(len(request)) + request)
        answer = await _frame(back)
        if fault is not None and fault.way is Way.LOST:
            return None
        kind = _KINDS.get((api, version))
        return answer if kind is None else self._rewritten(kind, answer, fault)

    def _rewritten(self, kind: type[RequestStruct], answer: bytes, fault: Fault | None) -> bytes:
        """The answer with this proxy as the only broker, and with what is wrong."""
        host, _, port = self.address.rpartition(":")
        changes: dict[str, Callable[[Any], Any]] = {"host": lambda _: host, "port": lambda _: int(port)}
        if fault is not None and fault.way is Way.DONE:
            code = fault.error.errno
            changes["error_code"] = lambda _: code
        elif fault is not None and fault.way is Way.GARBLED:
            changes["message_set"] = self._garbled
        read = BytesIO(answer)
        header = (ResponseHeader_v1 if kind.FLEXIBLE_VERSION else ResponseHeader_v0).decode(read)
        schema = kind.RESPONSE_TYPE.SCHEMA
        return bytes(header.encode() + schema.encode(_changed(schema, schema.decode(read), changes)))

    def _garbled(self, records: bytes) -> bytes:
        if not records:
            return records
        self.met[Way.GARBLED.value] += 1
        return records[:-1] + bytes([records[-1] ^ 1])


@asynccontextmanager
async def proxy(target: str) -> AsyncIterator[Proxy]:
    """A proxy before the broker at this address."""
    made = Proxy(target)
    listening = await made.listen()
    try:
        yield made
    finally:
        listening.close()
        await made.close()


async def _frame(reader: asyncio.StreamReader) -> bytes:
    (size,) = _SIZE.unpack(await reader.readexactly(4))
    return await reader.readexactly(size)


def _known(kind: type[RequestStruct]) -> Iterator[type[RequestStruct]]:
    for narrower in kind.__subclasses__():
        yield narrower
        yield from _known(narrower)


_VERSIONS = 18  # a client that asks for versions has not agreed on any structure yet
_KINDS = {(kind.API_KEY, kind.API_VERSION): kind for kind in _known(RequestStruct) if kind.API_KEY != _VERSIONS}


def _changed(schema: Schema, values: Any, changes: Mapping[str, Callable[[Any], Any]]) -> list[Any]:
    """The values of a structure with those of the fields named in ``changes`` put through them, however deep."""
    found = []
    for name, field, value in zip(schema.names, schema.fields, values, strict=True):
        if name in changes:
            found.append(changes[name](value))
        elif isinstance(field, Array) and isinstance(field.array_of, Schema) and value is not None:
            found.append([_changed(field.array_of, item, changes) for item in value])
        else:
            found.append(value)
    return found


def _refusal(version: int, request: bytes, code: int) -> bytes:
    """The answer to a produce request that wrote nothing: this error for each of its partitions."""
    kind = _KINDS[PRODUCE, version]
    read = BytesIO(request)
    read.seek(_HEAD.size)
    String("utf-8").decode(read)  # the client's name
    asked = kind.decode(read)
    schema = kind.RESPONSE_TYPE.SCHEMA
    partition_schema = schema.fields[0].array_of.fields[1].array_of
    topics = [
        (topic, [_partition(partition_schema, partition, code) for partition, _ in partitions])
        for topic, partitions in asked.topics
    ]
    return bytes(schema.encode([topics, *(_nothing(field) for field in schema.fields[1:])]))


def _partition(schema: Schema, partition: int, code: int) -> list[Any]:
    return [partition, code, *(_nothing(field) for field in schema.fields[2:])]


def _nothing(field: Any) -> Any:
    if isinstance(field, Array):
        return []
    return None if isinstance(field, String) or field is Bytes else -1
