"""Requests by hand, for what no client would send."""

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka.record.default_records import DefaultRecordBatchBuilder


@contextmanager
def connected(address: str) -> Iterator[socket.socket]:
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        yield connection


def ask(connection: socket.socket, key: int, version: int, body: bytes = b"") -> bytes:
    """Send one request and return the answer's body, after its correlation id."""
    head = struct.pack(">hhih", key, version, 7, -1)
    connection.sendall(struct.pack(">i", len(head + body)) + head + body)
    size = struct.unpack(">i", exactly(connection, 4))[0]
    answer = exactly(connection, size)
    assert struct.unpack_from(">i", answer)[0] == 7
    return answer[4:]


def exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        assert more, "the broker closed the connection"
        data += more
    return data


def batch(
    values: list[bytes], *, timestamp: int = 0, producer_id: int = -1, epoch: int = -1, sequence: int = -1
) -> bytes:
    """A record batch as a producer makes it; record n has `timestamp + n` (ms)."""
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=0,
        is_transactional=0,
        producer_id=producer_id,
        producer_epoch=epoch,
        base_sequence=sequence,
        batch_size=1 << 20,
    )
    for at, value in enumerate(values):
        builder.append(at, timestamp + at, None, value, [])
    return bytes(builder.build())


def string(text: str) -> bytes:
    return struct.pack(">h", len(text)) + text.encode()


def produce(connection: socket.socket, topic: str, records: bytes) -> tuple[int, int]:
    """(error code, base offset) of a produce request of one batch to partition 0."""
    body = struct.pack(">hhi", -1, -1, 1000) + struct.pack(">i", 1) + string(topic)
    body += struct.pack(">iii", 1, 0, len(records)) + records
    answer = ask(connection, 0, 3, body)
    at = 4 + len(string(topic)) + 4 + 4
    code, offset = struct.unpack_from(">hq", answer, at)
    return code, offset
