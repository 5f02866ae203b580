"""A connection is given anything at all: it answers or closes, and nothing it does not expect happens inside."""

import asyncio
import logging
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.stack.broker.api import APIS
from core.stack.broker.broker import Address, Broker
from core.stack.broker.connection import Connection
from core.stack.broker.wire import Malformed, Reader, Writer

_REQUESTS = st.sampled_from([(key, version) for key, api in APIS.items() for version in range(api.first, api.last + 1)])
# Numbers, lengths and texts as requests have them: bytes alone would hardly get past the first length.
_PIECES = st.one_of(
    st.integers(-(2**31), 2**31 - 1).map(lambda n: struct.pack(">i", n)),
    st.integers(-2, 4).map(lambda n: struct.pack(">i", n)),
    st.integers(-2, 4).map(lambda n: struct.pack(">h", n)),
    st.integers(-(2**63), 2**63 - 1).map(lambda n: struct.pack(">q", n)),
    st.text(max_size=4).map(lambda text: struct.pack(">h", len(text.encode())) + text.encode()),
    st.text(max_size=4).map(lambda text: bytes([len(text.encode()) + 1]) + text.encode()),
    st.binary(max_size=80),
)


class Wire(asyncio.Transport):
    """The client's side of a connection, in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def abort(self) -> None:
        self.closed = True

    def close(self) -> None:
        self.closed = True

    def is_reading(self) -> bool:
        return True

    def pause_reading(self) -> None:
        pass

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 1) if name == "peername" else default


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    directory: Path = tmp_path_factory.mktemp("broker")
    made = Broker(directory, default_partitions=1, auto_create=False)
    made.open(Address("127.0.0.1", 9092))
    made.topics.create("t", 1, {})
    yield made
    made.close()


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(request_=_REQUESTS, body=st.lists(_PIECES, max_size=12).map(b"".join))
async def test_any_request_is_answered_or_closes_the_connection(
    broker: Broker, caplog: pytest.LogCaptureFixture, request_: tuple[int, int], body: bytes
) -> None:
    key, version = request_
    wire, connections = Wire(), set[Connection]()
    connection = Connection(broker, connections)
    connection.connection_made(wire)
    head = struct.pack(">hhih", key, version, 7, -1)
    flexible = b"\0" if version >= APIS[key].flexible_from else b""
    frame = head + flexible + body
    with caplog.at_level(logging.ERROR):
        connection.data_received(struct.pack(">i", len(frame)) + frame)
        connection.connection_lost(None)
        if waiting := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(waiting, timeout=10)  # a request that waits sees that its client is gone
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
    if wire.written:
        size, correlation = struct.unpack_from(">ii", wire.written)
        assert (size, correlation) == (len(wire.written) - 4, 7)
    assert connections == set()


async def test_a_client_that_does_not_read_is_not_served_further(broker: Broker) -> None:
    wire = Wire()
    connection = Connection(broker, set())
    connection.connection_made(wire)
    request = struct.pack(">ihhih", 10, 18, 0, 7, -1)
    connection.pause_writing()
    connection.data_received(request * 3)
    assert wire.written == b""
    connection.resume_writing()
    once = struct.unpack_from(">i", wire.written)[0] + 4
    assert len(wire.written) == 3 * once


@given(st.lists(st.one_of(st.none(), st.text(max_size=300)), max_size=5), st.booleans())
def test_strings_are_read_as_they_were_written(values: list[str | None], flexible: bool) -> None:
    out = Writer(flexible)
    out.array(values, out.string)
    out.tags()
    reader = Reader(bytes(out.data), flexible)
    assert reader.array(reader.string_or_none) == values
    reader.tags()
    with pytest.raises(Malformed):
        reader.i8()


@given(st.integers(0, 2**35 - 1))
def test_variable_length_integers(value: int) -> None:
    out = Writer(flexible=True)
    out.uvarint(value)
    assert Reader(bytes(out.data)).uvarint() == value
